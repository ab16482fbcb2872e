package import Functions
package import Lambda
internal import Linux
package import Store
internal import Synchronization

/// Takes asynchronous events, keeps them until they have ended, and runs them.
///
/// Invariants
/// 1. An event is on the disk before its caller hears that it is accepted; one that could not be written is not accepted.
///    (tests: `an event is in the database before its caller hears of it`, `a full disk accepts nothing`)
/// 2. An accepted event leaves the database in the transaction that puts what its end brings into the outbox, and in no
///    other way: it is run at least once, whatever happens to the node. (test: `ten thousand events survive kill -9`)
/// 3. Nothing is run while its outcome cannot be written: an event whose end is not on the disk stays taken.
///    (test: `an outcome that cannot be written is written later and not run again`)
package final class AsyncEvents: Sendable {
    /// Of one event's payload, bytes.
    package static let payloadLimit = 1 << 20

    package struct Counters: Hashable, Sendable {
        package var accepted = 0
        package var succeeded = 0
        /// Attempts after which an event was tried again because the function had failed.
        package var retried = 0
        /// Attempts after which an event was tried again because it could not be run.
        package var postponed = 0
        package var failed = 0
        package var tooOld = 0
        /// In the database now, those that run included.
        package var waiting = 0
        package var running = 0
    }

    private struct State {
        var queue: AsyncQueue
        var counters = Counters()
        /// Nothing is dispatched before the events of the last run are known, so that none overtakes them.
        var isStarted = false
        var isStopped = false
    }

    private let store: StateDatabase
    private let invoker: any Invoker
    private let functions: any FunctionLookup
    private let clock: any EventClock
    private let rule: RetryRule
    private let outbox: Outbox
    private let findOrderKey: @Sendable (FunctionCall) -> String?
    private let state: Mutex<State>

    /// - Parameter orderKey: what a function's settings find in a call, `forkless:order`.
    package init(
        store: StateDatabase, invoker: any Invoker, functions: any FunctionLookup, outbox: Outbox,
        clock: any EventClock = DayClock(), rule: RetryRule = RetryRule(), queue: AsyncQueue = AsyncQueue(),
        orderKey: @escaping @Sendable (FunctionCall) -> String?
    ) {
        self.store = store
        self.invoker = invoker
        self.functions = functions
        self.clock = clock
        self.rule = rule
        self.outbox = outbox
        findOrderKey = orderKey
        state = Mutex(State(queue: queue))
    }

    /// Takes up the events that the last run of the node has left, and begins to run.
    package func start() async throws(StoreFailure) {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Void, StoreFailure>, Never>) in
            // By the writer, which tells of each acceptance in its turn: an event is either in the answer or told of later.
            store.enqueue { transaction throws(StoreFailure) in
                try AsyncEventTable.entries(transaction)
            } then: { [self] result in
                if case .success(let entries) = result {
                    state.withLock { $0.isStarted = true }
                    handle(.accepted(entries))
                }
                continuation.resume(returning: result.map { _ in () })
            }
        }
        try result.get()
        outbox.begin(self)
    }

    /// Dispatches nothing more. What runs may end and is recorded.
    package func stop() { state.withLock { $0.isStopped = true } }

    package var counters: Counters {
        state.withLock { state in
            var counters = state.counters
            counters.waiting = state.queue.count
            counters.running = state.queue.running
            return counters
        }
    }

    /// Accepts a call: `done` is told success when the event is on the disk.
    ///
    /// May be called on any thread and never waits. `done` is called on the database's thread, or at once when the event
    /// is refused: it has to be short.
    package func accept(_ call: FunctionCall, _ done: @escaping @Sendable (Result<Void, LambdaFailure>) -> Void) {
        guard call.payload.count <= Self.payloadLimit else {
            return done(.failure(Self.tooLarge(call.payload.count)))
        }
        let event = event(of: call)
        store.enqueue { transaction throws(StoreFailure) in
            try AsyncEventTable.insert(event, transaction)
        } then: { [self] result in
            switch result {
            case .success(let accepted):
                done(.success(()))
                took([accepted])
            case .failure(let failure):
                done(.failure(Self.refusal(failure, call.invokedARN)))
            }
        }
    }

    package func accept(_ call: FunctionCall) async throws(LambdaFailure) {
        let result = await withCheckedContinuation { continuation in
            accept(call) { continuation.resume(returning: $0) }
        }
        try result.get()
    }

    /// The event of a call, with the order that the function's settings demand.
    func event(of call: FunctionCall) -> AsyncEvent {
        var event = AsyncEvent(call)
        if event.orderKey == nil { event.orderKey = findOrderKey(call) }
        return event
    }

    /// Writes an event as part of somebody's transaction, who then says `took`.
    ///
    /// The order is found now when the function can be resolved.
    func insert(_ event: AsyncEvent, _ transaction: any StoreTransaction) throws(StoreFailure) -> AsyncEvent {
        var event = event
        if event.orderKey == nil, let function = try? functions.function(at: event.target) {
            event.orderKey = findOrderKey(event.call(function))
        }
        return try AsyncEventTable.insert(event, transaction)
    }

    /// Events that are on the disk are to be run. Called in the order of their transactions.
    func took(_ events: [AsyncEvent]) {
        guard !events.isEmpty else { return }
        let entries = events.map(\.entry)
        // Before the start the database alone knows of them, and tells it then.
        let goesOn = state.withLock { state in
            state.counters.accepted += events.count
            return state.isStarted
        }
        if goesOn { handle(.accepted(entries)) }
    }

    private static func refusal(_ failure: StoreFailure, _ arn: String) -> LambdaFailure {
        let sentence = "accept an event for \(arn): \(failure.sentence)"
        // More events came than the disk could take in time: the caller may try again at once.
        return failure.kind == .refused
            ? .tooManyRequests(sentence, reason: "CallerRateLimitExceeded") : .service(sentence)
    }

    private static func tooLarge(_ count: Int) -> LambdaFailure {
        LambdaFailure(
            "RequestTooLargeException", status: 413,
            "\(count) byte payload is too large for the Event invocation type (limit \(payloadLimit) bytes)")
    }

    private func handle(_ event: AsyncQueue.Event) {
        let now = clock.now
        let actions = state.withLock { state in state.isStopped ? [] : state.queue.handle(event, now: now) }
        for action in actions {
            switch action {
            case .dispatch(let sequence): dispatch(sequence)
            case .wake(let time): clock.at(time) { [weak self] in self?.handle(.wake) }
            }
        }
    }

    private func dispatch(_ sequence: Int) {
        store.read { transaction throws(StoreFailure) in
            try AsyncEventTable.event(sequence, transaction)
        } then: { [self] result in
            switch result {
            case .success(let event?): run(event)
            case .success(nil): preconditionFailure("event \(sequence) has left the database without having ended")
            // The database cannot be read at this moment: the event waits where it is.
            case .failure: handle(.again(sequence, at: clock.now + rule.backOff(1)))
            }
        }
    }

    private func run(_ event: AsyncEvent) {
        let settings = event.overrides.applied(to: functions.invokeSettings(at: event.target))
        if rule.isTooLate(event.acceptedAt, clock.now, settings) {
            return settle(event, .failed(.eventAgeExceeded), nil, nil, settings)
        }
        do throws(LambdaFailure) {
            let function = try functions.function(at: event.target)
            invoker.invoke(event.call(function)) { [self] outcome in ended(event, outcome, function, settings) }
        } catch {
            ended(event, .failed(error), nil, settings)
        }
    }

    private func ended(
        _ event: AsyncEvent, _ outcome: InvocationOutcome, _ function: DeployedFunction?,
        _ settings: EventInvokeSettings
    ) {
        var event = event
        switch outcome {
        case .answered(let answer):
            event.invokes += 1
            event.refusals = 0
            if answer.functionError != nil { event.functionErrors += 1 }
        case .failed: event.refusals += 1
        }
        let verdict = rule.verdict(
            outcome, functionErrors: event.functionErrors, refusals: event.refusals, acceptedAt: event.acceptedAt,
            now: clock.now, settings: settings)
        settle(event, verdict, outcome, function, settings)
    }

    /// Writes what has become of an event, and goes on when that is on the disk.
    private func settle(
        _ event: AsyncEvent, _ verdict: RetryRule.Verdict, _ outcome: InvocationOutcome?, _ function: DeployedFunction?,
        _ settings: EventInvokeSettings
    ) {
        let now = clock.now
        let ending = EventEnding(event, verdict, outcome, function, settings, now)
        var event = event
        switch verdict {
        case .retry(let wait), .postpone(let wait, _): event.dueAt = now + wait
        case .succeeded, .failed: event.dueAt = nil
        }
        write(event, verdict, ending)
    }

    private func write(_ event: AsyncEvent, _ verdict: RetryRule.Verdict, _ ending: EventEnding) {
        store.enqueue { transaction throws(StoreFailure) in
            if event.dueAt != nil { return try AsyncEventTable.update(event, transaction) }
            try AsyncEventTable.remove(event.sequence, transaction)
            for letter in ending.letters { try Outbox.insert(letter, transaction) }
        } then: { [self] result in
            guard case .success = result else {
                // The answer is kept in memory until the disk takes it: running again would be a second effect.
                return clock.at(clock.now + RetryRule.shortestBackOff) { [self] in write(event, verdict, ending) }
            }
            if event.dueAt == nil, !ending.letters.isEmpty { outbox.wake() }
            count(verdict)
            switch verdict {
            case .succeeded, .failed: handle(.finished(event.sequence))
            case .postpone(_, isThrottle: true): handle(.throttled(event.sequence, until: event.dueAt!))
            case .retry, .postpone: handle(.again(event.sequence, at: event.dueAt!))
            }
        }
    }

    private func count(_ verdict: RetryRule.Verdict) {
        state.withLock { state in
            switch verdict {
            case .succeeded: state.counters.succeeded += 1
            case .retry: state.counters.retried += 1
            case .postpone: state.counters.postponed += 1
            case .failed(.retriesExhausted): state.counters.failed += 1
            case .failed(.eventAgeExceeded): state.counters.tooOld += 1
            }
        }
    }
}
