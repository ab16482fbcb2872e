internal import JSON

/// An image manifest: the config and the layers of one image for one platform (image-spec manifest.md; Docker's
/// "image manifest version 2, schema 2" has the same shape).
///
/// Invariants (each with a test in ManifestTests):
/// 1. `bytes` are those that were read: their digest is the image's, whatever else the document holds.
/// 2. A document that has `manifests` beside `layers`, or a media type of something else, is refused: read in two
///    ways it would be two images under one digest (CVE-2021-41190).
/// 3. There are at most `DocumentLimits.layers` layers, each of a media type that Forkless can unpack.
package struct Manifest: Hashable, Sendable {
    /// The document itself.
    package let bytes: [UInt8]
    package let mediaType: String
    package let config: Descriptor
    /// The lowest layer first.
    package let layers: [Descriptor]
    package let annotations: [String: String]

    /// Reads a manifest. `mediaType` is what the sender called it, nil when nobody did.
    package init(_ bytes: [UInt8], mediaType: String? = nil) throws(DocumentError) {
        self = try readDocument("image manifest", bytes, limit: DocumentLimits.manifestBytes) {
            reader throws(JSONShapeError) in
            try Manifest(&reader, bytes: bytes, sentAs: mediaType)
        }
    }

    /// Writes a manifest: the same values give the same bytes.
    package init(
        mediaType: String = MediaType.manifest, config: Descriptor, layers: [Descriptor],
        annotations: [String: String] = [:]
    ) {
        self.mediaType = mediaType
        self.config = config
        self.layers = layers
        self.annotations = annotations
        var json: JSONValue = [
            "schemaVersion": 2, "mediaType": .string(mediaType), "config": config.json,
            "layers": .array(layers.map(\.json)),
        ]
        if !annotations.isEmpty { json["annotations"] = annotations.json }
        bytes = JSONWriter.bytes(json)
    }

    private init(_ reader: inout JSONObjectReader, bytes: [UInt8], sentAs: String?) throws(JSONShapeError) {
        self.bytes = bytes
        try checkKind(&reader, foreign: ["manifests", "fsLayers"])
        mediaType = try documentType(&reader, sentAs: sentAs, fallback: MediaType.manifest, MediaType.isManifest)
        let config = try reader.object("config") { config throws(JSONShapeError) in try Descriptor(&config) }
        guard let config else { throw reader.error("config", "expected an object, found nothing") }
        guard MediaType.isConfig(config.mediaType) else {
            throw reader.error(
                "config.mediaType", "\"\(config.mediaType)\" is no image config: this is an artifact, not an image")
        }
        guard config.size <= DocumentLimits.configBytes else {
            throw reader.error(
                "config.size", "\(config.size) bytes; at most \(DocumentLimits.configBytes) are accepted")
        }
        self.config = config
        let layers = try boundedDescriptors(&reader, "layers", limit: DocumentLimits.layers)
        for (index, layer) in layers.enumerated() where MediaType.compression(ofLayer: layer.mediaType) == nil {
            throw reader.error(
                "layers[\(index)].mediaType", "\"\(layer.mediaType)\" is no layer that can be unpacked here")
        }
        self.layers = layers
        annotations = try reader.dictionary("annotations")
    }
}

/// Refuses what another kind of document has, and other versions of this one.
func checkKind(_ reader: inout JSONObjectReader, foreign: [String]) throws(JSONShapeError) {
    let version: Int = try reader.required("schemaVersion")
    guard version == 2 else {
        throw reader.error("schemaVersion", "expected 2, found \(version): the format before 2016 is not supported")
    }
    for name in foreign {
        let stranger: JSONValue? = try reader.optional(name)
        guard stranger == nil else {
            throw reader.error(name, "it makes the document ambiguous: another kind of document has this field")
        }
    }
}

/// The media type of the document, which must agree with what the sender called it.
func documentType(
    _ reader: inout JSONObjectReader, sentAs: String?, fallback: String, _ accepts: (String) -> Bool
) throws(JSONShapeError) -> String {
    let own: String? = try reader.optional("mediaType")
    if let own, let sentAs, own != sentAs {
        throw reader.error("mediaType", "it says \"\(own)\" and was sent as \"\(sentAs)\"")
    }
    let type = own ?? sentAs ?? fallback
    guard accepts(type) else { throw reader.error("mediaType", "\"\(type)\" is another kind of document") }
    return type
}

/// The descriptors of a list, refused before they are read when there are too many.
func boundedDescriptors(
    _ reader: inout JSONObjectReader, _ key: String, limit: Int
) throws(JSONShapeError) -> [Descriptor] {
    let raw: JSONValue? = try reader.optional(key)
    guard let raw else { throw reader.error(key, "expected an array, found nothing") }
    if let count = raw.array?.count, count > limit {
        throw reader.error(key, "\(count) elements; at most \(limit) are accepted")
    }
    return try reader.array(key) { element throws(JSONShapeError) in try Descriptor(&element) }
}
