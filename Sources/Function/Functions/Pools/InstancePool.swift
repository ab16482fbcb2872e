/// Decides for the instances of one function version: which to start and stop, and which call gets which.
///
/// A pure state machine: events and the time in, actions out. Each event is booked, then the whole picture is looked at
/// again, so that nothing depends on an event having had its effect before. Memory is not the pool's: it tells its
/// `appetite`, and starts an instance for each `.roomGranted`. A warm call takes a shortcut (`takeAtOnce`, `freeAtOnce`)
/// that changes the same books and needs no second look.
///
/// Invariants (with their tests in InstancePoolTests; `hundreds of seeded lives keep every invariant` checks all):
/// 1. An instance has at most `places` calls at a time, a fresh one a single call in its life.
///    (`an instance has no more calls than places`, `a fresh instance serves one call`)
/// 2. A call gets one instance, one failure or one refusal. (the simulation)
/// 3. Calls get instances in the order in which they came. (`calls are served in the order in which they came`)
/// 4. No call waits while an instance has a place free. (the simulation)
/// 5. An instance is launched only with room granted, and not without a reason: a call that waits, a promise, demand.
///    (`a start whose call was served otherwise stays as a warm instance`)
/// 6. Every instance that was launched is told to stop once, or ended by itself. (the simulation)
/// 7. At most `waitingCallsLimit` calls wait, none past its deadline or `waitingTimeLimit`.
///    (`one call more than may wait is refused`, `a call past its deadline is refused`)
/// 8. After failed starts there is a pause that grows, and then one start at a time; calls that have nothing else to wait
///    for are answered with the failure. (`failed starts are answered, and tried again after growing pauses`)
/// 9. As many provisioned instances are kept as promised, each replaced when it ends. (`a provisioned instance that ends
///    is replaced`)
/// 10. Without calls a pool shrinks to what was promised. (`a pool shrinks to nothing when nobody calls`)
/// 11. What ends before it had a call is not kept ahead again and again. (`a program that does not wait is prepared less and
///    less often`)
/// 12. A drained pool keeps no instance that no call needs. (`a drained pool serves what was accepted and is gone`)
package struct InstancePool: Sendable {
    package let settings: InstancePoolSettings
    var phase = Phase.open
    var roster: InstanceRoster
    var queue = WaitingCalls()
    var demand = InstanceDemand()
    var recovery = StartRecovery()
    /// The same of instances that were ready and ended before they had a call: a program that does not wait. Calls are not
    /// concerned, only what is kept ahead of them.
    var keeping = StartRecovery()
    var promised = 0
    var timer: Instant?
    /// When fresh instances that were taken are replaced; nil: at once.
    var refillAt: Instant?
    /// When the ages of instances are looked at next; nil: there are none.
    var recycleAt: Instant?
    var lastInstance: UInt64 = 0
    /// How long a call keeps an instance, and an instance takes to start; nil before the first.
    var meanUse: Mean?
    var meanStart: Mean?
    /// Starts that have failed by this event and have not been answered for.
    var unanswered = 0
    var totals = InstancePoolCounts()
    /// How many instances should be started now, and how urgently. Settled after every event.
    package internal(set) var appetite = 0
    package internal(set) var urgency = InstanceAppetite.ahead

    enum Phase { case open, draining, closed }

    package init(_ settings: InstancePoolSettings) {
        self.settings = settings
        roster = InstanceRoster(places: settings.isFresh ? 1 : settings.places)
    }

    package var counts: InstancePoolCounts {
        var counts = totals
        counts.starting = roster.starting
        counts.idle = roster.spare
        counts.busy = roster.busy
        counts.stopping = roster.stopping
        counts.waiting = queue.count
        counts.peak = demand.peak
        counts.lastFailure = recovery.last
        return counts
    }

    /// How the promise is kept.
    package var provisioning: Provisioning {
        let failure = roster.provisionedReady < promised ? recovery.last ?? keeping.last : nil
        let state: Provisioning.State =
            roster.provisionedReady >= promised ? .ready : failure == nil ? .inProgress : .failed
        return Provisioning(
            requested: promised, allocated: roster.provisioned, available: roster.provisionedReady, state: state,
            reason: failure.map { "\($0.errorType): \($0.errorMessage)" })
    }

    /// Instances that hold memory.
    package var alive: Int { roster.alive }

    /// Neither an instance nor a call nor anything that has to be remembered.
    package func isForgettable(now: Instant) -> Bool {
        isEmpty && promised == 0 && !recovery.isPaused(now: now)
    }

    package var isEmpty: Bool { roster.alive == 0 && queue.isEmpty }
    package var isDraining: Bool { phase != .open }

    /// Since when the instance that would be evicted has been idle; nil: there is none.
    package var idleSince: Instant? { roster.idle.first.flatMap { roster[$0]?.changedAt } }

    /// Gives a call that has just come a free place, if there is one and nothing else has to be thought of.
    package mutating func takeAtOnce(now: Instant) -> InstanceID? {
        guard timer != nil, !settings.isFresh, phase == .open, queue.isEmpty, let id = roster.takePlace(now: now) else {
            return nil
        }
        totals.calls += 1
        demand.sample(roster.busy, now: now)
        return id
    }

    /// Books that a call has left its instance, if nothing else has to be thought of. Else `.instanceFreed` is sent.
    package mutating func freeAtOnce(_ id: InstanceID, now: Instant) -> Bool {
        guard timer != nil, !settings.isFresh, phase == .open, queue.isEmpty, let instance = roster[id],
            instance.phase == .ready, !instance.isLeaving, now - instance.readyAt < settings.recycleAge
        else { return false }
        noteUse(roster.freePlace(id, now: now))
        return true
    }

    /// Books what happened and tells what to do about it.
    package mutating func handle(_ event: InstancePoolEvent, now: Instant, _ actions: inout [InstancePoolAction]) {
        book(event, now, &actions)
        expireCalls(now, &actions)
        handOut(now, &actions)
        answerFailed(now, &actions)
        recycle(now, &actions)
        demand.fade(now: now, settings, needed: needed)
        shrink(now, &actions)
        settleAppetite(now)
        orderTimer(now, &actions)
    }

    /// How many instances would serve everybody at once now.
    var needed: Int {
        roster.busy + (queue.count + settings.places - 1) / settings.places
    }

    mutating func noteUse(_ span: Duration?) {
        guard let span, settings.places == 1 else { return }
        meanUse.add(span)
    }
}

/// A mean that follows: each new value counts an eighth.
struct Mean: Hashable, Sendable {
    var nanoseconds: Int
}

extension Mean? {
    mutating func add(_ span: Duration) {
        let new = span.wholeNanoseconds
        self = Mean(nanoseconds: self.map { $0.nanoseconds + (new - $0.nanoseconds) / 8 } ?? new)
    }
}
