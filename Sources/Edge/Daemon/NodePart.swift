package import Engine
package import Images
package import Networking

/// What a target adds to a node: operations that it serves, sandboxes that it owns, and how it ends.
package struct NodePart: Sendable {
    package var owner: (any SandboxOwner)?
    package var routes: [NodeRoute]
    /// Ends what only this node could use.
    package var close: @Sendable () async -> Void

    package init(
        owner: (any SandboxOwner)?, routes: [NodeRoute], close: @escaping @Sendable () async -> Void = {}
    ) {
        self.owner = owner
        self.routes = routes
        self.close = close
    }

    /// Makes a part for a node. What it throws is why the node cannot start.
    package typealias Maker = @Sendable (NodeSurroundings) async throws(NodeFailure) -> NodePart
}

/// What a node has that its parts work with.
package struct NodeSurroundings: Sendable {
    package let settings: NodeSettings
    package let link: KeeperLink
    package let planner: LaunchPlanner
    package let engine: ContainerEngine
    /// STATE/images.
    package let images: ImageStore
    package let networks: ContainerNetworks
    /// Where bridges and rules are made.
    package let machine: MachineNetwork
    package let functions = FunctionPlace()
    /// Takes sentences for the node's log.
    package let note: @Sendable (String) -> Void
}
