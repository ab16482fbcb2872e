/// What happened is booked.
extension StandbyPool {
    mutating func book(_ event: PoolEvent, _ now: Instant, _ actions: inout [PoolAction]) {
        switch event {
        case .callArrived(let call): admit(call, now, &actions)
        case .callerLeft(let call): release(call, &actions)
        case .instanceStarted(let id): started(id, now, &actions)
        case .instanceFailedToStart(let id, let reason):
            failed(id, "could not be started: \(reason)", now, &actions)
        case .instanceReady(let id): becameReady(id, now)
        case .instanceEnded(let id, let how):
            failed(id, "\(how) before reading its input", now, &actions)
        case .readinessUnknown(let id, let reason):
            guard case .warming = roster[id] else { break }
            stopFailed(id, "cannot be watched: \(reason)", now, &actions)
        case .timer: timer = nil
        case .configurationChanged(let new): configuration = new
        case .drain: if phase == .open { phase = .draining }
        case .close:
            phase = .closed
            refuseAll(PoolError(.closed, "call \(program): its pool was closed while the call waited"), &actions)
        }
    }

    private mutating func admit(_ call: CallID, _ now: Instant, _ actions: inout [PoolAction]) {
        totals.calls += 1
        lastCallAt = now
        let isServedAtOnce = !roster.ready.isEmpty || (isProven && !roster.warming.isEmpty)
        if roster.ready.isEmpty { totals.coldCalls += 1 }
        if phase != .open {
            refuse(call, PoolError(.closed, "call \(program): its pool takes no more calls"), &actions)
        } else if isGivenUp, recovery.isPaused(now: now), roster.starting + roster.ready.count == 0 {
            refuse(call, cannotStandBy, &actions)
        } else if queue.count >= configuration.waitingCallsLimit, !isServedAtOnce {
            let limit = configuration.waitingCallsLimit
            let sentence =
                "call \(program): \(limit) calls wait for an instance already, and no more may wait. "
                + "Call again later, or raise the pool's maximum of \(configuration.maximum)."
            refuse(call, PoolError(.tooManyWaiting, sentence), &actions)
        } else {
            queue.append(WaitingCall(id: call, arrivedAt: now))
            // A copy that is being started replaces one that was taken a moment ago: as many calls came in
            // the time of one start as there are such copies, and as many should be ready the next time.
            demand.sample(min(needed + roster.starting, configuration.maximum), now: now)
        }
    }

    private mutating func release(_ call: CallID, _ actions: inout [PoolAction]) {
        if let index = queue.firstIndex(where: { $0.id == call }) {
            queue.remove(at: index)
        } else if let id = roster.instance(of: call) {
            stop(id, &actions)
        }
        // Else it was answered and is over: the caller's leaving crossed the answer.
    }

    private mutating func started(_ id: InstanceID, _ now: Instant, _ actions: inout [PoolAction]) {
        switch roster[id] {
        case .ordered(let orderedAt): roster.move(id, to: .warming(orderedAt: orderedAt, startedAt: now))
        case .unwanted: stop(id, &actions)
        default: preconditionFailure("\(id) was started without an order")
        }
    }

    private mutating func becameReady(_ id: InstanceID, _ now: Instant) {
        // It may have been given away or told to stop between the look at it and this event.
        guard case .warming(let orderedAt, _) = roster[id] else { return }
        roster.move(id, to: .ready(orderedAt: orderedAt, since: now))
        hasSeenReady = true
        totals.lastStart = now - orderedAt
    }

    /// An instance is gone. Whether that is a failure depends on what it was.
    private mutating func failed(_ id: InstanceID, _ what: String, _ now: Instant, _ actions: inout [PoolAction]) {
        guard let state = roster[id] else { preconditionFailure("\(id) ended twice, or never was") }
        roster.move(id, to: nil)
        switch state {
        case .assigned: refillAt = nil
        case .stopping, .unwanted: break
        case .ordered(let orderedAt), .warming(let orderedAt, _):
            fail(what, orderedAt: orderedAt, waitedFor: nil, now, &actions)
        case .ready(let orderedAt, let since):
            fail(what, orderedAt: orderedAt, waitedFor: now - since, now, &actions)
        }
    }

    /// A copy runs but is of no use.
    mutating func stopFailed(_ id: InstanceID, _ what: String, _ now: Instant, _ actions: inout [PoolAction]) {
        guard case .warming(let orderedAt, _) = roster[id] else { preconditionFailure("\(id) is not starting") }
        stop(id, &actions)
        fail(what, orderedAt: orderedAt, waitedFor: nil, now, &actions)
    }

    private mutating func fail(
        _ what: String, orderedAt: Instant, waitedFor: Duration?, _ now: Instant, _ actions: inout [PoolAction]
    ) {
        totals.failedInstances += 1
        totals.lastFailure = "\(program) \(what)"
        recovery.fail(what, orderedAt: orderedAt, waitedFor: waitedFor, now: now, configuration)
        // Copies that are still on their way may do better than the last: then who waits may wait for them.
        if isGivenUp, roster.starting + roster.ready.count == 0 { refuseAll(cannotStandBy, &actions) }
    }

    private var isGivenUp: Bool { recovery.failures >= configuration.failuresLimit }

    private var cannotStandBy: PoolError {
        PoolError(
            .cannotStandBy,
            "call \(program): it \(recovery.reason), \(recovery.failures) times in a row: it cannot be kept on standby. "
                + "Use --rung container.")
    }
}
