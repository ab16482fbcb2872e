/// What follows from the whole picture.
extension StandbyPool {
    mutating func refuseOverdue(_ now: Instant, _ actions: inout [PoolAction]) {
        while let call = queue.first, call.arrivedAt + configuration.waitingTimeLimit <= now {
            queue.removeFirst()
            var sentence =
                "call \(program): no instance was free within \(configuration.waitingTimeLimit) "
                + "(\(roster.busy) in use, \(roster.starting) starting, at most \(configuration.maximum))."
            if recovery.failures > 0 { sentence += " The last one \(recovery.reason)." }
            refuse(call.id, PoolError(.waitedTooLong, sentence), &actions)
        }
    }

    mutating func giveUpOnSlowStarts(_ now: Instant, _ actions: inout [PoolAction]) {
        while let id = roster.warming.first, case .warming(_, let startedAt) = roster[id],
            startedAt + configuration.startTimeLimit <= now
        {
            let what =
                "was not seen waiting for input within \(configuration.startTimeLimit) of its start "
                + "(only its first process counts)"
            stopFailed(id, what, now, &actions)
        }
    }

    mutating func handOut(_ now: Instant, _ actions: inout [PoolAction]) {
        while let call = queue.first, let id = nextInstance(now) {
            queue.removeFirst()
            let wasReady: Bool
            var startedIn: Duration?
            if case .ready(let orderedAt, let since) = roster[id] {
                wasReady = true
                startedIn = since - orderedAt
                recovery.succeed()
            } else {
                wasReady = false
            }
            roster.move(id, to: .assigned(call.id))
            // The earliest counts: calls that come in quick succession don't put it off.
            let delay = roster.ready.isEmpty ? configuration.lastRefillDelay : configuration.refillDelay
            refillAt = min(refillAt ?? now + delay, now + delay)
            let handOver = HandOver(queued: now - call.arrivedAt, wasReady: wasReady, startedIn: startedIn)
            actions.append(.hand(id, to: call.id, handOver))
        }
    }

    /// The copy for the next call: the one that has waited longest, so that none grows old while others serve.
    private func nextInstance(_ now: Instant) -> InstanceID? {
        let stale = staleCount(now)
        if stale < roster.ready.count { return roster.ready[stale] }
        if let old = roster.ready.first { return old }
        return isProven ? roster.warming.first : nil
    }

    /// Ready copies that have waited too long; they are the first of `roster.ready`.
    private func staleCount(_ now: Instant) -> Int {
        roster.ready.prefix { roster.readySince($0) + configuration.longestWait <= now }.count
    }

    /// How many copies that nobody uses yet there should be.
    private func wantedSpare(_ now: Instant) -> Int {
        let places = max(0, configuration.maximum - roster.busy)
        switch phase {
        case .open: return min(places, max(minimum(now) + queue.count, demand.peak - roster.busy))
        case .draining: return min(places, queue.count)
        case .closed: return 0
        }
    }

    private func minimum(_ now: Instant) -> Int {
        if let end = minimumEnd, end <= now { return 0 }
        return configuration.minimum
    }

    /// When the minimum stops being kept, if nobody calls before.
    private var minimumEnd: Instant? {
        guard let span = configuration.keepsMinimumFor, let lastCallAt else { return nil }
        return lastCallAt + span
    }

    /// Whether a copy may be ordered now, as far as failures, starts under way and calls that have just begun go.
    private func mayOrder(_ now: Instant) -> Bool {
        roster.starting < (recovery.failures > 0 ? 1 : configuration.startsAtOnce) && !recovery.isPaused(now: now)
            && (refillAt == nil || !queue.isEmpty)
    }

    mutating func resize(_ now: Instant, _ actions: inout [PoolAction]) {
        let wanted = wantedSpare(now)
        var stale = staleCount(now)
        var fresh = roster.starting + roster.ready.count - stale
        if let at = refillAt, at <= now || fresh >= wanted { refillAt = nil }
        while fresh < wanted, roster.alive < configuration.maximum, mayOrder(now) {
            order(now, &actions)
            fresh += 1
        }
        while fresh > wanted {
            stopSpare(now, &actions)
            fresh -= 1
        }
        // An old copy goes when it is not needed any more, or when there is no place left for it...
        let freshReady = roster.ready.count - stale
        let places = max(0, configuration.maximum - roster.busy - fresh)
        while stale > (freshReady >= wanted ? 0 : places) {
            stop(roster.ready[0], &actions)
            stale -= 1
        }
        // ...or to make place for a young one, one after the other so that some are always there.
        let isFull = roster.alive >= configuration.maximum && roster.starting == 0 && roster.stopping == 0
        if stale > 0, fresh < wanted, isFull, mayOrder(now) { stop(roster.ready[0], &actions) }
    }

    private mutating func order(_ now: Instant, _ actions: inout [PoolAction]) {
        lastInstance += 1
        let id = InstanceID(lastInstance)
        roster.move(id, to: .ordered(at: now))
        actions.append(.start(id))
    }

    /// Gives up one copy too many, the least finished first.
    private mutating func stopSpare(_ now: Instant, _ actions: inout [PoolAction]) {
        if let id = roster.ordered.last {
            roster.move(id, to: .unwanted)
        } else if let id = roster.warming.last ?? roster.ready.dropFirst(staleCount(now)).first {
            stop(id, &actions)
        } else {
            preconditionFailure("there is no spare copy to stop")
        }
    }

    mutating func stop(_ id: InstanceID, _ actions: inout [PoolAction]) {
        roster.move(id, to: .stopping)
        actions.append(.stop(id))
    }

    mutating func refuse(_ call: CallID, _ error: PoolError, _ actions: inout [PoolAction]) {
        totals.refusedCalls += 1
        actions.append(.refuse(call, error))
    }

    mutating func refuseAll(_ error: PoolError, _ actions: inout [PoolAction]) {
        let calls = queue
        queue.removeAll()
        for call in calls { refuse(call.id, error, &actions) }
    }

    mutating func orderTimer(_ now: Instant, _ actions: inout [PoolAction]) {
        var times: [Instant] = []
        if let call = queue.first { times.append(call.arrivedAt + configuration.waitingTimeLimit) }
        if let id = roster.warming.first, case .warming(_, let startedAt) = roster[id] {
            times.append(startedAt + configuration.startTimeLimit)
        }
        let stale = staleCount(now)
        if stale < roster.ready.count {
            times.append(roster.readySince(roster.ready[stale]) + configuration.longestWait)
        }
        if let paused = recovery.pausedUntil, paused > now { times.append(paused) }
        if let refillAt { times.append(refillAt) }
        if phase == .open, let end = minimumEnd, end > now { times.append(end) }
        if phase == .open,
            let fading = demand.nextFading(
                window: configuration.idleTimeout, needed: min(needed, configuration.maximum))
        {
            times.append(fading)
        }
        // A timer that goes off too early costs one look; ordering another one with every call would cost more.
        guard let next = times.min() else { return }
        if let timer, timer <= next { return }
        timer = next
        actions.append(.setTimer(next))
    }
}
