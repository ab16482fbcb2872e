import Catalog
import Functions
import Synchronization

/// Where parts of the node that are made after the function rung find it.
package final class FunctionPlace: Sendable {
    struct Rung: Sendable {
        var catalog: FunctionCatalog
        var invoker: FunctionInvoker
    }

    private let place = Mutex<Rung?>(nil)

    /// nil on a node without functions.
    var rung: Rung? { place.withLock { $0 } }

    func set(_ rung: Rung) { place.withLock { $0 = rung } }
}
