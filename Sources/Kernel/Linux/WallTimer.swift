import CKernel

/// Waiting by the time of day: timerfd_create(2) with CLOCK_REALTIME. A pause counted in seconds would go on as if nothing had
/// happened when somebody sets the clock.
///
/// Invariant: a wait ends at its moment, or earlier when the clock is set (TFD_TIMER_CANCEL_ON_SET) or the task is cancelled;
/// who waits looks at the clock again. (test: `a wait by the time of day ends at its moment, or when it is cancelled`)
package enum WallTimer {
    /// What the kernel takes: the year 2200.
    private static let end = Timestamp(nanoseconds: 7_258_118_400_000_000_000)

    /// - Parameter moment: nil waits for nothing but a clock that is set.
    /// - Throws: `SystemError`; ECANCELED when the task was cancelled.
    package static func wait(until moment: Timestamp? = nil) async throws(SystemError) {
        let timer = OwnedFD(
            adopting: CInt(
                try call("make a timer", "the wall clock") {
                    ck_timerfd_create(CLOCK_REALTIME, CInt(TFD_CLOEXEC) | CInt(TFD_NONBLOCK))
                }))
        let (seconds, rest) = max(1, min(moment ?? end, end).nanoseconds).quotientAndRemainder(
            dividingBy: 1_000_000_000)
        _ = try call("set a timer to", "\(moment ?? end)") {
            ck_timerfd_settime_wall(timer.raw, Int64(seconds), Int64(rest))
        }
        try await Readiness.shared.readable(timer.raw)
    }
}

/// Tells when the wall clock was set, by a clock that only ticks.
package struct ClockJump: Sendable {
    /// What lies below it is drift, and what NTP takes back bit by bit.
    static let least = 1_000_000_000

    private var offset: Int?

    package init() {}

    /// By how many nanoseconds the wall clock was set since the last look; 0: not at all.
    package mutating func look(wall: Timestamp, monotonic: Int) -> Int {
        let (now, overflow) = wall.nanoseconds.subtractingReportingOverflow(monotonic)
        guard !overflow else { return 0 }
        defer { offset = now }
        guard let offset else { return 0 }
        let (jump, isTooFar) = now.subtractingReportingOverflow(offset)
        return isTooFar || jump.magnitude < Self.least.magnitude ? 0 : jump
    }
}
