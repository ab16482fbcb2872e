package import Engine

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

    /// Makes a part for a node with this link and planner.
    package typealias Maker = @Sendable (KeeperLink, LaunchPlanner) async -> NodePart
}
