/// Decides for one pool of standbys: which copies of a program to start and stop, and which call gets which.
///
/// A standby is a copy that has been started ahead of its call and waits at its first read. A call takes one for
/// itself; it is never given to another. The pool is a pure state machine: events and the time in, actions out. Each
/// event is booked, then the whole picture is looked at again (deadlines, hand-overs, size, timer), so that nothing
/// depends on an event having had its effect before.
///
/// Invariants (with their tests in StandbyPoolTests; `hundreds of seeded lives keep every invariant` checks all):
/// 1. An instance goes to at most one call, and a call gets at most one instance or one refusal.
///    (`an instance is never given twice`)
/// 2. No instance is ordered while `maximum` are alive: ordered, waiting, in use, and being stopped.
///    (`twenty calls share four places in the order in which they came`)
/// 3. Calls get instances in the order in which they came. (same test)
/// 4. No call waits while an instance waits. (`a call takes the copy that has waited longest, and it is replaced`)
/// 5. Every instance that was started either goes to a call or is told to stop, once.
///    (`a copy that is not wanted any more is stopped when its start is through`)
/// 6. At most `waitingCallsLimit` calls wait, none longer than `waitingTimeLimit`.
///    (`one call more than may wait is refused`, `a call that waited too long is refused`)
/// 7. A copy that was not seen waiting is given away only if this program has been seen waiting before and none has
///    failed since: otherwise the caller would pay for finding out. (`the first call waits until the program is known
///    to wait`, `a call may take a copy that is still starting`)
/// 8. A copy that was taken is replaced no later than `refillDelay` after, or when a place is free.
///    (`a copy that was taken is replaced when its call has ended, or after a while`)
/// 9. After a failure no copy is ordered before the pause is over, and then one at a time.
///    (`failures are answered with growing pauses`)
package struct StandbyPool: Sendable {
    package internal(set) var configuration: PoolConfiguration
    /// What calls hear about the pool's program.
    let program: String
    var phase = Phase.open
    var roster = Roster()
    var queue: [WaitingCall] = []
    var demand = Demand()
    var recovery = Recovery()
    /// Whether any copy was ever seen waiting.
    var hasSeenReady = false
    /// Copies that may be handed to a call before they are ready; see invariant 7.
    var isProven: Bool { hasSeenReady && recovery.failures == 0 }
    var lastInstance: UInt64 = 0
    var timer: Instant?
    /// When copies that were taken are replaced; nil: at once.
    var refillAt: Instant?
    /// The last call's arrival; before the first, when the pool was first heard of.
    var lastCallAt: Instant?
    var totals = PoolCounts()

    enum Phase { case open, draining, closed }

    struct WaitingCall {
        var id: CallID
        var arrivedAt: Instant
    }

    /// - Parameter program: what the sentences of errors call the program.
    package init(program: String, _ configuration: PoolConfiguration) {
        self.program = program
        self.configuration = configuration
    }

    /// The pool in numbers.
    package var counts: PoolCounts {
        var counts = totals
        counts.starting = roster.starting
        counts.ready = roster.ready.count
        counts.busy = roster.busy
        counts.stopping = roster.stopping
        counts.waiting = queue.count
        return counts
    }

    /// Whether the pool takes no more calls and nothing of it is left.
    package var isFinished: Bool { phase != .open && isEmpty }

    /// Whether there is no copy and no call.
    package var isEmpty: Bool { roster.alive == 0 && queue.isEmpty }

    /// Whether the pool takes no more calls and nothing of it is left but instances in use.
    package var hasOnlyBusy: Bool { phase != .open && roster.alive == roster.busy && queue.isEmpty }

    /// Whether an instance runs, has no call, and was not yet seen waiting.
    package func isWarming(_ id: InstanceID) -> Bool {
        guard case .warming = roster[id] else { return false }
        return true
    }

    /// Books what happened and tells what to do about it.
    package mutating func handle(_ event: PoolEvent, now: Instant) -> [PoolAction] {
        var actions: [PoolAction] = []
        if lastCallAt == nil { lastCallAt = now }
        book(event, now, &actions)
        refuseOverdue(now, &actions)
        giveUpOnSlowStarts(now, &actions)
        handOut(now, &actions)
        demand.fade(now: now, window: configuration.idleTimeout, needed: min(needed, configuration.maximum))
        resize(now, &actions)
        orderTimer(now, &actions)
        return actions
    }

    /// How many instances would serve everybody at once now.
    var needed: Int { roster.busy + queue.count }
}
