import JSON

/// A manifest or an index as far as its transfer needs it: what else has to be fetched or sent.
///
/// Invariants
/// 1. A document that could be read both as manifest and as index is refused (CVE-2021-41190).
///    (test: `CVE-2021-41190: a document with both layers and manifests is refused`)
/// 2. What is accepted names at most `partsLimit` parts, each with a checked digest and a size that is no lie by itself
///    (CVE-2024-3727). (test: `CVE-2024-3727: a digest that is a path is refused`)
package enum RemoteDocument: Hashable, Sendable {
    /// Documents longer than this are refused; the distribution specification asks registries to take 4 MiB.
    package static let bytesLimit = 4 << 20
    /// Layers of a manifest, and manifests of an index.
    package static let partsLimit = 1024

    case manifest(config: RemoteContent, layers: [RemoteContent])
    case index([Entry])

    /// One manifest of an index.
    package struct Entry: Hashable, Sendable {
        package var content: RemoteContent
        /// nil: the index does not say.
        package var platform: RemotePlatform?

        package init(content: RemoteContent, platform: RemotePlatform?) {
            self.content = content
            self.platform = platform
        }
    }

    static let indexTypes = [
        "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
    ]
    static let manifestTypes = [
        "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
    ]

    /// Reads a document.
    ///
    /// - Parameters:
    ///   - mediaType: what it was announced as.
    ///   - name: of the image, for messages.
    package init(_ bytes: [UInt8], mediaType: String, name: String) throws(RegistryFailure) {
        let isIndex = Self.indexTypes.contains(mediaType)
        guard isIndex || Self.manifestTypes.contains(mediaType) else {
            throw RegistryFailure(
                .unsupported,
                "\(name) is of the type \(mediaType.debugDescription), which is neither an image manifest nor an index")
        }
        do {
            var reader = try JSONObjectReader(try JSONParser.parse(bytes))
            let inside: String? = try reader.optional("mediaType")
            if let inside, inside != mediaType {
                throw reader.error("mediaType", "\(inside.debugDescription), but it was announced as \(mediaType)")
            }
            let layers: JSONValue? = try reader.optional("layers")
            let manifests: JSONValue? = try reader.optional("manifests")
            guard (layers == nil) != (manifests == nil), (manifests != nil) == isIndex else {
                throw reader.error(
                    isIndex ? "manifests" : "layers", "an index has \"manifests\", a manifest \"layers\", none has both"
                )
            }
            self = isIndex ? try Self.index(&reader) : try Self.manifest(&reader)
        } catch {
            throw RegistryFailure(.untrustworthy, "read the manifest of \(name): \(error)")
        }
    }

    private static func manifest(_ reader: inout JSONObjectReader) throws(JSONShapeError) -> RemoteDocument {
        let config = try reader.object("config") { part throws(JSONShapeError) in try content(&part) }
        guard let config else { throw reader.error("config", "expected an object, found nothing") }
        let layers = try reader.array("layers") { part throws(JSONShapeError) in try content(&part) }
        guard layers.count <= partsLimit else { throw reader.error("layers", "more than \(partsLimit)") }
        return .manifest(config: config, layers: layers)
    }

    private static func index(_ reader: inout JSONObjectReader) throws(JSONShapeError) -> RemoteDocument {
        let entries = try reader.array("manifests") { part throws(JSONShapeError) in
            let platform = try part.object("platform") { platform throws(JSONShapeError) in
                RemotePlatform(
                    os: try platform.required("os"), architecture: try platform.required("architecture"),
                    variant: try platform.optional("variant"))
            }
            return Entry(content: try content(&part), platform: platform)
        }
        guard entries.count <= partsLimit else { throw reader.error("manifests", "more than \(partsLimit)") }
        return .index(entries)
    }

    private static func content(_ part: inout JSONObjectReader) throws(JSONShapeError) -> RemoteContent {
        let text: String = try part.required("digest")
        guard let digest = RemoteDigest(text) else {
            throw part.error("digest", "expected a sha256 or sha512 digest, found \(text.debugDescription)")
        }
        let size: Int64 = try part.required("size")
        guard size >= 0 else { throw part.error("size", "below zero") }
        return RemoteContent(mediaType: try part.required("mediaType"), digest: digest, size: size)
    }
}
