package import JSON

/// An image's config: the platform, what it proposes for containers, which layers it is made of and how it came
/// about (image-spec config.md). The digest of its bytes is the image's id.
///
/// Invariants (each with a test in ImageConfigTests):
/// 1. Reading, changing a field and encoding changes that field only: members nobody here knows stay.
/// 2. There are at most `DocumentLimits.layers` layers and `DocumentLimits.history` entries.
/// 3. Encoding the same value gives the same bytes.
package struct ImageConfig: Hashable, Sendable {
    package var platform: Platform
    /// RFC 3339, as written.
    package var created: String?
    package var author: String?
    package var defaults: ImageDefaults
    /// The digests of the layers' uncompressed tars, the lowest layer first.
    package var diffIDs: [Digest]
    package var history: [HistoryEntry]
    /// What was read, for the members that are not known here.
    private var source: JSONValue

    /// Reads a config.
    package init(_ bytes: [UInt8]) throws(DocumentError) {
        let source = try? JSONParser.parse(bytes.count <= DocumentLimits.configBytes ? bytes : [])
        self = try readDocument("image config", bytes, limit: DocumentLimits.configBytes) {
            reader throws(JSONShapeError) in
            try ImageConfig(&reader, source: source ?? .object([:]))
        }
    }

    /// A config of no layers.
    package init(platform: Platform) {
        self.platform = platform
        defaults = ImageDefaults()
        diffIDs = []
        history = []
        source = .object([:])
    }

    private init(_ reader: inout JSONObjectReader, source: JSONValue) throws(JSONShapeError) {
        platform = try Platform(&reader)
        created = try reader.optional("created")
        author = try reader.optional("author")
        defaults = try reader.object("config") { config throws(JSONShapeError) in try ImageDefaults(&config) }
            ?? ImageDefaults()
        let diffIDs = try reader.object("rootfs") { rootfs throws(JSONShapeError) in
            let type: String = try rootfs.required("type")
            guard type == "layers" else { throw rootfs.error("type", "expected \"layers\", found \"\(type)\"") }
            let digests: [Digest] = try rootfs.list("diff_ids")
            return digests
        }
        guard let diffIDs else { throw reader.error("rootfs", "expected an object, found nothing") }
        guard diffIDs.count <= DocumentLimits.layers else {
            throw reader.error(
                "rootfs.diff_ids", "\(diffIDs.count) layers; at most \(DocumentLimits.layers) are accepted")
        }
        self.diffIDs = diffIDs
        history = try reader.array("history") { entry throws(JSONShapeError) in try HistoryEntry(&entry) }
        guard history.count <= DocumentLimits.history else {
            throw reader.error("history", "\(history.count) entries; at most \(DocumentLimits.history) are accepted")
        }
        self.source = source
    }

    /// What it proposes for containers, in the words of the specification, members that nobody here knows included.
    package var proposals: JSONValue {
        var config = source["config"] ?? .object([:])
        if config.isNull { config = .object([:]) }
        defaults.write(into: &config)
        return config
    }

    /// The bytes of the config.
    package func encoded() -> [UInt8] {
        var json = source
        json["created"] = created.map { .string($0) }
        json["author"] = author.map { .string($0) }
        json["architecture"] = .string(platform.architecture)
        json["os"] = .string(platform.os)
        json["os.version"] = platform.osVersion.map { .string($0) }
        // arm alone means v7; both spellings are common, and an image keeps its own.
        let isImplied = platform.architecture == "arm" && platform.variant == "v7" && source["variant"] == nil
        if let variant = platform.variant, !isImplied { json["variant"] = .string(variant) }
        json["config"] = proposals
        json["rootfs"] = ["type": "layers", "diff_ids": diffIDs.json]
        json["history"] = history.isEmpty ? nil : .array(history.map(\.json))
        return JSONWriter.bytes(json)
    }
}
