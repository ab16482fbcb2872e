import JSON

/// One mount beyond the root (config.md, "Mounts").
package struct MountSpec: Hashable, Sendable {
    /// Inside the container; a relative one is taken from "/".
    package var destination: String
    /// The file system; nil or anything for bind mounts.
    package var type: String?
    /// A device, a name, or for bind mounts a path, absolute or relative to the bundle.
    package var source: String?
    package var options: MountOptions
    /// Both empty, or both not.
    package var uidMappings: [IDMapping]
    package var gidMappings: [IDMapping]

    package init(destination: String, source: String, options: MountOptions) {
        self.destination = destination
        self.source = source
        self.options = options
        uidMappings = []
        gidMappings = []
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        destination = try reader.requiredPath("destination")
        type = try reader.text("type", limit: 255)
        source = try reader.filePath("source")
        let words = try reader.texts("options", count: 256, limit: RuntimeLimits.pathBytes)
        options = MountOptions(words)
        uidMappings = try IDMapping.list(&reader, "uidMappings")
        gidMappings = try IDMapping.list(&reader, "gidMappings")
        guard uidMappings.isEmpty == gidMappings.isEmpty else {
            let (missing, given) = uidMappings.isEmpty ? ("uidMappings", "gidMappings") : ("gidMappings", "uidMappings")
            throw reader.error(missing, "expected a mapping, since \(given) has one")
        }
    }
}

/// A range of ids of the container and what they are outside (config-linux.md, "User namespace mappings").
package struct IDMapping: Hashable, Sendable {
    package var containerID: UInt32
    package var hostID: UInt32
    /// At least 1.
    package var size: UInt32

    package init(containerID: UInt32, hostID: UInt32, size: UInt32) {
        self.containerID = containerID
        self.hostID = hostID
        self.size = size
    }

    private init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        containerID = try reader.required("containerID")
        hostID = try reader.required("hostID")
        size = try reader.required("size")
        guard size > 0 else { throw reader.error("size", "expected 1 or more ids, found 0") }
        // The last id, 2^32 - 1, is nobody's.
        for (key, first) in [("containerID", containerID), ("hostID", hostID)] {
            guard UInt64(first) + UInt64(size) <= UInt64(UInt32.max) else {
                throw reader.error(key, "\(size) ids from \(first) on go beyond 4294967294")
            }
        }
    }

    /// A whole map: bounded, and no id twice on one side (user_namespaces(7)).
    static func list(_ reader: inout JSONObjectReader, _ key: String) throws(JSONShapeError) -> [IDMapping] {
        let map = try reader.parts(key, count: RuntimeLimits.mapRanges) { entry throws(JSONShapeError) in
            try IDMapping(&entry)
        }
        guard map.count > 1 else { return map }
        for firsts in [map.map { $0.containerID }, map.map { $0.hostID }] {
            let sorted = map.indices.sorted { firsts[$0] < firsts[$1] }
            for (lower, upper) in zip(sorted, sorted.dropFirst())
            where UInt64(firsts[lower]) + UInt64(map[lower].size) > UInt64(firsts[upper]) {
                throw reader.error("\(key)[\(max(lower, upper))]", "it overlaps another range")
            }
        }
        return map
    }
}
