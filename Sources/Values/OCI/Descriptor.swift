package import JSON

/// What a manifest or index says about a blob: what it is, its digest and its length (image-spec descriptor.md).
package struct Descriptor: Hashable, Sendable {
    package var mediaType: String
    package var digest: Digest
    /// In bytes; from 0 to `DocumentLimits.blobBytes`.
    package var size: Int
    /// In an index: which machines the manifest is for.
    package var platform: Platform?
    package var annotations: [String: String]

    package init(
        mediaType: String, digest: Digest, size: Int, platform: Platform? = nil, annotations: [String: String] = [:]
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.platform = platform
        self.annotations = annotations
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        mediaType = try reader.required("mediaType")
        digest = try reader.required("digest")
        size = try reader.required("size")
        guard (0...DocumentLimits.blobBytes).contains(size) else {
            throw reader.error("size", "expected 0 to \(DocumentLimits.blobBytes) bytes, found \(size)")
        }
        platform = try reader.object("platform") { platform throws(JSONShapeError) in try Platform(&platform) }
        annotations = try reader.dictionary("annotations")
    }

    package var json: JSONValue {
        var json: JSONValue = [
            "mediaType": .string(mediaType), "digest": digest.json, "size": .integer(Int64(size)),
        ]
        if let platform { json["platform"] = platform.json }
        if !annotations.isEmpty { json["annotations"] = annotations.json }
        return json
    }
}
