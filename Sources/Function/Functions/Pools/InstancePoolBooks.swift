/// What happened is booked.
extension InstancePool {
    mutating func book(_ event: InstancePoolEvent, _ now: Instant, _ actions: inout [InstancePoolAction]) {
        switch event {
        case .callArrived(let call, let deadline): admit(call, deadline, now, &actions)
        case .roomGranted: launch(now, &actions)
        case .instanceReady(let id): becameReady(id, now)
        case .instanceFailed(let id, let failure): failed(id, failure, now)
        case .instanceFreed(let id, let isReclaimed): freed(id, isReclaimed, now, &actions)
        case .callReturned(let call, let id, let deadline): returned(call, id, deadline, now, &actions)
        case .instanceEnded(let id, let how): ended(id, how, now)
        case .evict: evict(&actions)
        case .provision(let count): if phase == .open { promise(count) }
        case .timer: timer = nil
        case .drain:
            promise(0)
            if phase == .open { phase = .draining }
        case .close:
            promise(0)
            phase = .closed
            for call in queue.removeAll() { refuse(call.id, .closed, &actions) }
        }
    }

    private mutating func admit(
        _ call: CallID, _ deadline: Instant?, _ now: Instant, _ actions: inout [InstancePoolAction]
    ) {
        totals.calls += 1
        if phase == .closed { return refuse(call, .closed, &actions) }
        if let deadline, deadline <= now { return refuse(call, .deadlinePassed, &actions) }
        let isServedAtOnce = queue.isEmpty && !(roster.partial.isEmpty && roster.spare == 0)
        if !isServedAtOnce {
            totals.waitedCalls += 1
            guard queue.count < settings.waitingCallsLimit else {
                return refuse(call, .tooManyWaiting(limit: settings.waitingCallsLimit), &actions)
            }
        }
        queue.append(waiting(call, deadline, now))
        // A fresh instance that is being started replaces one that was taken a moment ago: as many calls came in the time
        // of a start as there are such instances, and as many should be ready the next time.
        demand.sample(needed + (settings.isFresh ? roster.starting : 0), now: now)
    }

    private func waiting(_ call: CallID, _ deadline: Instant?, _ now: Instant) -> WaitingCalls.Call {
        let limit = now + settings.waitingTimeLimit
        guard let deadline, deadline < limit else {
            return WaitingCalls.Call(id: call, arrivedAt: now, expiresAt: limit, hasDeadline: false)
        }
        return WaitingCalls.Call(id: call, arrivedAt: now, expiresAt: deadline, hasDeadline: true)
    }

    private mutating func returned(
        _ call: CallID, _ id: InstanceID, _ deadline: Instant?, _ now: Instant, _ actions: inout [InstancePoolAction]
    ) {
        _ = roster.freePlace(id, now: now)
        roster.leave(id)
        if let instance = roster[id], instance.phase == .ready, instance.used == 0 { stop(id, &actions) }
        if phase == .closed { return refuse(call, .closed, &actions) }
        if let deadline, deadline <= now { return refuse(call, .deadlinePassed, &actions) }
        queue.prepend(waiting(call, deadline, now))
    }

    private mutating func launch(_ now: Instant, _ actions: inout [InstancePoolAction]) {
        // The need may have vanished between being told and being granted: then nothing is started.
        guard appetite > 0 else { return }
        lastInstance += 1
        totals.launched += 1
        let id = InstanceID(lastInstance)
        let isProvisioned = roster.provisioned < promised
        roster.add(id, isProvisioned: isProvisioned, now: now)
        actions.append(.launch(id, isProvisioned: isProvisioned))
    }

    private mutating func becameReady(_ id: InstanceID, _ now: Instant) {
        // It may have been told to stop meanwhile.
        guard let span = roster.becomeReady(id, now: now) else { return }
        meanStart.add(span)
        recovery.succeed()
        recycleAt = min(recycleAt ?? now + settings.recycleAge, now + settings.recycleAge)
    }

    private mutating func failed(_ id: InstanceID, _ failure: InstanceStartFailure, _ now: Instant) {
        guard let instance = roster[id], instance.phase == .starting else { return }
        roster.stop(id)
        totals.failedStarts += 1
        unanswered += 1
        recovery.fail(failure, orderedAt: instance.orderedAt, now: now, settings)
    }

    private mutating func freed(
        _ id: InstanceID, _ isReclaimed: Bool, _ now: Instant, _ actions: inout [InstancePoolAction]
    ) {
        guard let before = roster[id], before.used > 0 else { return }
        noteUse(roster.freePlace(id, now: now))
        guard before.phase == .ready else { return }
        if isReclaimed { totals.evicted += 1 }
        if isReclaimed || settings.isFresh || now - before.readyAt >= settings.recycleAge { roster.leave(id) }
        if roster[id]!.isLeaving, roster[id]!.used == 0 { stop(id, &actions) }
        refillAt = nil
    }

    private mutating func ended(_ id: InstanceID, _ how: String, _ now: Instant) {
        if let instance = roster[id], instance.phase == .starting {
            let failure = InstanceStartFailure(
                errorType: "Runtime.ExitError", errorMessage: "the instance \(how) before it was ready")
            failed(id, failure, now)
        }
        if let instance = roster.remove(id) {
            if instance.used > 0 { refillAt = nil }
            // Nobody has used it, nobody has stopped it: the next that is kept ahead may fare no better.
            if instance.phase == .ready, !instance.wasUsed, now - instance.readyAt < settings.longestPause {
                let failure = InstanceStartFailure(
                    errorType: "Runtime.ExitError", errorMessage: "the instance \(how) before it had a call")
                keeping.fail(failure, orderedAt: instance.orderedAt, now: now, settings)
            }
        }
        if roster.usable == 0 { recycleAt = nil }
    }

    private mutating func evict(_ actions: inout [InstancePoolAction]) {
        guard let id = roster.idle.first else { return }
        totals.evicted += 1
        stop(id, &actions)
    }

    private mutating func promise(_ count: Int) {
        promised = count
        // What is promised no longer stays as an ordinary instance while there is demand for it.
        while roster.provisioned > promised {
            let some = roster.all.filter { $0.value.isProvisioned && $0.value.isKept }.keys
            guard let id = roster.idleProvisioned.first ?? some.min() else { break }
            roster.demote(id)
        }
    }

    /// Looks for instances that have grown old, while idle: one at a time, its successor first where one was promised.
    mutating func recycle(_ now: Instant, _ actions: inout [InstancePoolAction]) {
        guard let at = recycleAt, at <= now else { return }
        func isOld(_ id: InstanceID) -> Bool { now - roster[id]!.readyAt >= settings.recycleAge }
        if roster.starting == 0 {
            for id in roster.idle where isOld(id) { stop(id, &actions) }
            if let id = roster.idleProvisioned.first(where: isOld) {
                roster.demote(id)
                // It goes at the next look, when its successor is there.
                recycleAt = now + .seconds(1)
                return
            }
        } else if roster.idle.contains(where: isOld) {
            recycleAt = now + .seconds(1)
            return
        }
        let kept = roster.all.values.filter { $0.isKept && $0.phase == .ready }
        recycleAt = kept.map { max($0.readyAt + settings.recycleAge, now + .seconds(1)) }.min()
    }

    mutating func stop(_ id: InstanceID, _ actions: inout [InstancePoolAction]) {
        roster.stop(id)
        actions.append(.stop(id, .spindown))
    }

    mutating func refuse(_ call: CallID, _ refusal: InstanceRefusal, _ actions: inout [InstancePoolAction]) {
        totals.refusedCalls += 1
        actions.append(.refuse(call, refusal))
    }
}

extension InstanceRoster.Instance {
    /// Whether it starts or is ready, and does not leave.
    var isKept: Bool { phase != .stopping && !isLeaving }
}
