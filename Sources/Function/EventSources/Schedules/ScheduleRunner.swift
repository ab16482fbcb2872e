internal import Lambda
internal import Linux
internal import Store
internal import Synchronization

/// Runs one mapping whose source is a schedule: each run becomes an asynchronous event.
///
/// Invariants
/// 1. A run's event and the note that it was made are written in one transaction: it is made once, whenever the node dies.
///    (test: `a run is made once although the node dies`)
/// 2. Runs of one schedule do not overlap, unless it is allowed: they share an order key, so that one waits for the one before.
///    (test: `runs of a schedule wait for each other`)
final class ScheduleRunner: MappingRunner, Sendable {
    static let migration = StoreMigration(
        "schedules-1",
        """
        CREATE TABLE schedule (
            mapping TEXT PRIMARY KEY,
            expression TEXT NOT NULL,
            origin INTEGER NOT NULL,
            settled INTEGER NOT NULL
        );
        """)

    private let mapping: EventSourceMapping
    private let schedule: Schedule
    private let expression: String
    private let missed: EventSource.Missed
    private let overlaps: Bool
    private let ground: MappingGround
    private let isStopped = Mutex(false)

    init(_ mapping: EventSourceMapping, _ ground: MappingGround) throws(ScheduleError) {
        guard case .schedule(let expression, let missed, let overlaps) = mapping.source else {
            preconditionFailure("the mapping \(mapping.id) is no schedule")
        }
        schedule = try Schedule(expression)
        self.mapping = mapping
        self.expression = expression
        self.missed = missed
        self.overlaps = overlaps
        self.ground = ground
    }

    func start() { step() }

    func stop() { isStopped.withLock { $0 = true } }

    /// Forgets when it ran last.
    static func forget(_ mapping: String, _ transaction: any StoreTransaction) throws(StoreFailure) {
        try transaction.execute("DELETE FROM schedule WHERE mapping = ?1", [.text(mapping)])
    }

    private func step() {
        guard !isStopped.withLock({ $0 }) else { return }
        let now = ground.clock.now
        ground.store.enqueue { [self] transaction throws(StoreFailure) -> (DueRuns, [AsyncEvent]) in
            let (origin, settled) = try read(now, transaction)
            let due = DueRuns(schedule, origin: origin, settledThrough: settled, missed: missed, now: now)
            var accepted: [AsyncEvent] = []
            for run in due.runs { accepted.append(try ground.events.insert(event(run, now), transaction)) }
            try transaction.execute(
                "INSERT OR REPLACE INTO schedule (mapping, expression, origin, settled) VALUES (?1, ?2, ?3, ?4)",
                [
                    .text(mapping.id), .text(expression), StoreValue(origin.nanoseconds),
                    StoreValue(due.through.nanoseconds),
                ])
            return (due, accepted)
        } then: { [self] result in
            switch result {
            case .success((let due, let accepted)):
                ground.events.took(accepted)
                if !accepted.isEmpty { ground.report(mapping, "OK") }
                if due.isPartial { return step() }
                if let next = due.next { ground.clock.at(next) { [weak self] in self?.step() } }
            case .failure(let failure):
                ground.report(mapping, "PROBLEM: \(failure.sentence)")
                ground.clock.at(now + .seconds(1)) { [weak self] in self?.step() }
            }
        }
    }

    /// When the schedule was made and up to when its runs are settled. Another expression begins anew.
    private func read(
        _ now: Timestamp, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> (origin: Timestamp, settled: Timestamp) {
        let row = try transaction.first(
            "SELECT origin, settled FROM schedule WHERE mapping = ?1 AND expression = ?2",
            [.text(mapping.id), .text(expression)])
        guard let row else { return (now, now) }
        return (Timestamp(nanoseconds: row.integer(0)!), Timestamp(nanoseconds: row.integer(1)!))
    }

    private func event(_ run: Timestamp, _ now: Timestamp) -> AsyncEvent {
        let id = ScheduledEvent.runID(mapping, run)
        var event = AsyncEvent(
            requestID: Identifiers.named(id), target: mapping.functionARN,
            payload: ScheduledEvent.bytes(mapping, run, ground.account), source: "schedule",
            trace: EventTrace.hop(after: nil, at: now), acceptedAt: now)
        event.messageID = id
        event.orderKey = overlaps ? nil : mapping.id
        event.overrides = InvokeOverrides(mapping)
        return event
    }
}
