import Engine
import Functions
import Linux

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
        return NodePart(owner: rung.launcher.sandboxes, routes: []) {
            await doors.close()
            await shifts.close()
            await rung.close()
        }
    }
}
