/// What a pool remembers of instances that did not become ready, and when it may try again.
///
/// Instances that were ordered before the last failure count with it: four starts that fail together for one reason are
/// one failure.
struct StartRecovery: Hashable, Sendable {
    /// One after the other, without a success between them.
    private(set) var failures = 0
    private(set) var last: InstanceStartFailure?
    /// No instance is ordered before this.
    private(set) var pausedUntil: Instant?
    private var lastFailure: Instant?

    mutating func fail(
        _ failure: InstanceStartFailure, orderedAt: Instant, now: Instant, _ settings: InstancePoolSettings
    ) {
        last = failure
        if let lastFailure, orderedAt < lastFailure, !failure.isPermanent { return }
        failures += 1
        lastFailure = now
        if failure.isPermanent {
            pausedUntil = now + settings.longestPause
        } else if failures >= settings.failuresLimit {
            pausedUntil = now + pause(settings)
        }
    }

    /// An instance became ready.
    mutating func succeed() {
        guard failures > 0 else { return }
        self = StartRecovery()
    }

    func isPaused(now: Instant) -> Bool {
        guard let pausedUntil else { return false }
        return now < pausedUntil
    }

    private func pause(_ settings: InstancePoolSettings) -> Duration {
        var pause = settings.firstPause
        for _ in settings.failuresLimit..<failures where pause < settings.longestPause { pause *= 2 }
        return min(pause, settings.longestPause)
    }
}
