import ExecDoor
import Functions
import Synchronization

/// What parts of the node leave for the dashboard, which is asked for its pages once all of them are made.
package final class DashboardPlace: Sendable {
    struct Parts: Sendable {
        /// The pools of `run --rung function`.
        var pools: FunctionRegistry?
        var functions: FunctionRung?
        var shifts: ShiftDesk?
        var cluster: KubeCluster?
    }

    private let place = Mutex(Parts())

    var parts: Parts { place.withLock { $0 } }

    func add(_ change: @Sendable (inout Parts) -> Void) { place.withLock { change(&$0) } }
}
