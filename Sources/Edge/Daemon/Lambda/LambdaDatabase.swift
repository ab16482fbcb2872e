import Catalog
import Engine
import EventSources
import ExecDoor
import Linux
import Metering
import Store

/// The database of a node's functions, STATE/node.db: what is declared, accepted and recorded.
enum LambdaDatabase {
    static func open(state: String) async throws(NodeFailure) -> StateDatabase {
        let result: Result<StateDatabase, StoreFailure>
        do throws(SystemError) {
            result = try await BlockingPool.shared.run { () throws(SystemError) in
                Result { () throws(StoreFailure) in
                    try StateDatabase(path: "\(state)/node.db", migrations: migrations)
                }
            }
        } catch { throw NodeFailure(.system, "open the node's database: \(error)") }
        do { return try result.get() } catch { throw NodeFailure(.system, "\(error)") }
    }

    private static var migrations: [StoreMigration] {
        CatalogTables.migrations + Metering.migrations + EventSourceTables.migrations + ShiftTables.migrations
    }
}
