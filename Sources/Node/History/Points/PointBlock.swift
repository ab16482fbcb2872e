/// What was measured of all series in a short time, as it is kept until the time is over: few rows for many series.
struct PointBlock: Hashable, Sendable {
    /// Of its first slot, seconds since 1970.
    var at: Int
    /// Slots of equal length.
    var slots: Int
    /// By the numbers that series have in the database.
    var points: [Int: [SlotPoint?]]

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(points.count * 8)
        var last = 0
        for id in points.keys.sorted() {
            PointCoding.write(UInt64(id - last), to: &bytes)
            PointCoding.write(points[id]!, to: &bytes)
            last = id
        }
        return bytes
    }

    /// Calls with what the wanted series have: all with nil. False when the bytes are damaged.
    static func read(
        _ bytes: [UInt8], slots: Int, of wanted: Set<Int>?, _ take: (Int, Range<Int>, SlotPoint) -> Void
    ) -> Bool {
        var reader = PointCoding.Reader(bytes)
        var id = 0
        while !reader.isAtEnd {
            guard let step = reader.number(), let step = Int(exactly: step) else { return false }
            id &+= step
            let isWanted = wanted?.contains(id) ?? true
            guard reader.runs(of: slots, { if isWanted { take(id, $0, $1) } }) else { return false }
        }
        return true
    }
}

/// The seconds of a few moments, by series: what the sampler hands over at once.
package struct SecondBlock: Hashable, Sendable {
    /// Seconds of a block: what a node that is killed loses at most.
    package static let seconds = 10

    /// Of its first second, since 1970; a multiple of `seconds`.
    package let at: Int
    package private(set) var points: [SeriesKey: [SlotPoint?]] = [:]

    /// The block that a second belongs to.
    package init(of second: Int) { at = Tier.floor(second, to: Self.seconds) }

    package func covers(_ second: Int) -> Bool { Tier.floor(second, to: Self.seconds) == at }

    /// Two measurements of one second, as after a clock that was set back, are put together.
    package mutating func add(_ point: SlotPoint, of key: SeriesKey, at second: Int) {
        precondition(covers(second), "second \(second) is not in the block at \(at)")
        points[key, default: Array(repeating: nil, count: Self.seconds)][second - at].merge(point)
    }

    package var isEmpty: Bool { points.isEmpty }
}
