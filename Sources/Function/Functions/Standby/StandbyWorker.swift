/// Does for one pool what `StandbyPool` decides: starts, watches, hands over, stops.
///
/// The actor is the pool's only writer. An event is booked and its actions are set off without a suspension between,
/// so what the pool believes and what was ordered never drift apart; everything that takes time runs in a task of its
/// own which comes back with another event.
///
/// Invariants (with their tests in StandbyWorkerTests):
/// 1. Each call returns once: with an instance or an error. (`calls that race with cancellation return once`)
/// 2. Each instance that a provider started is asked for its end once, and stopped unless it went to a call or ended.
///    (`a cancelled call stops its program`, and the fake provider's own check in every test)
package actor StandbyWorker {
    /// Between two looks at a copy that is starting. Short at first because native programs are at their read in a
    /// millisecond, and not longer than this because a call may be waiting.
    static let firstLook = Duration.milliseconds(1)
    static let longestPauseBetweenLooks = Duration.milliseconds(64)

    private var pool: StandbyPool
    private let provider: any InstanceProvider
    private let clock: any PoolClock
    private var running: [InstanceID: Running] = [:]
    private var callers: [CallID: CheckedContinuation<Result<AssignedInstance, PoolError>, Never>] = [:]
    private var lastCall: UInt64 = 0
    private var timer: Task<Void, Never>?
    private var finishers: [Finisher] = []
    private var providerIsClosed = false

    private struct Running {
        var instance: StartedInstance
        var ending: Task<AssignedInstance.Ending, Never>
    }

    private struct Finisher {
        var isDone: @Sendable (StandbyPool) -> Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    /// A worker for a pool whose program is called `program` in errors. It starts nothing before `open` or a call.
    ///
    /// - Throws: `PoolError` of kind `badDefinition`.
    package init(
        program: String, _ configuration: PoolConfiguration, _ provider: any InstanceProvider,
        clock: any PoolClock = MachineClock()
    ) throws(PoolError) {
        try configuration.validate()
        pool = StandbyPool(program: program, configuration)
        self.provider = provider
        self.clock = clock
    }

    /// Starts the minimum of copies, before anybody calls.
    package func open() { send(.timer) }

    /// Waits for an instance and takes it.
    ///
    /// - Throws: `PoolError`, which says why there is none; of kind `cancelled` when the task was cancelled.
    package func call() async throws(PoolError) -> AssignedInstance {
        lastCall += 1
        let call = CallID(lastCall)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                callers[call] = continuation
                send(.callArrived(call))
            }
        } onCancel: {
            Task { await self.leave(call) }
        }
        // The cancellation may have crossed the hand-over; then the instance has nobody.
        if Task.isCancelled, case .success = result {
            leave(call)
            throw cancelled
        }
        return try result.get()
    }

    /// The pool in numbers.
    package var counts: PoolCounts { pool.counts }
    package var configuration: PoolConfiguration { pool.configuration }
    /// Whether there is no copy and no call.
    package var isEmpty: Bool { pool.isEmpty }

    /// - Throws: `PoolError` of kind `badDefinition`; the former configuration stays then.
    package func configure(_ configuration: PoolConfiguration) throws(PoolError) {
        try configuration.validate()
        if configuration != pool.configuration { send(.configurationChanged(configuration)) }
    }

    /// Takes no more calls, serves those that wait, and returns when the last one is over.
    package func drain() async {
        send(.drain)
        await until { $0.isFinished }
    }

    /// Takes no more calls, refuses those that wait, and returns when all copies but those in use are gone.
    package func close() async {
        send(.close)
        await until { $0.hasOnlyBusy }
    }

    /// The caller wants no answer any more.
    func leave(_ call: CallID) {
        send(.callerLeft(call))
        callers.removeValue(forKey: call)?.resume(returning: .failure(cancelled))
    }

    private var cancelled: PoolError { PoolError(.cancelled, "call \(pool.program): the caller went away") }
}

// Events in, actions out.
extension StandbyWorker {
    private func send(_ event: PoolEvent) {
        for action in pool.handle(event, now: clock.now) { perform(action) }
        settle()
    }

    private func perform(_ action: PoolAction) {
        switch action {
        case .start(let id): Task { await self.start(id) }
        case .hand(let id, let call, let handOver): hand(id, to: call, handOver)
        case .refuse(let call, let error): callers.removeValue(forKey: call)?.resume(returning: .failure(error))
        case .stop(let id):
            guard let instance = running[id]?.instance else { preconditionFailure("\(id) does not run") }
            Task { await self.provider.stop(instance) }
        case .setTimer(let time): setTimer(time)
        }
    }

    private func start(_ id: InstanceID) async {
        let instance: StartedInstance
        do { instance = try await provider.start() } catch {
            return send(.instanceFailedToStart(id, reason: error.sentence))
        }
        let ending = Task { [provider, clock] in
            let ending = AssignedInstance.Ending(end: await provider.end(of: instance), at: clock.now)
            // Booked behind the caller's back: it has its answer before the pool has drawn its conclusions.
            Task { self.ended(id, ending.end) }
            return ending
        }
        running[id] = Running(instance: instance, ending: ending)
        send(.instanceStarted(id))
        await watch(id, instance)
    }

    /// Looks at a copy until it is seen waiting, or until that does not matter any more.
    private func watch(_ id: InstanceID, _ instance: StartedInstance) async {
        var pause = Self.firstLook
        while pool.isWarming(id) {
            do { try await clock.sleep(until: clock.now + pause) } catch { return }
            guard pool.isWarming(id) else { return }
            do {
                if try await provider.isWaitingForInput(instance) { return send(.instanceReady(id)) }
            } catch {
                return send(.readinessUnknown(id, reason: error.sentence))
            }
            pause = min(pause * 2, Self.longestPauseBetweenLooks)
        }
    }

    private func ended(_ id: InstanceID, _ end: InstanceEnd) {
        running[id] = nil
        send(.instanceEnded(id, how: end.how))
    }

    private func hand(_ id: InstanceID, to call: CallID, _ handOver: HandOver) {
        guard let copy = running[id], let caller = callers.removeValue(forKey: call) else {
            preconditionFailure("\(id) was handed to \(call), and one of them is not there")
        }
        let assigned = AssignedInstance(
            call: call, name: copy.instance.name, pid: copy.instance.pid, streams: copy.instance.streams,
            handOver: handOver, handedAt: clock.now, ending: copy.ending, worker: self)
        // From now on the streams belong to the caller, who closes them by letting go.
        caller.resume(returning: .success(assigned))
    }

    private func setTimer(_ time: Instant) {
        timer?.cancel()
        timer = Task { [clock] in
            do { try await clock.sleep(until: time) } catch { return }
            if !Task.isCancelled { self.send(.timer) }
        }
    }

    private func until(_ isDone: @escaping @Sendable (StandbyPool) -> Bool) async {
        if isDone(pool) { return }
        await withCheckedContinuation { finishers.append(Finisher(isDone: isDone, continuation: $0)) }
    }

    /// Tells those who wait for the end of the pool.
    private func settle() {
        if pool.isFinished, !providerIsClosed {
            providerIsClosed = true
            timer?.cancel()
            Task { await self.provider.close() }
        }
        guard !finishers.isEmpty else { return }
        let done = finishers.filter { $0.isDone(pool) }
        finishers.removeAll { $0.isDone(pool) }
        for finisher in done { finisher.continuation.resume() }
    }
}
