internal import Store

/// A commit within a transaction of the database.
enum ObjectWriting {
    /// Decides first and writes only what may stand: a commit that fails has nothing to undo.
    static func perform(
        _ writes: [EncodedWrite], _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> Result<[WriteDecision.Outcome], ObjectStoreFailure> {
        let newest = try ObjectTables.history(transaction).newest
        let decided = try WriteDecision.decide(writes, newest: newest) { key throws(StoreFailure) in
            try ObjectTables.object(key, transaction)
        }
        guard case .success(let outcomes) = decided else { return decided }
        for case .changed(let event) in outcomes { try write(event, transaction) }
        return decided
    }

    private static func write(_ event: ObjectEvent, _ transaction: any StoreTransaction) throws(StoreFailure) {
        let isDeleted = event.kind == .deleted
        let body = event.object.body
        try transaction.execute(
            """
            INSERT INTO kube_revision (resource, namespace, name, revision, kind, created, previous, place, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            """,
            event.key.columns + [
                .integer(event.revision), .integer(event.kind.rawValue), .integer(event.object.createRevision),
                event.previous.map { .integer($0.revision) } ?? .null,
                isDeleted ? .null : StoreValue(body.place), isDeleted ? .null : .blob(body.bytes),
            ])
        switch event.kind {
        case .added:
            try transaction.execute(
                "INSERT INTO kube_object (resource, namespace, name, revision) VALUES (?1, ?2, ?3, ?4)",
                event.key.columns + [.integer(event.revision)])
        case .modified:
            try transaction.execute(
                "UPDATE kube_object SET revision = ?4 WHERE resource = ?1 AND namespace = ?2 AND name = ?3",
                event.key.columns + [.integer(event.revision)])
        case .deleted:
            try transaction.execute(
                "DELETE FROM kube_object WHERE resource = ?1 AND namespace = ?2 AND name = ?3", event.key.columns)
        }
    }
}
