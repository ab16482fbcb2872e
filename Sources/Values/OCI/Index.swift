internal import JSON

/// An image index: the manifests of one image for several platforms (image-spec image-index.md; Docker's "manifest
/// list" has the same shape).
///
/// Invariants (each with a test in IndexTests):
/// 1. `bytes` are those that were read.
/// 2. A document with `layers` or `config` is refused (CVE-2021-41190).
/// 3. The choice for a platform is the nearest match, and of equally near ones the first: the same for the same bytes.
package struct Index: Hashable, Sendable {
    /// The document itself.
    package let bytes: [UInt8]
    package let mediaType: String
    package let manifests: [Descriptor]
    package let annotations: [String: String]

    /// Reads an index. `mediaType` is what the sender called it, nil when nobody did.
    package init(_ bytes: [UInt8], mediaType: String? = nil) throws(DocumentError) {
        self = try readDocument("image index", bytes, limit: DocumentLimits.manifestBytes) {
            reader throws(JSONShapeError) in
            try Index(&reader, bytes: bytes, sentAs: mediaType)
        }
    }

    /// Writes an index: the same values give the same bytes.
    package init(mediaType: String = MediaType.index, manifests: [Descriptor], annotations: [String: String] = [:]) {
        self.mediaType = mediaType
        self.manifests = manifests
        self.annotations = annotations
        var json: JSONValue = [
            "schemaVersion": 2, "mediaType": .string(mediaType), "manifests": .array(manifests.map(\.json)),
        ]
        if !annotations.isEmpty { json["annotations"] = annotations.json }
        bytes = JSONWriter.bytes(json)
    }

    private init(_ reader: inout JSONObjectReader, bytes: [UInt8], sentAs: String?) throws(JSONShapeError) {
        self.bytes = bytes
        try checkKind(&reader, foreign: ["layers", "config", "fsLayers"])
        mediaType = try documentType(&reader, sentAs: sentAs, fallback: MediaType.index, MediaType.isIndex)
        manifests = try boundedDescriptors(&reader, "manifests", limit: DocumentLimits.manifests)
        annotations = try reader.dictionary("annotations")
    }

    /// The manifest (or nested index) that fits a machine best; nil when none does. One that names no platform fits
    /// only when there is no other: an index with a single entry need not name it.
    package func manifest(for platform: Platform) -> Descriptor? {
        var best: (distance: Int, descriptor: Descriptor)?
        for descriptor in manifests {
            guard let its = descriptor.platform, let distance = platform.distance(to: its) else { continue }
            if best.map({ distance < $0.distance }) ?? true { best = (distance, descriptor) }
        }
        if let best { return best.descriptor }
        return manifests.count == 1 && manifests[0].platform == nil ? manifests[0] : nil
    }
}

/// A document of which it is not known yet whether it is a manifest or an index.
package enum ImageDocument: Hashable, Sendable {
    case manifest(Manifest)
    case index(Index)

    /// Reads either; the media type decides, and where there is none the fields do.
    package init(_ bytes: [UInt8], mediaType: String? = nil) throws(DocumentError) {
        let isIndex = try readDocument("image document", bytes, limit: DocumentLimits.manifestBytes) {
            reader throws(JSONShapeError) in
            let own: String? = try reader.optional("mediaType")
            let manifests: JSONValue? = try reader.optional("manifests")
            guard let type = mediaType ?? own else { return manifests != nil }
            return MediaType.isIndex(type)
        }
        self = isIndex ? .index(try Index(bytes, mediaType: mediaType)) : .manifest(try Manifest(bytes, mediaType: mediaType))
    }

    package var bytes: [UInt8] {
        switch self {
        case .manifest(let manifest): manifest.bytes
        case .index(let index): index.bytes
        }
    }

    package var mediaType: String {
        switch self {
        case .manifest(let manifest): manifest.mediaType
        case .index(let index): index.mediaType
        }
    }
}
