internal import HTTPServing
internal import Lambda
internal import Linux
internal import Metering
internal import Store

/// Takes calls through the stages that `FunctionInvoker` describes. Confined to the loop of its plane.
///
/// Invariants (with their tests in FunctionInvokerTests):
/// 1. A call is answered once. (all of them)
/// 2. Calls of one function with one key are run at most once at a time, and not again after an answer.
///    (`a repeated key replays the first answer`, `a call with the key of one under way gets its answer`)
/// 3. Calls with one order key run one at a time, in the order of their arrival. (`calls of one order key never overlap`)
/// 4. What waits takes memory only while it waits. (`nothing is left of calls that have ended`)
/// 5. Each call leaves one record in the ledger, before its answer unless that is large. (`every call is in the ledger once`,
///    `who is answered finds the call in the ledger`)
final class CallWorker {
    let plane: FunctionPlane
    let ledger: any CallLedger
    let book: any KeyedAnswers
    let settings: InvokerSettings
    private var finder = CallKeys()
    private var lanes: OrderLanes
    /// Calls that wait for their turn.
    private var waitingForTurn: [CallID: InvokedCall] = [:]
    /// Keys whose first call is under way.
    var keysUnderWay: [FunctionKey: KeyUnderWay] = [:]
    /// Of these, those with an end that could not be recorded.
    var unrecordedEnds = 0
    private var lastCall: UInt64 = 0
    /// What the book of keys or another thread does for calls.
    private var pending = 0
    private var pendingEnd: [() -> Void] = []

    var loop: ServingLoop { plane.loop }

    init(_ plane: FunctionPlane, _ ledger: any CallLedger, _ book: any KeyedAnswers, _ settings: InvokerSettings) {
        self.plane = plane
        self.ledger = ledger
        self.book = book
        self.settings = settings
        lanes = OrderLanes(limit: settings.waitingLimit)
    }

    /// Whether calls or keys or turns are remembered.
    var isIdle: Bool { waitingForTurn.isEmpty && keysUnderWay.isEmpty && lanes.count == 0 }

    func beginPending() { pending += 1 }

    func endPending() {
        pending -= 1
        guard pending == 0, !pendingEnd.isEmpty else { return }
        let waiting = pendingEnd
        pendingEnd = []
        for done in waiting { done() }
    }

    /// Calls back when nothing is on its way to the ledger or the book any more.
    func whenSettled(_ done: @escaping () -> Void) {
        if pending == 0 { done() } else { pendingEnd.append(done) }
    }

    func invoke(_ call: FunctionCall, _ done: @escaping @Sendable (InvocationOutcome) -> Void) {
        lastCall += 1
        let now = plane.now()
        let time = Clock.now()
        let age = max(time.nanoseconds - call.arrivedAt.nanoseconds, 0)
        let invoked = InvokedCall(
            CallID(lastCall), call, arrivedAt: Instant(nanoseconds: now.nanoseconds - age), done)
        do throws(LambdaFailure) { try read(invoked, now, time) } catch { return refuse(invoked, error) }
        if let failure = ledger.refusal {
            return refuse(invoked, .service("run \(invoked.name): its call could not be recorded: \(failure.sentence)"))
        }
        if let deadline = invoked.deadline, deadline <= now { return refuse(invoked, .deadlinePassed(invoked.name)) }
        if invoked.key != nil { return takeKey(invoked) }
        takeTurn(invoked)
    }

    private func read(_ invoked: InvokedCall, _ now: Instant, _ time: Timestamp) throws(LambdaFailure) {
        let settings = invoked.call.function.settings
        if settings.deadlineHeader != nil {
            invoked.deadline = try CallerDeadline.find(in: invoked.call, now: now, time)
        }
        if let source = settings.key { invoked.key = try finder.find(source, "key", in: invoked.call) }
        if let order = invoked.call.orderKey {
            invoked.order = FunctionKey(invoked.name, order)
        } else if let source = settings.order, let order = try finder.find(source, "order", in: invoked.call) {
            invoked.order = FunctionKey(invoked.name, order)
        }
    }

    // MARK: Order

    /// Waits for the call's turn, and runs it.
    func takeTurn(_ invoked: InvokedCall) {
        guard let order = invoked.order else { return run(invoked) }
        switch lanes.enter(invoked.id, order) {
        case .now:
            invoked.hasTurn = true
            run(invoked)
        case .later:
            waitingForTurn[invoked.id] = invoked
            wait(invoked, atMost: settings.turnTimeLimit) { [self] in
                waitingForTurn[invoked.id] = nil
                lanes.withdraw(invoked.id, order)
            }
        case .full:
            refuse(
                invoked,
                .tooManyRequests(
                    "Rate Exceeded: \(settings.waitingLimit) calls of \(invoked.name) wait for their turn in the order of "
                        + "\"\(order.key.text.prefix(64))\" already. Call again later.",
                    reason: "ConcurrentInvocationLimitExceeded"))
        }
    }

    private func endTurn(_ invoked: InvokedCall) {
        guard invoked.hasTurn, let order = invoked.order else { return }
        invoked.hasTurn = false
        guard let next = lanes.leave(invoked.id, order) else { return }
        guard let call = waitingForTurn.removeValue(forKey: next) else { preconditionFailure("\(next) does not wait") }
        stopWaiting(call)
        call.hasTurn = true
        run(call)
    }

    /// Begins to wait, at most for a while and to the deadline; `giveUp` is called before it is refused then.
    func wait(_ invoked: InvokedCall, atMost limit: Duration?, _ giveUp: @escaping () -> Void) {
        invoked.isWaiting = true
        let now = plane.now()
        let toDeadline = invoked.deadline.map { $0 - now }
        guard let span = [toDeadline, limit].compactMap({ $0 }).min() else { return }
        let failure: LambdaFailure =
            span == toDeadline
            ? .deadlinePassed(invoked.name)
            : .tooManyRequests(
                "Rate Exceeded: the turn of this call of \(invoked.name) did not come within \(span.components.seconds) s.",
                reason: "ConcurrentInvocationLimitExceeded")
        let bound = LoopBound((worker: self, call: invoked, giveUp: giveUp), on: loop)
        invoked.timer = loop.schedule(after: span) {
            let (worker, call, giveUp) = bound.value
            guard call.isWaiting else { return }
            giveUp()
            worker.refuse(call, failure)
        }
    }

    func stopWaiting(_ invoked: InvokedCall) {
        invoked.isWaiting = false
        invoked.timer?.cancel()
        invoked.timer = nil
    }

    // MARK: Running

    private func run(_ invoked: InvokedCall) {
        let call = invoked.call
        var invocation = Invocation(
            requestID: call.requestID, function: call.function, invokedARN: call.invokedARN, payload: call.payload,
            trace: call.trace, arrivedAt: invoked.arrivedAt, arrivedAtTime: call.arrivedAt)
        invocation.source = call.source
        invocation.clientContext = call.clientContext
        invocation.deadline = invoked.deadline
        if let stream = call.stream {
            let tap = StreamTap(stream, keeps: invoked.key != nil || call.function.settings.recordsPayloads)
            invoked.tap = tap
            invocation.stream = tap.outlet(on: loop)
        }
        plane.invoke(invocation) { [self] outcome, handedAt in
            switch outcome {
            case .failed(let failure): refuse(invoked, failure)
            case .answered(let answer): finish(invoked, answer, handedAt: handedAt)
            }
        }
    }

    /// The call has been answered by its function.
    private func finish(_ invoked: InvokedCall, _ answer: InvocationAnswer, handedAt: Instant?) {
        var answer = answer
        invoked.count(in: &answer, handedAt: handedAt)
        if invoked.holdsKey {
            withDigests(invoked, answer) { [self] in keep(invoked, $0) }
        } else if invoked.call.recordsItself {
            withDigests(invoked, answer) { invoked.done(.answered($0)) }
        } else {
            answer.isRecorded = true
            // First: whoever has the answer may ask the ledger for its call. (A large one is told a moment later.)
            withDigests(invoked, answer) { [self] in ledger.append($0.call) }
            invoked.done(.answered(answer))
        }
        endTurn(invoked)
    }

    /// The call was not run, or the system failed.
    func refuse(_ invoked: InvokedCall, _ failure: LambdaFailure) {
        stopWaiting(invoked)
        let record = invoked.record(.refused(failure.name))
        if invoked.holdsKey {
            giveUpKey(invoked, record, failure)
        } else {
            ledger.append(record)
            invoked.done(.failed(failure))
        }
        endTurn(invoked)
    }
}
