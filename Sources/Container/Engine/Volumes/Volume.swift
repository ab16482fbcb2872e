package import JSON
package import Linux

/// Files that outlive containers: a directory of the node's that containers mount by its name.
package struct Volume: NodeValue {
    package var name: String
    package var createdAt: Timestamp
    package var labels: [String: String]
    /// Made for one container, without a name of its user's choice.
    package var isAnonymous: Bool
    /// Where its files are on this machine.
    package var mountpoint: String

    package init(
        name: String, createdAt: Timestamp, labels: [String: String] = [:], isAnonymous: Bool = false, mountpoint: String
    ) {
        self.name = name
        self.createdAt = createdAt
        self.labels = labels
        self.isAnonymous = isAnonymous
        self.mountpoint = mountpoint
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            name: try reader.required("name"), createdAt: try reader.required("createdAt"),
            labels: try reader.dictionary("labels"), isAnonymous: try reader.flag("anonymous"),
            mountpoint: try reader.required("mountpoint"))
        let _: String? = try reader.optional("driver")
        let _: String? = try reader.optional("scope")
    }

    package var json: JSONValue {
        .members(
            ("name", name.json), ("driver", "local"), ("scope", "local"), ("mountpoint", mountpoint.json),
            ("createdAt", createdAt.json), ("labels", labels.json), ("anonymous", isAnonymous.json))
    }
}
