package import HTTPServing
package import Lambda
internal import Linux
package import Metering

/// Runs the pools of all function versions of one loop: it hears what instances and callers do, asks the pure parts
/// (`InstancePool`, `FairQueue`, `MemoryBudget`, `ConcurrencyLimits`) what to do, and does it.
///
/// Confined to its loop: a warm call goes from the caller through here to an instance and back without a lock, a thread
/// or a timer. One plane serves a node: a function call costs a few microseconds here, so that one thread carries more
/// than the processors of a machine can compute. With several loops each would have a plane and a share of the memory,
/// functions would be spread by the hash of their name, and a call that arrives elsewhere would hop once, as
/// `FunctionInvoker` does already.
///
/// Invariants (with their tests in FunctionPlaneTests):
/// 1. The memory of all instances together is never above the budget. (`memory is never overcommitted`)
/// 2. Each call is answered once. (`a burst from nothing is served without an error`)
/// 3. At most `startsAtOnce` instances start at the same time. (same test)
/// 4. What does not end holds up nobody for ever. (`memory of what does not end is not waited for`, `closing does not wait for
///    what does not end`)
package final class FunctionPlane {
    /// How a call ended, and when an instance got it; nil: none did.
    package typealias Completion = (InvocationOutcome, _ handedAt: Instant?) -> Void

    package let loop: ServingLoop
    package let settings: PlaneSettings
    /// Told when the numbers of provisioned instances of a function change.
    package var onProvisioning: ((DeployedFunction, Provisioning) -> Void)?
    /// Told of each span for which provisioned instances were ready, when it has passed.
    package var onCapacity: ((ProvisionedCapacity) -> Void)?
    let launcher: any InstanceLauncher
    let now: () -> Instant
    var pools: [PlanePool.Key: PlanePool] = [:]
    var numbered: [Int: PlanePool] = [:]
    package internal(set) var limits: ConcurrencyLimits
    var budget: MemoryBudget
    var fair: FairQueue
    /// Pools whose promises there is no memory for.
    var blockedPromises: Set<Int> = []
    /// Instances being started.
    var startsUnderWay = 0
    /// A timer is set for those that were told to stop.
    var isWaitingForLeaving = false
    var lastPool = 0
    private var lastCall: UInt64 = 0
    private var spareActions: [InstancePoolAction] = []
    private var closing: [() -> Void]?

    /// Only on `loop`.
    package init(
        on loop: ServingLoop, launcher: any InstanceLauncher, _ settings: PlaneSettings,
        now: @escaping () -> Instant = { Instant(nanoseconds: Clock.monotonicNanoseconds()) }
    ) {
        self.loop = loop
        self.launcher = launcher
        self.settings = settings
        self.now = now
        limits = ConcurrencyLimits(account: settings.concurrency)
        budget = MemoryBudget(totalMB: settings.memoryMB)
        fair = FairQueue(patience: settings.patience)
    }

    /// Runs a call on an instance of its function version, at once or when there is one. `done` is called once.
    package func invoke(_ invocation: Invocation, _ done: @escaping Completion) {
        guard closing == nil else {
            return done(
                .failed(.service("run \(invocation.function.name): the node is being stopped. Call again later.")), nil)
        }
        let pool = pool(of: invocation.function)
        if let failure = limits.enter(pool.place) { return done(.failed(failure), nil) }
        let now = now()
        if let deadline = invocation.deadline, deadline <= now {
            limits.leave(pool.place)
            return done(.failed(refusal(.deadlinePassed, pool)), nil)
        }
        if let id = pool.machine.takeAtOnce(now: now) { return run(invocation, on: id, pool, now, done) }
        guard invocation.function.memoryMB <= budget.totalMB else {
            limits.leave(pool.place)
            return done(.failed(tooLarge(invocation.function)), nil)
        }
        lastCall += 1
        let call = CallID(lastCall)
        pool.waiting[call] = PendingCall(invocation: invocation, done: done)
        handle(.callArrived(call, deadline: invocation.deadline), pool, now)
        serve(now)
    }

    /// Takes no more calls, lets those that run end, and stops all instances; after `grace` also those that serve. What does not
    /// end within `endPatience` after that is left to the keeper.
    package func close(grace: Duration, _ done: @escaping () -> Void) {
        guard closing == nil else {
            closing?.append(done)
            return finishClosing()
        }
        closing = [done]
        let now = now()
        for pool in numbered.values.sorted(by: { $0.number < $1.number }) { handle(.close, pool, now) }
        let bound = LoopBound(self, on: loop)
        loop.schedule(after: grace) {
            let plane = bound.value
            for pool in plane.numbered.values { for instance in pool.instances.values { instance.stop(.spindown) } }
        }
        loop.schedule(after: grace + settings.endPatience) { bound.value.closed() }
        finishClosing()
    }

    private func finishClosing() {
        if numbered.values.allSatisfy({ $0.machine.isEmpty }) { closed() }
    }

    private func closed() {
        guard let waiting = closing else { return }
        closing = []
        for done in waiting { done() }
    }

    // MARK: Pools

    func pool(of function: DeployedFunction) -> PlanePool {
        let key = PlanePool.Key(function)
        if let pool = pools[key] { return pool }
        lastPool += 1
        let pool = PlanePool(
            number: lastPool, function, place: limits.place(of: function.name),
            InstancePoolSettings(function, base: settings.pool))
        pools[key] = pool
        numbered[lastPool] = pool
        return pool
    }

    /// Tells a pool what happened, and does what it says.
    func handle(_ event: InstancePoolEvent, _ pool: PlanePool, _ now: Instant) {
        var actions = spareActions
        spareActions = []
        pool.machine.handle(event, now: now, &actions)
        for action in actions { perform(action, pool, now) }
        actions.removeAll(keepingCapacity: true)
        spareActions = actions
        settleClaim(pool, now)
        tellProvisioning(pool)
        if pool.machine.isEmpty { emptied(pool, now) } else { pool.emptySince = nil }
    }

    private func perform(_ action: InstancePoolAction, _ pool: PlanePool, _ now: Instant) {
        switch action {
        case .launch(let id, let isProvisioned): launch(id, isProvisioned: isProvisioned, pool)
        case .hand(let id, let call):
            guard let pending = pool.waiting.removeValue(forKey: call) else {
                preconditionFailure("\(call) is not there")
            }
            run(pending.invocation, on: id, pool, now, pending.done)
        case .refuse(let call, let reason): answer(call, .failed(refusal(reason, pool)), pool)
        case .fail(let call, let failure):
            guard let pending = pool.waiting[call] else { preconditionFailure("\(call) is not there") }
            answer(call, .answered(InvocationAnswer(failure, pending.invocation)), pool)
        case .stop(let id, let reason):
            guard let instance = pool.instances[id] else { preconditionFailure("\(id) is not there") }
            willLeave(id, pool, now)
            instance.stop(reason)
        case .setTimer(let time): setTimer(time, pool, now)
        }
    }

    private func run(
        _ invocation: Invocation, on id: InstanceID, _ pool: PlanePool, _ now: Instant, _ done: @escaping Completion
    ) {
        guard let instance = pool.instances[id] else { preconditionFailure("\(id) is not there") }
        let place = pool.place
        var isGiven = false
        var isReturned = false
        instance.invoke(invocation) { [self] outcome in
            if !isGiven, case .failed = outcome {
                isReturned = true
                return
            }
            limits.leave(place)
            done(outcome, now)
        }
        isGiven = true
        if isReturned { takeBack(invocation, from: id, pool, now, done) }
    }

    /// The instance was ending already and has not begun with the call: another one gets it.
    private func takeBack(
        _ invocation: Invocation, from id: InstanceID, _ pool: PlanePool, _ now: Instant, _ done: @escaping Completion
    ) {
        lastCall += 1
        let call = CallID(lastCall)
        pool.waiting[call] = PendingCall(invocation: invocation, done: done)
        handle(.callReturned(call, id, deadline: invocation.deadline), pool, now)
        serve(now)
    }

    private func answer(_ call: CallID, _ outcome: InvocationOutcome, _ pool: PlanePool) {
        guard let pending = pool.waiting.removeValue(forKey: call) else { preconditionFailure("\(call) is not there") }
        limits.leave(pool.place)
        pending.done(outcome, nil)
    }

    private func setTimer(_ time: Instant, _ pool: PlanePool, _ now: Instant) {
        pool.timer?.cancel()
        let bound = LoopBound(self, on: loop)
        pool.timer = loop.schedule(after: time - now) { [number = pool.number] in
            let plane = bound.value
            guard let pool = plane.numbered[number] else { return }
            let now = plane.now()
            plane.handle(.timer, pool, now)
            plane.serve(now)
        }
    }

    /// A pool without instances and calls goes: a drained one at once, another when nobody has called for a while.
    private func emptied(_ pool: PlanePool, _ now: Instant) {
        if closing != nil { return finishClosing() }
        guard pool.machine.isForgettable(now: now) else { return }
        if pool.machine.isDraining {
            forget(pool)
            launcher.forget(pool.function)
            return
        }
        guard pool.emptySince == nil else { return }
        pool.emptySince = now
        launcher.expect(pool.function)
        let bound = LoopBound(self, on: loop)
        loop.schedule(after: settings.forgetAfter) { [number = pool.number] in
            let plane = bound.value
            guard let pool = plane.numbered[number], let since = pool.emptySince,
                plane.now() - since >= plane.settings.forgetAfter
            else { return }
            plane.forget(pool)
        }
    }

    private func forget(_ pool: PlanePool) {
        pool.timer?.cancel()
        fair.withdraw(pool.number)
        blockedPromises.remove(pool.number)
        numbered[pool.number] = nil
        pools[PlanePool.Key(pool.function)] = nil
    }
}
