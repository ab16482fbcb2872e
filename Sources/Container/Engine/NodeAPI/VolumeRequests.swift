package import JSON

/// Makes a volume, or finds the one of that name: `volumes.create`.
package struct CreateVolume: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = Volume
    package static let operation = NodeOperation.createVolume

    /// nil: one is made up.
    package var name: String?
    package var labels: [String: String]

    package init(name: String? = nil, labels: [String: String] = [:]) {
        self.name = name
        self.labels = labels
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(name: try reader.optional("name"), labels: try reader.dictionary("labels"))
    }

    package var json: JSONValue { .members(("name", name?.json), ("labels", labels.json)) }
}

/// Which volumes there are: `volumes.list`.
package struct ListVolumes: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = VolumeList
    package static let operation = NodeOperation.listVolumes

    /// "name=PART", "label=KEY[=VALUE]", "dangling=true|false" (no container has it), "driver=local".
    package var filters: [String]

    package init(filters: [String] = []) { self.filters = filters }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(filters: try reader.list("filters"))
    }

    package var json: JSONValue { .members(("filters", filters.json)) }
}

package struct VolumeList: NodeValue {
    /// By name.
    package var volumes: [Volume]

    package init(volumes: [Volume]) { self.volumes = volumes }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(volumes: try reader.nestedList("volumes"))
    }

    package var json: JSONValue { .members(("volumes", .array(volumes.map(\.json)))) }
}

/// One volume: `volumes.inspect`.
package struct InspectVolume: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = Volume
    package static let operation = NodeOperation.inspectVolume

    package var name: String

    package init(name: String) { self.name = name }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(name: try reader.required("name"))
    }

    package var json: JSONValue { .members(("name", name.json)) }
}

/// Removes a volume that no container has, with its files: `volumes.remove`.
package struct RemoveVolume: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.removeVolume

    package var name: String

    package init(name: String) { self.name = name }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(name: try reader.required("name"))
    }

    package var json: JSONValue { .members(("name", name.json)) }
}

/// Removes the volumes that no container has: `volumes.prune`.
package struct PruneVolumes: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = PrunedVolumes
    package static let operation = NodeOperation.pruneVolumes

    /// Also those that somebody gave a name.
    package var all: Bool
    /// "label=KEY[=VALUE]", "label!=...".
    package var filters: [String]

    package init(all: Bool = false, filters: [String] = []) {
        self.all = all
        self.filters = filters
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(all: try reader.flag("all"), filters: try reader.list("filters"))
    }

    package var json: JSONValue { .members(("all", all.json), ("filters", filters.json)) }
}

package struct PrunedVolumes: NodeValue {
    package var names: [String]
    package var reclaimedBytes: Int

    package init(names: [String], reclaimedBytes: Int) {
        self.names = names
        self.reclaimedBytes = reclaimedBytes
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(names: try reader.list("names"), reclaimedBytes: try reader.required("reclaimedBytes"))
    }

    package var json: JSONValue { .members(("names", names.json), ("reclaimedBytes", reclaimedBytes.json)) }
}
