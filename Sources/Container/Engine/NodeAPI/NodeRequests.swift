package import Linux

/// Which node answers: `node.version`.
package struct GetVersion: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NodeVersion
    package static let operation = NodeOperation.nodeVersion

    package init() {}
}

package struct NodeVersion: NodeValue {
    /// The version of Forkless, "0.1.0".
    package var version: String
    /// The version of the local API.
    package var api: Int

    package init(version: String, api: Int) {
        self.version = version
        self.api = api
    }
}

/// How the node and its keeper are doing: `node.status`.
package struct GetStatus: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NodeStatus
    package static let operation = NodeOperation.nodeStatus

    package init() {}
}

package struct NodeStatus: NodeValue {
    package var version: String
    package var pid: Int32
    package var startedAt: Timestamp
    package var stateDirectory: String
    package var runDirectory: String
    package var residentBytes: Int
    /// How many containers are known, and how many of them run.
    package var containers: Int
    package var running: Int
    /// nil while no keeper is connected.
    package var keeper: KeeperSummary?
    /// What was found at the last start and left alone: unreadable records, sandboxes of unknown origin.
    package var remarks: [String]

    package init(
        version: String, pid: Int32, startedAt: Timestamp, stateDirectory: String, runDirectory: String,
        residentBytes: Int, containers: Int, running: Int, keeper: KeeperSummary?, remarks: [String]
    ) {
        self.version = version
        self.pid = pid
        self.startedAt = startedAt
        self.stateDirectory = stateDirectory
        self.runDirectory = runDirectory
        self.residentBytes = residentBytes
        self.containers = containers
        self.running = running
        self.keeper = keeper
        self.remarks = remarks
    }
}

/// The keeper as the node sees it.
package struct KeeperSummary: NodeValue {
    package var pid: Int32
    package var build: String
    package var running: Int
    package var prepared: Int
    package var templates: Int
    package var starts: Int
    package var residentBytes: Int
    package var openDescriptors: Int

    package init(
        pid: Int32, build: String, running: Int, prepared: Int, templates: Int, starts: Int, residentBytes: Int,
        openDescriptors: Int
    ) {
        self.pid = pid
        self.build = build
        self.running = running
        self.prepared = prepared
        self.templates = templates
        self.starts = starts
        self.residentBytes = residentBytes
        self.openDescriptors = openDescriptors
    }
}
