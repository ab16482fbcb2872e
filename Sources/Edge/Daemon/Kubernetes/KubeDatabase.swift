import Engine
import KubeStore
import Linux
import Store

/// The database of the Kubernetes API, STATE/kubernetes.db: every object that was declared, and its recent history.
enum KubeDatabase {
    static func open(state: String) async throws(NodeFailure) -> (StateDatabase, ObjectStore) {
        let result: Result<StateDatabase, StoreFailure>
        do throws(SystemError) {
            result = try await BlockingPool.shared.run { () throws(SystemError) in
                Result { () throws(StoreFailure) in
                    try StateDatabase(path: "\(state)/kubernetes.db", migrations: ObjectStore.migrations)
                }
            }
        } catch { throw NodeFailure(.system, "open the database of the Kubernetes API: \(error)") }
        let database: StateDatabase
        do { database = try result.get() } catch { throw NodeFailure(.system, "\(error)") }
        do throws(ObjectStoreFailure) { return (database, try await ObjectStore.open(database)) } catch {
            throw NodeFailure(.system, "open the objects of the Kubernetes API: \(error)")
        }
    }
}
