internal import Store

/// The store's part of the node's database.
///
/// - `kube_revision` has a row for each write: what the object became, or that it went. The content stands there and
///   nowhere else, so each is written to the disk once.
/// - `kube_object` has the last row of each object that is there.
/// - `kube_history` has one row: up to where the history has been compacted.
///
/// Invariants
/// 1. The newest row of `kube_revision` is never removed, so that no revision is given twice.
///    (test: `no revision is given twice, also when all is deleted, compacted and opened again`)
/// 2. What `kube_object` names is the last row of its key. (test: `what was acknowledged is there after kill -9, whole`)
enum ObjectTables {
    static let migration = StoreMigration(
        "kube-1",
        """
        CREATE TABLE kube_revision (
            revision INTEGER PRIMARY KEY,
            resource TEXT NOT NULL,
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            kind INTEGER NOT NULL,
            created INTEGER NOT NULL,
            previous INTEGER,
            place INTEGER,
            body BLOB
        ) STRICT;
        CREATE INDEX kube_revision_key ON kube_revision (resource, namespace, name, revision, kind);
        CREATE TABLE kube_object (
            resource TEXT NOT NULL,
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            revision INTEGER NOT NULL,
            PRIMARY KEY (resource, namespace, name)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE kube_history (id INTEGER PRIMARY KEY CHECK (id = 1), compacted INTEGER NOT NULL) STRICT;
        INSERT INTO kube_history VALUES (1, 0);
        """)

    /// The revision of an empty store. Not 0, which Kubernetes' clients take for "any".
    static let firstRevision: Int64 = 1

    static func history(_ transaction: any StoreTransaction) throws(StoreFailure) -> HistoryBounds {
        let row = try transaction.first(
            "SELECT (SELECT max(revision) FROM kube_revision), compacted FROM kube_history")!
        return HistoryBounds(
            compacted: Int64(row.integer(1)!), newest: row.integer(0).map { Int64($0) } ?? firstRevision)
    }

    static func object(_ key: ObjectKey, _ transaction: any StoreTransaction) throws(StoreFailure) -> StoredObject? {
        try transaction.first(
            """
            SELECT r.created, r.revision, r.place, r.body FROM kube_object o JOIN kube_revision r ON r.revision = o.revision
            WHERE o.resource = ?1 AND o.namespace = ?2 AND o.name = ?3
            """, key.columns
        ).map { object(key, $0, from: 0) }
    }

    /// Four columns: created, revision, place, body.
    static func object(_ key: ObjectKey, _ row: StoreRow, from column: Int) -> StoredObject {
        StoredObject(
            key, createRevision: Int64(row.integer(column)!), revision: Int64(row.integer(column + 1)!),
            ObjectBody(bytes: row.blob(column + 3)!, place: row.integer(column + 2)!))
    }

    static func key(_ resource: String, _ row: StoreRow, from column: Int) -> ObjectKey {
        let namespace = row.text(column)!
        return ObjectKey(resource, namespace: namespace.isEmpty ? nil : namespace, row.text(column + 1)!)
    }
}

extension ObjectKey {
    /// resource, namespace, name.
    var columns: [StoreValue] { [.text(resource), .text(namespaceText), .text(name)] }
}
