internal import JSON
internal import Linux
package import Store
internal import Synchronization

/// Letters that ended events have left, until they are delivered.
///
/// Invariants
/// 1. A letter is written in the transaction that removes its event, and removed when it is delivered: for functions and queues
///    of this node in the transaction that delivers it, for files after they are on the disk.
///    (tests: `a destination gets each record once`, `a letter to a directory survives the node's death`)
/// 2. Letters of one lane (a function, a queue, a directory) are delivered in their order; one that cannot be delivered
///    holds back its lane, and no other. (test: `a letter that cannot be delivered waits and holds back its lane only`)
package final class Outbox: Sendable {
    package static let migration = StoreMigration(
        "outbox-1",
        """
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            lane TEXT NOT NULL,
            delivery TEXT NOT NULL,
            attributes TEXT NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            due_at INTEGER NOT NULL DEFAULT 0,
            problem TEXT,
            payload BLOB NOT NULL
        );
        CREATE INDEX outbox_lane ON outbox (lane, id);
        """)

    /// Letters of one round.
    static let roundLimit = 200

    private struct State {
        var isRunning = false
        var hasNews = false
        var isStopped = false
        var events: AsyncEvents?
    }

    private let store: StateDatabase
    private let queues: DurableQueues
    private let clock: any EventClock
    private let rule: RetryRule
    private let state = Mutex(State())

    package init(
        store: StateDatabase, queues: DurableQueues, clock: any EventClock = DayClock(), rule: RetryRule = RetryRule()
    ) {
        self.store = store
        self.queues = queues
        self.clock = clock
        self.rule = rule
    }

    static func insert(_ letter: Letter, _ transaction: any StoreTransaction) throws(StoreFailure) {
        try transaction.execute(
            "INSERT INTO outbox (lane, delivery, attributes, payload) VALUES (?1, ?2, ?3, ?4)",
            [
                .text(letter.lane), .text(JSONWriter.text(letter.delivery.json)),
                .text(JSONWriter.text(letter.attributes.json)), .blob(letter.payload),
            ])
    }

    /// Begins to deliver; `events` takes what goes to functions.
    func begin(_ events: AsyncEvents) {
        state.withLock { $0.events = events }
        wake()
    }

    package func stop() {
        state.withLock { state in
            state.isStopped = true
            state.events = nil
        }
    }

    /// There may be something to deliver.
    func wake() {
        let events = state.withLock { state -> AsyncEvents? in
            state.hasNews = true
            guard !state.isRunning, !state.isStopped, let events = state.events else { return nil }
            state.isRunning = true
            return events
        }
        if let events { Task { await run(events) } }
    }

    /// Letters that wait, and why the oldest of each lane that was tried in vain was not delivered.
    package func pending() async throws(StoreFailure) -> (count: Int, problems: [String]) {
        try await store.read { transaction throws(StoreFailure) in
            let count = try transaction.first("SELECT count(*) FROM outbox")!.integer(0)!
            let problems = try transaction.query(
                "SELECT problem FROM outbox WHERE problem IS NOT NULL ORDER BY id LIMIT 20")
            return (count, problems.compactMap { $0.text(0) })
        }
    }

    private struct Row: Sendable {
        var id: Int
        var attempts: Int
        var letter: Letter
    }

    private func run(_ events: AsyncEvents) async {
        while true {
            let goesOn = state.withLock { state in
                guard state.hasNews, !state.isStopped else {
                    state.isRunning = false
                    return false
                }
                state.hasNews = false
                return true
            }
            guard goesOn else { return }
            do throws(StoreFailure) {
                if try await deliverRound(events) { state.withLock { $0.hasNews = true } }
                if let next = try await nextDue() { clock.at(next) { [weak self] in self?.wake() } }
            } catch {
                // The letters stand where they are until the database can be read again.
                clock.at(clock.now + .seconds(1)) { [weak self] in self?.wake() }
            }
        }
    }

    /// - Returns: whether something was delivered, so that another look is worth while.
    private func deliverRound(_ events: AsyncEvents) async throws(StoreFailure) -> Bool {
        let rows = try await due()
        var failedLanes: Set<String> = []
        var delivered = false
        for row in rows where !failedLanes.contains(row.letter.lane) {
            let problem = row.letter.isTransactional ? await hand(row, events) : await put(row)
            if let problem {
                failedLanes.insert(row.letter.lane)
                try await postpone(row, problem)
            } else {
                delivered = true
            }
        }
        return delivered
    }

    /// The oldest letters of all lanes whose first letter is due.
    private func due() async throws(StoreFailure) -> [Row] {
        let now = clock.now
        return try await store.read { transaction throws(StoreFailure) in
            try transaction.query(
                """
                SELECT id, attempts, delivery, attributes, payload FROM outbox o
                WHERE NOT EXISTS (SELECT 1 FROM outbox f WHERE f.lane = o.lane AND f.id <= o.id AND f.due_at > ?1)
                ORDER BY id LIMIT ?2
                """, [StoreValue(now.nanoseconds), StoreValue(Self.roundLimit)]
            ).map { row in
                // What this program wrote it can read.
                let delivery = Delivery(json: try! JSONParser.parse(row.text(2)!))!
                let attributes = [String: MessageAttribute](json: try! JSONParser.parse(row.text(3)!))!
                return Row(
                    id: row.integer(0)!, attempts: row.integer(1)!,
                    letter: Letter(delivery, row.blob(4) ?? [], attributes: attributes))
            }
        }
    }

    private func nextDue() async throws(StoreFailure) -> Timestamp? {
        let now = clock.now
        return try await store.read { transaction throws(StoreFailure) in
            try transaction.first("SELECT min(due_at) FROM outbox WHERE due_at > ?1", [StoreValue(now.nanoseconds)])?
                .integer(0).map { Timestamp(nanoseconds: $0) }
        }
    }

    /// Delivers to a function or a queue of this node; nil, or why not.
    private func hand(_ row: Row, _ events: AsyncEvents) async -> String? {
        let now = clock.now
        let queues = queues
        return await withCheckedContinuation { continuation in
            store.enqueue { transaction throws(StoreFailure) -> (String?, AsyncEvent?, String?) in
                var accepted: AsyncEvent?
                var news: String?
                switch row.letter.delivery {
                case .invoke(let target, let requestID, let orderKey):
                    var event = AsyncEvent(
                        requestID: Identifiers.random(), target: target, payload: row.letter.payload,
                        source: "destination",
                        trace: "", acceptedAt: now)
                    event.messageID = requestID
                    event.orderKey = orderKey
                    accepted = try events.insert(event, transaction)
                case .send(let queue, let group, let deduplicationID):
                    var message = NewMessage(String(decoding: row.letter.payload, as: UTF8.self))
                    message.attributes = row.letter.attributes
                    if QueueName.isFIFO(queue) {
                        message.group = FIFOName.text(group)
                        message.deduplicationID = FIFOName.text(deduplicationID)
                    }
                    if case .failure(let failure) = try queues.send(message, to: queue, transaction) {
                        return ("send to the queue \(queue): \(failure)", nil, nil)
                    }
                    news = queue
                case .write, .remove, .move: preconditionFailure("files are delivered outside of the database")
                }
                try transaction.execute("DELETE FROM outbox WHERE id = ?1", [StoreValue(row.id)])
                return (nil, accepted, news)
            } then: { result in
                switch result {
                case .success((let problem, let accepted, let news)):
                    if let accepted { events.took([accepted]) }
                    if let news { queues.hasNews(news) }
                    continuation.resume(returning: problem)
                case .failure(let failure): continuation.resume(returning: failure.sentence)
                }
            }
        }
    }

    /// Delivers to a file; nil, or why not.
    private func put(_ row: Row) async -> String? {
        do {
            let letter = row.letter
            try await BlockingPool.shared.run { () throws(SystemError) in try FileDelivery.perform(letter) }
            try await store.write { transaction throws(StoreFailure) in
                try transaction.execute("DELETE FROM outbox WHERE id = ?1", [StoreValue(row.id)])
            }
            return nil
        } catch { return "\(error)" }
    }

    private func postpone(_ row: Row, _ problem: String) async throws(StoreFailure) {
        let due = clock.now + rule.backOff(row.attempts + 1)
        try await store.write { transaction throws(StoreFailure) in
            try transaction.execute(
                "UPDATE outbox SET attempts = attempts + 1, due_at = ?2, problem = ?3 WHERE id = ?1",
                [StoreValue(row.id), StoreValue(due.nanoseconds), .text(problem)])
        }
    }
}

/// Groups and deduplication ids of a FIFO queue hold printable characters only, at most 128.
enum FIFOName {
    static func text(_ text: String) -> String {
        let isPlain = (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        return isPlain ? text : Digests.sha256(Array(text.utf8))
    }
}
