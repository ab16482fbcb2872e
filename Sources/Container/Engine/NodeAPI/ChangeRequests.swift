package import JSON

// What changes a container without ending it.

/// Freezes everything in a running container: `containers.pause`.
package struct PauseContainer: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.pauseContainer

    package var container: String

    package init(container: String) { self.container = container }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(container: try reader.required("container"))
    }

    package var json: JSONValue { .members(("container", container.json)) }
}

/// Lets a paused container go on: `containers.unpause`.
package struct ResumeContainer: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.resumeContainer

    package var container: String

    package init(container: String) { self.container = container }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(container: try reader.required("container"))
    }

    package var json: JSONValue { .members(("container", container.json)) }
}

/// Gives a container another name: `containers.rename`.
package struct RenameContainer: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.renameContainer

    package var container: String
    package var name: String

    package init(container: String, name: String) {
        self.container = container
        self.name = name
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(container: try reader.required("container"), name: try reader.required("name"))
    }

    package var json: JSONValue { .members(("container", container.json), ("name", name.json)) }
}

/// Changes what a container may use and when it is started again, at once where it runs: `containers.update`.
/// What is nil stays as it is.
package struct UpdateContainer: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.updateContainer

    package var container: String
    /// 0: no limit any more.
    package var memoryBytes: Int?
    /// In thousandths; 0: no limit any more.
    package var milliCPUs: Int?
    package var cpuShares: Int?
    /// 0: no limit any more.
    package var pidsLimit: Int?
    /// As the kernel writes it; empty: every one.
    package var cpus: String?
    /// The words of `--restart`.
    package var restart: String?

    package init(container: String) { self.container = container }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(container: try reader.required("container"))
        memoryBytes = try reader.optional("memoryBytes")
        milliCPUs = try reader.optional("milliCPUs")
        cpuShares = try reader.optional("cpuShares")
        pidsLimit = try reader.optional("pidsLimit")
        cpus = try reader.optional("cpuset")
        restart = try reader.optional("restart")
    }

    package var json: JSONValue {
        .members(
            ("container", container.json), ("memoryBytes", memoryBytes?.json), ("milliCPUs", milliCPUs?.json),
            ("cpuShares", cpuShares?.json), ("pidsLimit", pidsLimit?.json), ("cpuset", cpus?.json),
            ("restart", restart?.json))
    }
}

/// Removes every container that does not run: `containers.prune`.
package struct PruneContainers: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = PrunedContainers
    package static let operation = NodeOperation.pruneContainers

    /// "label=KEY[=VALUE]", "label!=...", "until=TIME" (made before).
    package var filters: [String]

    package init(filters: [String] = []) { self.filters = filters }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(filters: try reader.list("filters"))
    }

    package var json: JSONValue { .members(("filters", filters.json)) }
}

package struct PrunedContainers: NodeValue {
    package var ids: [String]
    package var reclaimedBytes: Int

    package init(ids: [String], reclaimedBytes: Int) {
        self.ids = ids
        self.reclaimedBytes = reclaimedBytes
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(ids: try reader.list("ids"), reclaimedBytes: try reader.required("reclaimedBytes"))
    }

    package var json: JSONValue { .members(("ids", ids.json), ("reclaimedBytes", reclaimedBytes.json)) }
}
