package import Engine
package import HTTPServing
package import Images
package import Metrics
package import Networking
import NodeLogs

/// What a target adds to a node: operations that it serves, sandboxes that it owns, and how it ends.
package struct NodePart: Sendable {
    package var owner: (any SandboxOwner)?
    package var routes: [NodeRoute]
    /// What it serves at the node's HTTP address.
    package var pages: [NodePage] = []
    package var sites: [NodeSite] = []
    /// What it measures, for /metrics and the history.
    package var sources: [any MetricSource] = []
    /// Called once, when all parts are made and the keeper is there. What it throws is why the node cannot start.
    package var begin: @Sendable (NodeOffers) async throws(NodeFailure) -> Void = { _ in }
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

/// What all parts of a node offer each other.
package struct NodeOffers: Sendable {
    package let pages: [NodePage]
    package let sites: [NodeSite]
    package let sources: [any MetricSource]

    init(_ parts: [NodePart]) {
        pages = parts.flatMap(\.pages)
        sites = parts.flatMap(\.sites)
        sources = parts.flatMap(\.sources)
    }
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
    /// What happened.
    package let journal: EventJournal
    /// Where bridges and rules are made.
    package let machine: MachineNetwork
    package let functions = FunctionPlace()
    /// What the dashboard shows.
    package let dashboard = DashboardPlace()
    /// Where the node's pages are.
    package let http = HTTPPlace()
    /// What the node measures; asked once all parts are made.
    package let measurements = Measurements()
    /// The threads that serve calls of functions and the node's pages.
    package let loops: ServingLoops
    package let log: NodeLog

    /// Takes sentences for the node's log.
    package func note(_ sentence: String) { log.write(.warn, "node", sentence) }
}
