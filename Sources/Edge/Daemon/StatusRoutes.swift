import Engine
import Linux

/// What the node says of itself: `node.version` and `node.status`.
struct StatusRoutes: Sendable {
    let settings: NodeSettings
    let startedAt: Timestamp
    let engine: ContainerEngine
    let link: KeeperLink
    let remarks: [String]

    /// The version of the local API: a node and a command line of one number understand each other.
    static let apiVersion = 1

    var routes: [NodeRoute] {
        [
            NodeRoute(GetVersion.self) { _, _ async throws(NodeFailure) in
                NodeVersion(version: self.settings.version, api: Self.apiVersion)
            },
            NodeRoute(GetStatus.self) { _, _ async throws(NodeFailure) in try await self.status() },
        ]
    }

    private func status() async throws(NodeFailure) -> NodeStatus {
        let counts = engine.counts
        let strangers = await link.strangers.map { "the keeper has a sandbox \($0) of unknown origin" }
        return NodeStatus(
            version: settings.version, pid: OwnProcess.pid, startedAt: startedAt, stateDirectory: settings.state,
            runDirectory: settings.run, residentBytes: CurrentProcess.residentBytes(), containers: counts.all,
            running: counts.running, keeper: try await link.status(), remarks: remarks + strangers)
    }
}
