internal import Linux
package import Store
internal import Synchronization

/// The queues of this node: messages in SQLite, receivers that wait in memory.
///
/// Everything that is answered with success is on the disk. What is decided about messages is decided in transactions
/// (`QueueSending`, `QueueReceiving`, `QueueReceipts`); here they are run, and receivers are woken.
package final class DurableQueues: Sendable {
    package typealias Answer<Value> = @Sendable (Result<Value, QueueFailure>) -> Void

    private struct Receiver {
        var wish: Receiving
        var deadline: Timestamp
        var answer: Answer<[ReceivedMessage]>
        /// Cancelled while it was looking: what it finds is given back.
        var isGone = false
    }

    private struct State {
        var lines: [String: ReceiverLine] = [:]
        var receivers: [Int: Receiver] = [:]
        var nextReceiver = 1
    }

    package let place: QueuePlace
    let store: StateDatabase
    let clock: any EventClock
    private let state = Mutex(State())
    /// Attributes of all queues, for those who cannot wait for the database.
    let attributes = Mutex<[String: QueueAttributes]>([:])

    package init(store: StateDatabase, place: QueuePlace, clock: any EventClock = DayClock()) {
        self.store = store
        self.place = place
        self.clock = clock
    }

    /// Attributes of a queue; nil when there is none of that name.
    package func known(_ name: String) -> QueueAttributes? { attributes.withLock { $0[name] } }

    /// Goes on with what the last run of the node has left: tasks that move messages.
    package func start() async throws(StoreFailure) {
        let (tasks, records) = try await store.read { transaction throws(StoreFailure) in
            (try QueueMoves.tasks(of: nil, transaction), try QueueTable.all(transaction))
        }
        attributes.withLock { attributes in
            for record in records { attributes[record.name] = record.attributes }
        }
        for task in tasks where task.status == .running { goOn(moving: task.handle, perSecond: task.perSecond) }
    }

    // MARK: Messages

    /// Sends up to ten messages; each has its own result.
    package func send(
        _ messages: [NewMessage], to queue: String, _ answer: @escaping Answer<[Result<SentMessage, QueueFailure>]>
    ) {
        let now = clock.now
        perform(on: queue, answer, news: [queue]) { record, transaction throws(StoreFailure) in
            var results: [Result<SentMessage, QueueFailure>] = []
            for message in messages { results.append(try Self.send(message, record, now, transaction)) }
            return .success(results)
        }
    }

    /// Sends a message as part of somebody's transaction, who then says `hasNews`.
    func send(
        _ message: NewMessage, to queue: String, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> Result<SentMessage, QueueFailure> {
        guard let record = try QueueTable.record(queue, transaction) else { return .failure(.noQueue(queue)) }
        return try Self.send(message, record, clock.now, transaction)
    }

    private static func send(
        _ message: NewMessage, _ record: QueueTable.Record, _ now: Timestamp, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> Result<SentMessage, QueueFailure> {
        do { try MessageRules.check(message, in: record.attributes) } catch { return .failure(error) }
        return .success(try QueueSending.send(message, to: record, now: now, transaction))
    }

    /// Receives messages, waiting for the first one as long as the wish or the queue says.
    ///
    /// - Returns: a number for `cancel`.
    @discardableResult
    package func receive(_ wish: Receiving, _ answer: @escaping Answer<[ReceivedMessage]>) -> Int {
        let number = state.withLock { state in
            defer { state.nextReceiver += 1 }
            // The deadline is known once the queue is.
            state.receivers[state.nextReceiver] = Receiver(
                wish: wish, deadline: Timestamp(nanoseconds: 0), answer: answer)
            return state.nextReceiver
        }
        look(number, wish, isFirst: true)
        return number
    }

    /// Nobody listens to the answer any more.
    package func cancel(_ receiver: Int) {
        state.withLock { $0.receivers[receiver]?.isGone = true }
        expire(receiver)
    }

    /// Deletes messages by their receipts; nil is success.
    package func delete(_ receipts: [String], from queue: String, _ answer: @escaping Answer<[QueueFailure?]>) {
        let now = clock.now
        perform(on: queue, answer, news: [queue]) { record, transaction throws(StoreFailure) in
            var results: [QueueFailure?] = []
            for receipt in receipts {
                results.append(try QueueReceipts.delete(receipt, in: record, now: now, transaction))
            }
            return .success(results)
        }
    }

    /// Sets for how long from now messages stay invisible; nil is success.
    package func changeVisibility(
        _ changes: [(receipt: String, seconds: Int)], of queue: String, _ answer: @escaping Answer<[QueueFailure?]>
    ) {
        let now = clock.now
        perform(on: queue, answer, news: [queue]) { record, transaction throws(StoreFailure) in
            var results: [QueueFailure?] = []
            for change in changes {
                results.append(
                    try QueueReceipts.changeVisibility(
                        change.receipt, seconds: change.seconds, in: record, now: now, transaction))
            }
            return .success(results)
        }
    }

    /// What a poller says about a whole batch, in one transaction.
    func settle(_ settlement: BatchSettlement, of queue: String, _ answer: @escaping Answer<Void>) {
        let now = clock.now
        perform(on: queue, answer, news: [queue]) { record, transaction throws(StoreFailure) in
            for receipt in settlement.delete {
                _ = try QueueReceipts.delete(receipt, in: record, now: now, transaction)
            }
            for (receipt, time) in settlement.showAgain {
                let left = time - now
                let seconds = left > .zero ? Int((left / .milliseconds(1)).rounded(.up) / 1000) : 0
                _ = try QueueReceipts.changeVisibility(receipt, seconds: seconds, in: record, now: now, transaction)
            }
            for (receipt, time) in settlement.release {
                try QueueReceipts.release(receipt, in: record, at: max(time, now), transaction)
            }
            return .success(())
        }
    }

    // MARK: Receivers

    private func look(_ number: Int, _ wish: Receiving, isFirst: Bool) {
        let now = clock.now
        let place = place
        store.enqueue { transaction throws(StoreFailure) -> (Result<QueueReceiving.Outcome, QueueFailure>, Int) in
            guard let record = try QueueTable.record(wish.queue, transaction) else {
                return (.failure(.noQueue(wish.queue)), 0)
            }
            let target = record.attributes.redrive.flatMap { place.queue(arn: $0.target) }
            let deadLetters = try target.flatMap { name throws(StoreFailure) in try QueueTable.record(name, transaction)
            }
            let outcome = try QueueReceiving.receive(
                wish, from: record, deadLetters: deadLetters, place: place, now: now, transaction)
            return (.success(outcome), record.attributes.waitSeconds)
        } then: { [self] result in
            switch result {
            case .success((.success(let outcome), let queueWait)):
                if let parked = outcome.movedTo { hasNews(parked) }
                if isFirst {
                    let deadline = now + .seconds(wish.waitSeconds ?? queueWait)
                    state.withLock { $0.receivers[number]?.deadline = deadline }
                }
                looked(number, wish, outcome)
            case .success((.failure(let failure), _)): end(number, wish.queue, .failure(failure))
            case .failure(let failure):
                end(number, wish.queue, .failure(.service("receive from \(wish.queue): \(failure.sentence)")))
            }
        }
    }

    private func looked(_ number: Int, _ wish: Receiving, _ outcome: QueueReceiving.Outcome) {
        if !outcome.messages.isEmpty {
            let isGone = state.withLock { $0.receivers[number]?.isGone ?? true }
            if isGone {
                let now = clock.now
                settle(BatchSettlement(release: outcome.messages.map { ($0.receipt, now) }), of: wish.queue) { _ in }
            }
            return end(number, wish.queue, .success(outcome.messages), found: true)
        }
        guard let receiver = state.withLock({ $0.receivers[number] }) else { return }
        let now = clock.now
        guard !receiver.isGone, receiver.deadline > now else { return end(number, wish.queue, .success([])) }
        // It waits before its timers are set: one that fires at once finds it waiting.
        tell(wish.queue, .waits(number))
        // One that was cancelled meanwhile was not found waiting.
        if state.withLock({ $0.receivers[number]?.isGone ?? false }) { return expire(number) }
        clock.at(receiver.deadline) { [weak self] in self?.expire(number) }
        if let next = outcome.nextAt, next < receiver.deadline {
            clock.at(next) { [weak self] in self?.hasNews(wish.queue) }
        }
    }

    /// Something in a queue may be receivable now.
    func hasNews(_ queue: String) { tell(queue, .news) }

    private func tell(_ queue: String, _ event: ReceiverLine.Event) {
        let looks = state.withLock { state -> [(Int, Receiving)] in
            guard var line = state.lines[queue] ?? (event == .news ? nil : ReceiverLine()) else { return [] }
            let actions = line.handle(event)
            state.lines[queue] = line.isEmpty ? nil : line
            return actions.compactMap { action in
                guard case .look(let number) = action, let receiver = state.receivers[number] else { return nil }
                return (number, receiver.wish)
            }
        }
        for (number, wish) in looks { look(number, wish, isFirst: false) }
    }

    private func expire(_ number: Int) {
        // One that looks just now answers for itself.
        guard let receiver = state.withLock({ $0.receivers[number] }), receiver.deadline.nanoseconds > 0 else { return }
        let queue = receiver.wish.queue
        let waits = state.withLock { $0.lines[queue]?.isWaiting(number) ?? false }
        if waits { end(number, queue, .success([])) }
    }

    private func end(
        _ number: Int, _ queue: String, _ result: Result<[ReceivedMessage], QueueFailure>, found: Bool = false
    ) {
        let receiver = state.withLock { $0.receivers.removeValue(forKey: number) }
        if let receiver, !receiver.isGone { receiver.answer(result) }
        tell(queue, found ? .found(number) : .gone(number))
    }

    // MARK: Transactions

    /// Runs a transaction on a queue that must be there.
    func perform<Value: Sendable>(
        on queue: String, _ answer: @escaping Answer<Value>, news: [String] = [],
        _ body:
            @escaping @Sendable (QueueTable.Record, any StoreTransaction) throws(StoreFailure) -> Result<
                Value, QueueFailure
            >
    ) {
        perform(answer, news: news) { transaction throws(StoreFailure) in
            guard let record = try QueueTable.record(queue, transaction) else { return .failure(.noQueue(queue)) }
            return try body(record, transaction)
        }
    }

    /// Runs a transaction. A body that gives a failure has changed nothing.
    func perform<Value: Sendable>(
        _ answer: @escaping Answer<Value>, news: [String] = [],
        _ body: @escaping @Sendable (any StoreTransaction) throws(StoreFailure) -> Result<Value, QueueFailure>
    ) {
        store.enqueue(body) { [self] result in
            switch result {
            case .success(let value):
                answer(value)
                for queue in news { hasNews(queue) }
            case .failure(let failure): answer(.failure(.service(failure.sentence)))
            }
        }
    }
}

/// What becomes of a batch of messages.
struct BatchSettlement: Sendable {
    /// Receipts of what is done.
    var delete: [String] = []
    /// Failed: visible again at that time.
    var showAgain: [(String, Timestamp)] = []
    /// Not tried: visible again at that time, and the time does not count.
    var release: [(String, Timestamp)] = []
}
