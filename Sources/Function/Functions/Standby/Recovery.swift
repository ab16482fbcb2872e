/// What a pool remembers of instances that ended before they were used, and when it may try again.
///
/// Instances that were ordered before the last failure count with it: three waiting copies that the kernel kills
/// together for lack of memory are one failure and not three. An instance that had waited longer than the longest pause
/// before it ended starts the count anew: the program does wait for input, it only does not wait forever.
struct Recovery: Hashable, Sendable {
    /// One after the other, without a success between them.
    private(set) var failures = 0
    private(set) var reason = ""
    /// No instance is ordered before this.
    private(set) var pausedUntil: Instant?
    private var lastFailure: Instant?

    mutating func fail(
        _ reason: String, orderedAt: Instant, waitedFor: Duration?, now: Instant, _ configuration: PoolConfiguration
    ) {
        self.reason = reason
        if let lastFailure, orderedAt <= lastFailure { return }
        if let waitedFor, waitedFor > configuration.longestPause { failures = 0 }
        failures += 1
        lastFailure = now
        pausedUntil = now + pause(configuration)
    }

    /// An instance that was ready went to a call.
    mutating func succeed() {
        failures = 0
        pausedUntil = nil
    }

    func isPaused(now: Instant) -> Bool {
        guard let pausedUntil else { return false }
        return now < pausedUntil
    }

    private func pause(_ configuration: PoolConfiguration) -> Duration {
        var pause = configuration.firstPause
        for _ in 1..<failures where pause < configuration.longestPause { pause *= 2 }
        return min(pause, configuration.longestPause)
    }
}
