/// Whether the clock of the day can be trusted: one that has jumped may jump back, and what is thrown away as too old by a
/// wrong clock is gone.
///
/// Invariants
/// 1. Nothing is thrown away within a while of a jump. (test: `a clock that jumps throws nothing away`)
package struct ClockWatch: Sendable {
    /// A difference that is a jump, seconds: a clock that is being slewed is slower.
    private static let jump = 5
    /// Seconds without a jump after which the clock is trusted.
    package static let patience = 600

    private var last: (wall: Int, monotonic: Int)?
    private var steadySince: Int?

    package init() {}

    /// - Parameters: seconds; the second of a clock that only runs.
    package mutating func look(wall: Int, monotonic: Int) {
        if let last, abs((wall - last.wall) - (monotonic - last.monotonic)) <= Self.jump {
            if steadySince == nil { steadySince = last.monotonic }
        } else {
            steadySince = nil
        }
        last = (wall, monotonic)
    }

    package var isSteady: Bool {
        guard let last, let steadySince else { return false }
        return last.monotonic - steadySince >= Self.patience
    }
}
