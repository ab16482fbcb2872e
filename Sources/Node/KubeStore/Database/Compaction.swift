internal import Store

/// Gives up history: first it is declared gone, then its rows are removed, some at a time, so that no writer waits long.
///
/// Kept are all rows from the compacted revision on (that of a deletion at exactly that revision too, as etcd does since
/// 3.5.18), what objects were at that revision, and what the compacted revision's own event has replaced. A removal that
/// is interrupted leaves rows that nobody sees, and that the next one removes.
enum Compaction {
    /// Rows that are looked at in one transaction.
    static let batch = 1000

    static func declare(
        _ revision: Int64, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> Result<Void, ObjectStoreFailure> {
        let history = try ObjectTables.history(transaction)
        guard revision <= history.newest else {
            return .failure(.futureRevision(newest: history.newest, asked: revision))
        }
        guard revision > history.compacted else {
            return .failure(.tooOld(oldest: history.compacted + 1, asked: revision))
        }
        try transaction.execute("UPDATE kube_history SET compacted = ?1", [.integer(revision)])
        return .success(())
    }

    /// Removes what is not needed among the next rows.
    ///
    /// - Parameters:
    ///   - position: where the last batch ended; 0 at first.
    ///   - revision: that was declared.
    /// - Returns: where this batch ended; nil when it was the last.
    static func remove(
        after position: Int64, to revision: Int64, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> Int64? {
        let end = try transaction.first(
            "SELECT revision FROM kube_revision WHERE revision > ?1 AND revision < ?2 ORDER BY revision LIMIT 1 OFFSET ?3",
            [.integer(position), .integer(revision), StoreValue(batch - 1)]
        )?.integer(0).map { Int64($0) }
        try transaction.execute(
            """
            DELETE FROM kube_revision WHERE revision > ?1 AND revision <= ?2
            AND revision IS NOT (SELECT previous FROM kube_revision WHERE revision = ?3)
            AND (kind = 2 OR EXISTS (
                SELECT 1 FROM kube_revision n WHERE n.resource = kube_revision.resource
                AND n.namespace = kube_revision.namespace AND n.name = kube_revision.name
                AND n.revision > kube_revision.revision AND n.revision <= ?3))
            """, [.integer(position), .integer(end ?? revision - 1), .integer(revision)])
        return end
    }
}
