/// How many instances a pool needs: a peak of demand that fades.
///
/// The peak is raised at once when a sample is higher, and halved each time it was not reached for the window
/// (`PoolConfiguration.idleTimeout`). So a burst is met by a pool of its size if it comes again soon, and after n
/// windows of silence no more than 1/2^n of it is kept: 64 copies are 8 after three windows and gone after seven.
/// A pool that follows the present demand only would stop and start copies with every wave.
struct Demand: Hashable, Sendable {
    private(set) var peak = 0
    private var reachedAt: Instant?

    /// Takes in how many instances are needed now.
    mutating func sample(_ needed: Int, now: Instant) {
        guard needed >= peak else { return }
        peak = needed
        reachedAt = now
    }

    /// Lets the peak fade, but not below what is needed now.
    mutating func fade(now: Instant, window: Duration, needed: Int) {
        while let at = reachedAt, peak > needed, at + window <= now {
            peak = max(peak / 2, needed)
            reachedAt = at + window
        }
        sample(needed, now: now)
    }

    /// When the peak fades next, if it does.
    func nextFading(window: Duration, needed: Int) -> Instant? {
        guard peak > needed, let reachedAt else { return nil }
        return reachedAt + window
    }
}
