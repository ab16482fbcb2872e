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
/// 3. A letter that its queue will never take (too long, no text) is kept and shown, and holds nobody back.
///    (test: `a letter that a queue does not take is kept and holds nobody back`)
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
                .text(letter.lane), .text(JSONWriter.text(deliveryJSON(letter))),
                .text(JSONWriter.text(letter.attributes.json)), .blob(letter.payload),
            ])
    }

    /// The delivery with the trace beside it, which earlier rows do not have.
    private static func deliveryJSON(_ letter: Letter) -> JSONValue {
        var json = letter.delivery.json
        json["trace"] = letter.trace.map { .string($0) }
        return json
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

    /// Why a letter was not delivered.
    private struct Problem: Sendable {
        /// Not tried, because one before it in its lane was not delivered.
        static let heldBack = Problem("")

        var sentence: String
        /// The letter itself cannot be delivered, now or later.
        var isPermanent = false

        init(_ sentence: String, isPermanent: Bool = false) {
            self.sentence = sentence
            self.isPermanent = isPermanent
        }

        var isHeldBack: Bool { sentence.isEmpty }
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
                // From before the round: what has become due during it is looked at again at once.
                let begin = clock.now
                if try await deliverRound(events) { state.withLock { $0.hasNews = true } }
                if let next = try await nextDue(after: begin) { clock.at(next) { [weak self] in self?.wake() } }
            } catch {
                // The letters stand where they are until the database can be read again.
                clock.at(clock.now + .seconds(1)) { [weak self] in self?.wake() }
            }
        }
    }

    /// - Returns: whether something was delivered, so that another look is worth while.
    private func deliverRound(_ events: AsyncEvents) async throws(StoreFailure) -> Bool {
        let rows = try await due()
        let handed = rows.filter(\.letter.isTransactional)
        let written = rows.filter { !$0.letter.isTransactional }
        var problems: [Int: Problem] = [:]
        if !handed.isEmpty { problems.merge(await hand(handed, events)) { $1 } }
        if !written.isEmpty { problems.merge(try await put(written)) { $1 } }
        for row in rows {
            if let problem = problems[row.id], !problem.isHeldBack { try await postpone(row, problem) }
        }
        return problems.count < rows.count
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
                let stored = try! JSONParser.parse(row.text(2)!)
                let delivery = Delivery(json: stored)!
                let attributes = [String: MessageAttribute](json: try! JSONParser.parse(row.text(3)!))!
                return Row(
                    id: row.integer(0)!, attempts: row.integer(1)!,
                    letter: Letter(
                        delivery, row.blob(4) ?? [], attributes: attributes, trace: stored["trace"]?.string))
            }
        }
    }

    private func nextDue(after now: Timestamp) async throws(StoreFailure) -> Timestamp? {
        try await store.read { transaction throws(StoreFailure) in
            try transaction.first("SELECT min(due_at) FROM outbox WHERE due_at > ?1", [StoreValue(now.nanoseconds)])?
                .integer(0).map { Timestamp(nanoseconds: $0) }
        }
    }

    private struct Handed: Sendable {
        var problems: [Int: Problem] = [:]
        var accepted: [AsyncEvent] = []
        var news: Set<String> = []
    }

    /// Delivers to functions and queues of this node, all in one transaction; those that could not be, and why.
    private func hand(_ rows: [Row], _ events: AsyncEvents) async -> [Int: Problem] {
        let now = clock.now
        let queues = queues
        return await withCheckedContinuation { continuation in
            store.enqueue { transaction throws(StoreFailure) in
                var handed = Handed()
                var failedLanes: Set<String> = []
                for row in rows {
                    if failedLanes.contains(row.letter.lane) {
                        handed.problems[row.id] = .heldBack
                    } else if let problem = try Self.hand(row.letter, events, queues, now, &handed, transaction) {
                        handed.problems[row.id] = problem
                        if !problem.isPermanent { failedLanes.insert(row.letter.lane) }
                    } else {
                        try transaction.execute("DELETE FROM outbox WHERE id = ?1", [StoreValue(row.id)])
                    }
                }
                return handed
            } then: { result in
                switch result {
                case .success(let handed):
                    events.took(handed.accepted)
                    for queue in handed.news { queues.hasNews(queue) }
                    continuation.resume(returning: handed.problems)
                case .failure(let failure):
                    continuation.resume(
                        returning: Dictionary(uniqueKeysWithValues: rows.map { ($0.id, Problem(failure.sentence)) }))
                }
            }
        }
    }

    private static func hand(
        _ letter: Letter, _ events: AsyncEvents, _ queues: DurableQueues, _ now: Timestamp, _ handed: inout Handed,
        _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> Problem? {
        switch letter.delivery {
        case .invoke(let target, let requestID, let orderKey):
            var event = AsyncEvent(
                requestID: Identifiers.random(), target: target, payload: letter.payload, source: "destination",
                trace: EventTrace.hop(after: letter.trace, at: now), acceptedAt: now)
            event.messageID = requestID
            event.orderKey = orderKey
            handed.accepted.append(try events.insert(event, transaction))
        case .send(let queue, let group, let deduplicationID):
            guard let body = String(validating: letter.payload, as: UTF8.self) else {
                return Problem("send to the queue \(queue): the payload is no text", isPermanent: true)
            }
            var message = NewMessage(body)
            message.attributes = letter.attributes
            message.trace = letter.trace
            if QueueName.isFIFO(queue) {
                message.group = FIFOName.text(group)
                message.deduplicationID = FIFOName.text(deduplicationID)
            }
            if case .failure(let failure) = try queues.send(message, to: queue, transaction) {
                // A queue that is not there may be made; a message that it does not take stays one.
                return Problem(
                    "send to the queue \(queue): \(failure)", isPermanent: failure.name != "QueueDoesNotExist")
            }
            handed.news.insert(queue)
        case .write, .remove, .move: preconditionFailure("files are delivered outside of the database")
        }
        return nil
    }

    /// Delivers to files; those that could not be, and why.
    private func put(_ rows: [Row]) async throws(StoreFailure) -> [Int: Problem] {
        let letters = rows.map(\.letter)
        let results: [FileDelivery.Result]
        do {
            results = try await BlockingPool.shared.run { () throws(SystemError) in FileDelivery.perform(letters) }
        } catch {
            // Too much waits for the disk already.
            return Dictionary(uniqueKeysWithValues: rows.map { ($0.id, Problem("\(error)")) })
        }
        var problems: [Int: Problem] = [:]
        var done: [Int] = []
        for (row, result) in zip(rows, results) {
            switch result {
            case .done: done.append(row.id)
            case .heldBack: problems[row.id] = .heldBack
            case .failed(let sentence): problems[row.id] = Problem(sentence)
            }
        }
        let delivered = done
        try await store.write { transaction throws(StoreFailure) in
            for id in delivered { try transaction.execute("DELETE FROM outbox WHERE id = ?1", [StoreValue(id)]) }
        }
        return problems
    }

    private func postpone(_ row: Row, _ problem: Problem) async throws(StoreFailure) {
        let due = clock.now + rule.backOff(row.attempts + 1)
        // What can never be delivered is kept and shown, and holds nobody back.
        let lane = problem.isPermanent ? "letter \(row.id)" : row.letter.lane
        try await store.write { transaction throws(StoreFailure) in
            try transaction.execute(
                "UPDATE outbox SET attempts = attempts + 1, due_at = ?2, problem = ?3, lane = ?4 WHERE id = ?1",
                [StoreValue(row.id), StoreValue(due.nanoseconds), .text(problem.sentence), .text(lane)])
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
