/// What follows from the whole picture.
extension InstancePool {
    mutating func expireCalls(_ now: Instant, _ actions: inout [InstancePoolAction]) {
        for call in queue.expire(now: now) {
            refuse(call.id, call.hasDeadline ? .deadlinePassed : .waitedTooLong(settings.waitingTimeLimit), &actions)
        }
    }

    mutating func handOut(_ now: Instant, _ actions: inout [InstancePoolAction]) {
        while !queue.isEmpty, let id = roster.takePlace(now: now) {
            guard let call = queue.popFirst() else { break }
            if keeping.failures > 0, call.arrivedAt == now { keeping.succeed() }
            actions.append(.hand(id, to: call.id))
            if settings.isFresh {
                // The earliest counts: calls that come in quick succession don't put it off.
                let delay = roster.spare == 0 ? settings.lastRefillDelay : settings.refillDelay
                refillAt = min(refillAt ?? now + delay, now + delay)
            }
        }
    }

    /// Answers calls that have waited for instances which did not become ready.
    ///
    /// While other instances serve, everybody waits for those. Else each failed start answers as many calls as it would
    /// have served, and one that gives up hope answers all.
    mutating func answerFailed(_ now: Instant, _ actions: inout [InstancePoolAction]) {
        defer { unanswered = 0 }
        guard let failure = recovery.last, roster.usable == roster.starting else { return }
        var count = unanswered * settings.places
        if recovery.isPaused(now: now), roster.starting == 0 { count = queue.count }
        for _ in 0..<max(count, 0) {
            guard let call = queue.popFirst() else { return }
            actions.append(.fail(call.id, failure))
        }
    }

    /// Stops idle instances for which there is no demand, the one that was used longest ago first. Those that start are
    /// looked at when they are ready.
    mutating func shrink(_ now: Instant, _ actions: inout [InstancePoolAction]) {
        if phase != .open {
            while let id = roster.idleProvisioned.first { roster.demote(id) }
        }
        let surplus: Int
        if settings.isFresh {
            surplus = roster.spare - prepared
        } else {
            // One that is to be replaced stays until its successor is ready.
            let wanted = phase == .open ? max(demand.peak, promised) - roster.provisionedReady : 0
            surplus = roster.usable - roster.starting - roster.provisionedReady - max(wanted, 0)
        }
        for id in roster.idle.prefix(max(surplus, 0)) { stop(id, &actions) }
    }

    /// How many fresh instances should be there ahead of their calls: one at least, as long as calls are remembered.
    private var prepared: Int {
        guard phase == .open, demand.peak > 0 else { return phase == .open ? promised : 0 }
        return max(min(max(demand.peak - roster.busy, 1), settings.preparedLimit), promised)
    }

    mutating func settleAppetite(_ now: Instant) {
        if let at = refillAt, at <= now || !queue.isEmpty { refillAt = nil }
        appetite = 0
        guard !recovery.isPaused(now: now), phase != .closed else { return }
        let mayKeep = !keeping.isPaused(now: now)
        let missing = mayKeep ? max(promised - roster.provisioned, 0) : 0
        var forCalls = 0
        if !queue.isEmpty {
            let waiting = queue.count - patience(now) - roster.starting * settings.places
            forCalls = max(0, (waiting + settings.places - 1) / settings.places)
        }
        if settings.isFresh, phase == .open, refillAt == nil, mayKeep {
            appetite = max(prepared - roster.starting - roster.spare, 0)
            urgency = .ahead
        }
        if missing > 0 {
            appetite = max(appetite, missing)
            urgency = .promised
        }
        if forCalls > 0 {
            appetite = max(appetite, forCalls)
            urgency = .calls
        }
        if recovery.failures > 0 { appetite = roster.starting == 0 ? min(appetite, 1) : 0 }
    }

    /// How many of the waiting calls instances in use will serve sooner than a new one could: those need no start.
    ///
    /// As long as calls keep to their mean. When the first has waited for as long as a start takes, the mean is wrong.
    private func patience(_ now: Instant) -> Int {
        guard roster.busy > 0, !settings.isFresh, settings.places == 1, let meanUse, let meanStart,
            let first = queue.first, (now - first.arrivedAt).wholeNanoseconds < meanStart.nanoseconds
        else { return 0 }
        return roster.busy * (meanStart.nanoseconds / 2) / max(meanUse.nanoseconds, 1)
    }

    mutating func orderTimer(_ now: Instant, _ actions: inout [InstancePoolAction]) {
        var next = queue.nextExpiry
        func consider(_ time: Instant?) {
            guard let time, time > now else { return }
            next = min(next ?? time, time)
        }
        if let first = queue.first, let meanStart, roster.busy > 0 {
            consider(first.arrivedAt + .nanoseconds(meanStart.nanoseconds))
        }
        if !queue.isEmpty || promised > roster.provisioned || settings.isFresh { consider(recovery.pausedUntil) }
        if promised > roster.provisioned || (settings.isFresh && demand.peak > 0) { consider(keeping.pausedUntil) }
        consider(refillAt)
        consider(recycleAt)
        if phase == .open { consider(demand.nextFading(settings, needed: needed)) }
        // A timer that goes off too early costs one look; ordering another one with every call would cost more.
        guard let next else { return }
        if let timer, timer <= next { return }
        timer = next
        actions.append(.setTimer(next))
    }
}
