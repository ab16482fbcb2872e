/// A resolution in which measurements are kept.
package enum Tier: Int, CaseIterable, Comparable, Sendable {
    case seconds, minutes, hours

    package static func < (a: Tier, b: Tier) -> Bool { a.rawValue < b.rawValue }

    /// Seconds of one point.
    package var resolution: Int {
        switch self {
        case .seconds: 1
        case .minutes: 60
        case .hours: 3600
        }
    }

    /// For how long points are kept, seconds.
    package var kept: Int {
        switch self {
        case .seconds: 3600
        case .minutes: 7 * 86_400
        case .hours: 366 * 86_400
        }
    }

    /// Slots of a block.
    var blockSlots: Int { self == .seconds ? SecondBlock.seconds : 1 }

    /// Seconds after which what stands in blocks is put together: to a point of the next tier, and to chunks.
    var groupSpan: Int {
        switch self {
        case .seconds: 60
        case .minutes: 3600
        case .hours: 7 * 86_400
        }
    }

    /// Slots of a chunk; nil where none are made.
    var chunkSlots: Int? { self == .seconds ? nil : groupSpan / resolution }

    var next: Tier? { Tier(rawValue: rawValue + 1) }

    /// Rounded down to a multiple, also before 1970.
    static func floor(_ number: Int, to multiple: Int) -> Int {
        let rest = number % multiple
        return number - (rest < 0 ? rest + multiple : rest)
    }
}
