/// Which pool may start the next instance, when several want to.
///
/// The memory goes to who has least of it: the pool whose function would have the least with one instance more, and of
/// equals the one that has waited longest. So a function's share depends on how many functions wait, and not on how many
/// calls each has. A pool without any instance that has waited for `patience` comes before all others, so that a
/// small share never becomes none. While the first in turn waits for memory, a pool that has nothing may pass it, once.
///
/// Pure: pools are numbers, the memory is in a `MemoryBudget`.
///
/// Invariants (with their tests in FairQueueTests):
/// 1. Who waits is served after finitely many others. (`a burst of one function does not starve another`)
/// 2. Promises and what is prepared ahead take nothing from calls: a promise that cannot be kept blocks nobody.
///    (`what is prepared ahead comes after what is needed`)
/// 3. Taking from one for another always ends: nobody is left with less than who has got it, unless that one had nothing.
///    (`two functions share the memory evenly, and leave each other alone then`)
struct FairQueue: Sendable {
    /// What a pool wants.
    struct Claim: Hashable, Sendable {
        var pool: Int
        var function: String
        var needMB: Int
        /// What this pool has already.
        var poolHeldMB: Int
        var since: Instant
        var urgency: InstanceAppetite
    }

    enum Turn: Hashable, Sendable {
        case nobody
        /// It may start one instance.
        case grant(pool: Int)
        /// This is the first in turn, and so much more has to become free for it.
        case makeRoom(Claim, missingMB: Int)
    }

    private(set) var claims: [Int: Claim] = [:]
    let patience: Duration
    /// The pool for which room is being made, and those that have passed it or yielded to it. Without this memory who has
    /// yielded would have nothing, pass, and take back what it gave: the first would wait for ever.
    private var blocked: Int?
    private var passed: Set<Int> = []

    init(patience: Duration) { self.patience = patience }

    var isEmpty: Bool { claims.isEmpty }
    /// How many functions' calls wait for memory or for a start.
    var waiting: Int { claims.count }

    /// A pool wants one more instance, or its claim has changed. The time since when it waits stays.
    mutating func claim(_ claim: Claim) {
        var claim = claim
        if let old = claims[claim.pool], old.urgency == claim.urgency { claim.since = old.since }
        claims[claim.pool] = claim
    }

    mutating func withdraw(_ pool: Int) { claims[pool] = nil }

    mutating func turn(_ budget: MemoryBudget, now: Instant) -> Turn {
        guard let first = first(budget, now: now) else { return .nobody }
        if budget.fits(first.needMB) { return grant(first, now) }
        if first.urgency == .ahead { return .nobody }
        if blocked != first.pool {
            blocked = first.pool
            passed = [first.pool]
        }
        let passing = claims.values.filter {
            $0.poolHeldMB == 0 && $0.urgency == .calls && budget.fits($0.needMB) && !passed.contains($0.pool)
        }
        if let claim = passing.min(by: { ($0.since, $0.pool) < ($1.since, $1.pool) }) {
            passed.insert(claim.pool)
            return grant(claim, now)
        }
        return .makeRoom(first, missingMB: first.needMB - budget.freeMB - budget.leavingMB)
    }

    /// What it wants besides, it has wanted since now.
    private mutating func grant(_ claim: Claim, _ now: Instant) -> Turn {
        claims[claim.pool]!.since = now
        if blocked == claim.pool { blocked = nil }
        return .grant(pool: claim.pool)
    }

    private func first(_ budget: MemoryBudget, now: Instant) -> Claim? {
        claims.values.min { a, b in rank(a, budget, now) < rank(b, budget, now) }
    }

    private func rank(_ claim: Claim, _ budget: MemoryBudget, _ now: Instant) -> (Int, Int, Instant, Int) {
        if isStarved(claim, now) { return (0, 0, claim.since, claim.pool) }
        let share = budget.heldMB(claim.function) + claim.needMB
        return switch claim.urgency {
        case .calls: (1, share, claim.since, claim.pool)
        case .promised: (2, share, claim.since, claim.pool)
        case .ahead: (3, share, claim.since, claim.pool)
        }
    }

    private func isStarved(_ claim: Claim, _ now: Instant) -> Bool {
        claim.urgency == .calls && claim.poolHeldMB == 0 && now - claim.since >= patience
    }

    /// Whether an instance that becomes free is to be given up for the first in turn, although its own calls wait.
    mutating func shouldYield(
        pool: Int, function: String, memoryMB: Int, _ budget: MemoryBudget, now: Instant
    ) -> Bool {
        guard let first = first(budget, now: now), first.urgency == .calls, first.pool != pool,
            first.needMB > budget.freeMB + budget.leavingMB
        else { return false }
        let leftMB = budget.heldMB(function) - memoryMB
        guard
            isStarved(first, now)
                || (function != first.function && leftMB >= budget.heldMB(first.function) + first.needMB)
        else { return false }
        if blocked == first.pool { passed.insert(pool) }
        return true
    }
}
