internal import Functions
internal import JSON
internal import Lambda
internal import Linux
internal import Synchronization

/// Takes messages of one mapping's queue to its function.
///
/// A poller holds up to `MaximumConcurrency` batches. It keeps what it holds invisible while the call runs, however long that
/// waits and takes: a message is not given to a second call because the first is slow.
///
/// Invariants
/// 1. A message of a FIFO queue is run with its group as the order key, and a batch is of one group.
///    (test: `each group of a FIFO queue runs in order and groups run beside each other`)
/// 2. Of a function with a key each message is a call of its own, named by the message's id, so that the key covers exactly it.
///    (test: `a function with a key gets messages one by one`)
/// 3. What a filter does not want is deleted without a call. (test: `a message that no filter wants is deleted`)
final class QueuePoller: MappingRunner, Sendable {
    /// Batches at once where the mapping says nothing: what Lambda begins with.
    static let defaultConcurrency = 5
    static let waitSeconds = 20
    /// Before looking again at a queue that is not there or a database that does not answer.
    static let problemPause = Duration.seconds(5)

    private struct State {
        var batches = 0
        var isPolling = false
        var receiver: Int?
        var isStopped = false
        var refusals = 0
        var pausedUntil: Timestamp?
    }

    private let mapping: EventSourceMapping
    private let queue: String
    private let filters: [FilterPattern]
    private let ground: MappingGround
    private let rule: RetryRule
    private let concurrency: Int
    private let state = Mutex(State())

    init(_ mapping: EventSourceMapping, _ ground: MappingGround, rule: RetryRule) throws(FilterError) {
        guard case .queue(let queue) = mapping.source else {
            preconditionFailure("the mapping \(mapping.id) is no queue")
        }
        var filters: [FilterPattern] = []
        for filter in mapping.filters { filters.append(try FilterPattern(filter)) }
        self.filters = filters
        self.mapping = mapping
        self.queue = queue
        self.ground = ground
        self.rule = rule
        concurrency = mapping.maximumConcurrency ?? Self.defaultConcurrency
    }

    func start() { poll() }

    func stop() {
        let receiver = state.withLock { state in
            state.isStopped = true
            return state.receiver
        }
        if let receiver { ground.queues.cancel(receiver) }
    }

    // MARK: Receiving

    /// Asks for the next batch, unless that is asked already or there are enough.
    private func poll() {
        let now = ground.clock.now
        let mayPoll = state.withLock { state in
            guard !state.isStopped, !state.isPolling, state.batches < concurrency else { return false }
            if let until = state.pausedUntil, until > now { return false }
            state.isPolling = true
            return true
        }
        guard mayPoll else { return }
        gather([], limit: batchLimit, until: nil)
    }

    /// One message a call where a key covers a message.
    private var batchLimit: Int {
        let hasKey = (try? ground.functions.function(at: mapping.functionARN))?.settings.key != nil
        return hasKey ? 1 : mapping.batchSize
    }

    /// Receives until the batch is full or its window is over.
    private func gather(_ gathered: [ReceivedMessage], limit: Int, until deadline: Timestamp?) {
        var wish = Receiving(queue)
        wish.maximum = min(limit - gathered.count, QueueLimits.batch)
        wish.oneGroup = mapping.source.isOrdered
        let now = ground.clock.now
        let left = deadline.map { Int((($0 - now) / .seconds(1)).rounded(.up)) } ?? Self.waitSeconds
        wish.waitSeconds = max(0, min(left, Self.waitSeconds))
        let receiver = ground.queues.receive(wish) { [self] result in received(result, gathered, limit, deadline) }
        let isStopped = state.withLock { state in
            state.receiver = receiver
            return state.isStopped
        }
        if isStopped { ground.queues.cancel(receiver) }
    }

    private func received(
        _ result: Result<[ReceivedMessage], QueueFailure>, _ gathered: [ReceivedMessage], _ limit: Int,
        _ deadline: Timestamp?
    ) {
        guard case .success(let new) = result else {
            if case .failure(let failure) = result { ground.report(mapping, "PROBLEM: \(failure.message)") }
            return pause(until: ground.clock.now + Self.problemPause, gathered)
        }
        let wanted = dropUnwanted(new)
        let all = gathered + wanted
        let now = ground.clock.now
        if mapping.windowSeconds > 0, !all.isEmpty, all.count < limit {
            let end = deadline ?? now + .seconds(mapping.windowSeconds)
            if end > now, !state.withLock({ $0.isStopped }) { return gather(all, limit: limit, until: end) }
        }
        let isStopped = state.withLock { state in
            state.isPolling = false
            state.receiver = nil
            if !all.isEmpty, !state.isStopped { state.batches += 1 }
            return state.isStopped
        }
        guard !isStopped else {
            // Its receiver may have been answered, or followed by another, before it could be cancelled.
            return release(all, at: now)
        }
        if !all.isEmpty { run(all) }
        poll()
    }

    private func pause(until time: Timestamp, _ gathered: [ReceivedMessage] = []) {
        state.withLock { state in
            state.isPolling = false
            state.pausedUntil = time
        }
        release(gathered, at: time)
        ground.clock.at(time) { [weak self] in self?.poll() }
    }

    /// Gives back what was not tried.
    private func release(_ messages: [ReceivedMessage], at time: Timestamp) {
        guard !messages.isEmpty else { return }
        ground.queues.settle(BatchSettlement(release: messages.map { ($0.receipt, time) }), of: queue) { _ in }
    }

    private func dropUnwanted(_ messages: [ReceivedMessage]) -> [ReceivedMessage] {
        guard !filters.isEmpty else { return messages }
        var wanted: [ReceivedMessage] = []
        var unwanted: [String] = []
        for message in messages {
            let event = QueueEvent.filtered(QueueEvent.record(message, mapping, ground.account))
            if filters.contains(where: { $0.matches(event) }) {
                wanted.append(message)
            } else {
                unwanted.append(message.receipt)
            }
        }
        if !unwanted.isEmpty { ground.queues.delete(unwanted, from: queue) { _ in } }
        return wanted
    }

    // MARK: Running

    private func run(_ messages: [ReceivedMessage]) {
        let hold = BatchHold(messages, queue, ground)
        hold.begin()
        do throws(LambdaFailure) {
            let function = try ground.functions.function(at: mapping.functionARN)
            ground.invoker.invoke(call(messages, function)) { [self] outcome in ended(messages, outcome, hold) }
        } catch {
            // A function that is gone may come back: its messages wait in their queue.
            ended(messages, .failed(error), hold)
        }
    }

    private func call(_ messages: [ReceivedMessage], _ function: DeployedFunction) -> FunctionCall {
        let now = ground.clock.now
        var call = FunctionCall(
            requestID: Identifiers.random(), function: function, invokedARN: mapping.functionARN,
            payload: QueueEvent.bytes(messages.map { QueueEvent.record($0, mapping, ground.account) }), source: "sqs",
            trace: EventTrace.hop(after: messages.first?.trace, at: now), arrivedAt: now)
        call.messageID = messages.count == 1 ? messages[0].id : nil
        call.orderKey = mapping.source.isOrdered ? messages.first?.group : nil
        call.attempt = messages.map(\.receiveCount).max() ?? 1
        return call
    }

    private func ended(_ messages: [ReceivedMessage], _ outcome: InvocationOutcome, _ hold: BatchHold) {
        let now = ground.clock.now
        let refusals = state.withLock { state in
            if case .failed = outcome { state.refusals += 1 } else { state.refusals = 0 }
            return state.refusals
        }
        let verdict = BatchVerdict(
            outcome, messages, reportsItems: mapping.reportsItemFailures, isOrdered: mapping.source.isOrdered,
            showAt: max(hold.firstVisibleAt, now), refusals: refusals, rule: rule, now: now)
        hold.end()
        settle(verdict)
    }

    private func settle(_ verdict: BatchVerdict) {
        ground.queues.settle(verdict.settlement, of: queue) { [self] result in
            if case .failure(let failure) = result, failure.status >= 500 {
                // The function has done its work: the disk must hear of it before the messages are visible again.
                return ground.clock.at(ground.clock.now + .seconds(1)) { [self] in settle(verdict) }
            }
            ground.report(mapping, verdict.summary)
            state.withLock { state in
                state.batches -= 1
                state.pausedUntil = verdict.pauseUntil
            }
            if let time = verdict.pauseUntil { ground.clock.at(time) { [weak self] in self?.poll() } }
            poll()
        }
    }
}
