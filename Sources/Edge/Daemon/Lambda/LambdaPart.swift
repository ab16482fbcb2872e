import Engine
import EventSources
import ExecDoor
import Functions
import Linux
import Metering
import Store

/// The function rung with its Lambda API as a part of the node.
package enum LambdaPart {
    /// Makes the part for a node: it serves when this returns, and takes up what a former node was asked to do.
    package static let maker: NodePart.Maker = { node async throws(NodeFailure) in
        let rung = try await FunctionRung.start(node)
        let shifts: ShiftPart
        do throws(NodeFailure) { shifts = try await ShiftPart.open(rung, node) } catch {
            await rung.close()
            throw error
        }
        let doors: LambdaDoors
        do throws(NodeFailure) { doors = try await LambdaDoors.open(rung, shifts, node) } catch {
            await shifts.close()
            await rung.close()
            throw error
        }
        node.functions.set(FunctionPlace.Rung(catalog: rung.catalog, invoker: rung.invoker))
        node.dashboard.add { parts in
            parts.functions = rung
            parts.shifts = shifts.desk
        }
        var part = NodePart(owner: rung.launcher.sandboxes.lives, routes: []) {
            doors.close()
            await shifts.close()
            await rung.close()
        }
        part.sites = [doors.functionURLs]
        part.sources = [
            ShiftMetrics { shifts.states }, rung.ledger.calls, LedgerMetrics(rung.ledger), PoolMetrics(rung.invoker),
            EventMetrics(rung.sources, rung.database), StoreMetrics([("node", rung.database)]),
        ]
        return part
    }
}
