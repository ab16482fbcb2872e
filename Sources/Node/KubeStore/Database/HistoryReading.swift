internal import Store

/// Events out of the history, for a watcher that begins further back than the window reaches.
enum HistoryReading {
    struct Batch: Sendable {
        var events: [ObjectEvent]
        /// Up to where all events of the scope are in it.
        var position: Int64
    }

    /// - Parameter limit: of events in a batch.
    static func batch(
        _ scope: ResourceScope, after position: Int64, limit: Int, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> Result<Batch, ObjectStoreFailure> {
        let history = try ObjectTables.history(transaction)
        guard position >= history.oldestWatched else {
            return .failure(.tooOld(oldest: history.oldestWatched, asked: position))
        }
        // "+" keeps SQLite from the index by key, which would have to be sorted for every batch.
        let rows = try transaction.query(
            """
            SELECT r.namespace, r.name, r.kind, r.revision, r.created, r.revision, r.place, r.body,
                   p.created, p.revision, p.place, p.body
            FROM kube_revision r LEFT JOIN kube_revision p ON p.revision = r.previous
            WHERE r.revision > ?1 AND +r.resource = ?2 \(scope.namespace == nil ? "" : "AND +r.namespace = ?4")
            ORDER BY r.revision LIMIT ?3
            """,
            [.integer(position), .text(scope.resource), StoreValue(limit)] + (scope.namespace.map { [.text($0)] } ?? [])
        )
        let events = rows.map { event(scope.resource, $0) }
        return .success(Batch(events: events, position: rows.count < limit ? history.newest : events.last!.revision))
    }

    private static func event(_ resource: String, _ row: StoreRow) -> ObjectEvent {
        let key = ObjectTables.key(resource, row, from: 0)
        let kind = ObjectEvent.Kind(rawValue: Int64(row.integer(2)!))!
        guard kind != .added else { return ObjectEvent(kind: kind, object: ObjectTables.object(key, row, from: 4)) }
        // Compaction keeps what every event that it keeps has replaced.
        let previous = ObjectTables.object(key, row, from: 8)
        let object = kind == .deleted ? previous.at(Int64(row.integer(3)!)) : ObjectTables.object(key, row, from: 4)
        return ObjectEvent(kind: kind, object: object, previous: previous)
    }
}
