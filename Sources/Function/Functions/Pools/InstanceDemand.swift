/// How many instances a pool needs: a peak of demand that fades.
///
/// The peak is raised at once when a sample is higher, and halved each time it was not reached for the interval; the last
/// instance is kept for the idle time-out. A pool that followed the present demand only would stop and start instances
/// with every wave.
struct InstanceDemand: Hashable, Sendable {
    private(set) var peak = 0
    private var reachedAt = Instant(nanoseconds: 0)

    /// Takes in how many instances are needed now.
    mutating func sample(_ needed: Int, now: Instant) {
        guard needed >= peak else { return }
        peak = needed
        reachedAt = now
    }

    /// Lets the peak fade, but not below what is needed now.
    mutating func fade(now: Instant, _ settings: InstancePoolSettings, needed: Int) {
        while peak > needed, case let at = reachedAt + span(settings), at <= now {
            peak = max(peak / 2, needed)
            reachedAt = at
        }
        sample(needed, now: now)
    }

    /// When the peak fades next, if it does.
    func nextFading(_ settings: InstancePoolSettings, needed: Int) -> Instant? {
        peak > needed ? reachedAt + span(settings) : nil
    }

    private func span(_ settings: InstancePoolSettings) -> Duration {
        peak > 1 ? settings.fadeInterval : settings.idleTimeout
    }
}
