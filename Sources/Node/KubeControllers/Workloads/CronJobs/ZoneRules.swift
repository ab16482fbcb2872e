/// When a time zone has which offset from UTC, as TZif files have it (RFC 9636).
///
/// Invariants
/// 1. No bytes trap. (test: `no bytes trap the reader of zones`)
/// 2. Offsets are those of the system's own tables. (test: `offsets are those that are known`)
package struct ZoneRules: Sendable, Hashable {
    /// Seconds since 1970 from which on an offset holds, in order.
    private(set) var transitions: [Int64] = []
    private(set) var offsets: [Int64] = []
    private var first: Int64 = 0
    /// What holds after the last transition.
    private var later: PosixZone?

    package static let utc = ZoneRules()

    private init() {}

    /// - Returns: nil when the bytes are no TZif.
    package init?(_ bytes: [UInt8]) {
        guard let head = Header(bytes, at: 0) else { return nil }
        guard head.version >= UInt8(ascii: "2") else {
            guard read(bytes, head, at: Header.size, width: 4) else { return nil }
            return
        }
        // The second block has the same with 64 bits.
        let start = Header.size + head.length(width: 4)
        guard let second = Header(bytes, at: start), read(bytes, second, at: start + Header.size, width: 8) else {
            return nil
        }
        let footer = bytes.dropFirst(start + Header.size + second.length(width: 8))
        let text = footer.dropFirst().prefix { $0 != UInt8(ascii: "\n") }
        later = PosixZone(String(decoding: text, as: UTF8.self))
    }

    /// Seconds to add to UTC at a moment.
    package func offset(at seconds: Int64) -> Int64 {
        var (low, high) = (0, transitions.count)
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        if low == 0 { return transitions.isEmpty ? later?.offset(at: seconds) ?? first : first }
        if low == transitions.count, let later { return later.offset(at: seconds) }
        return offsets[low - 1]
    }

    private struct Header {
        static let size = 44
        var version: UInt8
        var counts: [Int]

        init?(_ bytes: [UInt8], at start: Int) {
            guard start >= 0, bytes.count >= start + Self.size,
                bytes[start..<start + 4].elementsEqual("TZif".utf8)
            else { return nil }
            version = bytes[start + 4]
            counts = (0..<6).map { Int(ZoneRules.number(bytes, start + 20 + $0 * 4, 4)) }
            guard counts.allSatisfy({ (0...100_000).contains($0) }) else { return nil }
        }

        var leaps: Int { counts[2] }
        var times: Int { counts[3] }
        var types: Int { counts[4] }

        func length(width: Int) -> Int {
            times * width + times + types * 6 + counts[5] + leaps * (width + 4) + counts[1] + counts[0]
        }
    }

    private static func number(_ bytes: [UInt8], _ at: Int, _ width: Int) -> Int64 {
        var value: UInt64 = 0
        for index in 0..<width { value = value << 8 | UInt64(bytes[at + index]) }
        return width == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
    }

    private mutating func read(_ bytes: [UInt8], _ head: Header, at start: Int, width: Int) -> Bool {
        guard bytes.count >= start + head.length(width: width), head.types > 0 else { return false }
        let indexes = start + head.times * width
        let types = indexes + head.times
        let kinds = (0..<head.types).map { Self.number(bytes, types + $0 * 6, 4) }
        guard kinds.allSatisfy({ abs($0) < 100_000 }) else { return false }
        first = kinds[0]
        for index in 0..<head.times {
            let type = Int(bytes[indexes + index])
            let moment = Self.number(bytes, start + index * width, width)
            guard type < kinds.count, moment > transitions.last ?? .min else { return false }
            transitions.append(moment)
            offsets.append(kinds[type])
        }
        return true
    }
}
