internal import Linux
package import Store

/// The file of the history.
package enum HistoryDatabase {
    /// Opens STATE/history.db. One that is damaged is put aside and a new one begun: measurements are no reason not to run.
    ///
    /// Blocks.
    package static func open(_ path: String, note: (String) -> Void) throws(StoreFailure) -> StateDatabase {
        do throws(StoreFailure) { return try StateDatabase(path: path, migrations: HistoryTables.migrations) } catch {
            guard error.kind == .damaged else { throw error }
            note("The history of measurements begins anew; the former one is \(path).damaged. \(error)")
        }
        do {
            for suffix in ["-wal", "-shm"] where Files.exists(path + suffix) { try Files.remove(path + suffix) }
            try Files.rename(path, to: path + ".damaged")
        } catch { throw StoreFailure(.other, "put the damaged \(path) aside: \(error)") }
        return try StateDatabase(path: path, migrations: HistoryTables.migrations)
    }
}
