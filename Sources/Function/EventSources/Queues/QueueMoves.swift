internal import Linux
internal import Store

/// Moves messages of a dead-letter queue back to where they came from, or elsewhere: StartMessageMoveTask.
///
/// The messages are those that were there at the start. Each step is a transaction; a task that a node left unfinished goes on
/// with the next one.
enum QueueMoves {
    /// Messages of one step.
    static let stepLimit = 100

    struct Task: Hashable, Sendable {
        enum Status: String, Sendable {
            case running = "RUNNING"
            case completed = "COMPLETED"
            case cancelled = "CANCELLED"
            case failed = "FAILED"
        }
        var handle: String
        var source: String
        /// nil: each message goes where it came from.
        var destination: String?
        var perSecond: Int?
        var lastSequence: Int
        var toMove: Int
        var moved: Int
        var status: Status
        var problem: String?
        var startedAt: Timestamp
    }

    static func start(
        source: String, destination: String?, perSecond: Int?, now: Timestamp, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> Task {
        let row = try transaction.first(
            "SELECT coalesce(max(sequence), 0), count(*) FROM queue_message WHERE queue = ?1", [.text(source)])!
        let task = Task(
            handle: Identifiers.random(), source: source, destination: destination, perSecond: perSecond,
            lastSequence: row.integer(0)!, toMove: row.integer(1)!, moved: 0, status: .running, startedAt: now)
        try transaction.execute(
            """
            INSERT INTO queue_move (handle, source, destination, per_second, last_sequence, to_move, status, started_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            """,
            [
                .text(task.handle), .text(source), StoreValue(destination), StoreValue(perSecond),
                StoreValue(task.lastSequence), StoreValue(task.toMove), .text(task.status.rawValue),
                StoreValue(now.nanoseconds),
            ])
        // The service shows the last ten tasks of a queue.
        try transaction.execute(
            """
            DELETE FROM queue_move WHERE source = ?1 AND status <> 'RUNNING' AND handle NOT IN
                (SELECT handle FROM queue_move WHERE source = ?1 ORDER BY started_at DESC LIMIT 10)
            """, [.text(source)])
        return task
    }

    static func tasks(
        of source: String?, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> [Task] {
        try transaction.query(
            """
            SELECT handle, source, destination, per_second, last_sequence, to_move, moved, status, problem, started_at
            FROM queue_move WHERE ?1 IS NULL OR source = ?1 ORDER BY started_at DESC, rowid DESC
            """, [StoreValue(source)]
        ).map(read)
    }

    static func task(_ handle: String, _ transaction: any StoreTransaction) throws(StoreFailure) -> Task? {
        try transaction.first(
            """
            SELECT handle, source, destination, per_second, last_sequence, to_move, moved, status, problem, started_at
            FROM queue_move WHERE handle = ?1
            """, [.text(handle)]
        ).map(read)
    }

    static func setStatus(
        _ handle: String, _ status: Task.Status, problem: String? = nil, _ transaction: any StoreTransaction
    ) throws(StoreFailure) {
        try transaction.execute(
            "UPDATE queue_move SET status = ?2, problem = ?3 WHERE handle = ?1",
            [.text(handle), .text(status.rawValue), StoreValue(problem)])
    }

    struct Step: Sendable {
        var task: Task
        /// Queues that got something.
        var targets: Set<String> = []
    }

    /// Moves up to `limit` messages; nil when the task is not running any more.
    static func step(
        _ handle: String, limit: Int, place: QueuePlace, now: Timestamp, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> Step? {
        guard let task = try task(handle, transaction), task.status == .running else { return nil }
        var step = Step(task: task)
        // What a receiver has just now stays with it.
        let rows = try transaction.query(
            """
            SELECT sequence, message_group, origin FROM queue_message
            WHERE queue = ?1 AND sequence <= ?2 AND visible_at <= ?3 ORDER BY sequence LIMIT ?4
            """,
            [.text(task.source), StoreValue(task.lastSequence), StoreValue(now.nanoseconds), StoreValue(limit)])
        for row in rows {
            guard let target = task.destination ?? row.text(2).flatMap({ place.queue(arn: $0) }),
                let queue = try QueueTable.record(target, transaction)
            else {
                step.task.status = .failed
                step.task.problem = "CouldNotDetermineMessageSource"
                break
            }
            try QueueReceiving.move(
                .init(sequence: row.integer(0)!, group: row.text(1), receives: 0), from: task.source, to: target,
                origin: nil,
                isFIFO: queue.attributes.isFIFO, now, transaction)
            step.targets.insert(target)
            step.task.moved += 1
        }
        if rows.isEmpty { step.task.status = .completed }
        try transaction.execute(
            "UPDATE queue_move SET moved = ?2, status = ?3, problem = ?4 WHERE handle = ?1",
            [
                .text(handle), StoreValue(step.task.moved), .text(step.task.status.rawValue),
                StoreValue(step.task.problem),
            ])
        return step
    }

    private static func read(_ row: StoreRow) -> Task {
        Task(
            handle: row.text(0)!, source: row.text(1)!, destination: row.text(2), perSecond: row.integer(3),
            lastSequence: row.integer(4)!, toMove: row.integer(5)!, moved: row.integer(6)!,
            status: Task.Status(rawValue: row.text(7)!)!, problem: row.text(8),
            startedAt: Timestamp(nanoseconds: row.integer(9)!))
    }
}
