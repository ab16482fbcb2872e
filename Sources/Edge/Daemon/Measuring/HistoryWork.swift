import Engine
import History
import Linux
import Metrics
import Store
import Synchronization

/// The history of a node with its worker.
final class HistoryWork: Sendable {
    private let database: StateDatabase
    private let sampler: HistorySampler
    private let work = Mutex<Task<Void, Never>?>(nil)

    /// nil when none is wanted, or there can be none, which is noted: a node runs without.
    static func open(_ node: NodeSurroundings) async -> HistoryWork? {
        guard node.settings.keepsHistory else { return nil }
        let path = "\(node.settings.state)/history.db"
        let note = node.note
        do {
            let result = try await BlockingPool.shared.run { () throws(SystemError) in
                Result { () throws(StoreFailure) in try HistoryDatabase.open(path, note: note) }
            }
            return HistoryWork(try result.get(), node)
        } catch {
            note("This node keeps no history of measurements: \(error)")
            return nil
        }
    }

    private init(_ database: StateDatabase, _ node: NodeSurroundings) {
        self.database = database
        let history = StoredHistory(database)
        let measurements = node.measurements
        measurements.keep(history)
        sampler = HistorySampler(history, sources: { await measurements.families() }, note: node.note)
    }

    var sources: [any MetricSource] { [sampler, StoreMetrics([("history", database)])] }

    func begin() {
        let sampler = sampler
        work.withLock { $0 = Task(priority: .utility) { await sampler.run() } }
    }

    /// Writes what was measured last.
    func close() async {
        let task = work.withLock { $0 }
        task?.cancel()
        await task?.value
        await database.close()
    }
}
