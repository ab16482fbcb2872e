internal import JSON
package import Linux
package import OCI

/// What a step gave: its layer, or that it changed no file.
package struct CacheRecord: Hashable, Sendable {
    package var layer: StackLayer?
    /// When the step ran first: images of steps that are all in the cache are the same images. RFC 3339.
    package var created: String
    /// The instruction, for people.
    package var title: String
    /// When it was made or used last.
    package var used: Timestamp

    package init(layer: StackLayer?, created: String, title: String, used: Timestamp) {
        self.layer = layer
        self.created = created
        self.title = title
        self.used = used
    }

    /// What it takes on the disk: the layer's blob.
    package var bytes: Int { layer?.size ?? 0 }
}

/// A layer of an image that is being built.
package struct StackLayer: Hashable, Sendable {
    package var mediaType: String
    /// Of the blob.
    package var digest: Digest
    /// Of the blob, in bytes.
    package var size: Int
    /// Of the uncompressed tar.
    package var diff: Digest

    package init(mediaType: String, digest: Digest, size: Int, diff: Digest) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.diff = diff
    }

    var descriptor: Descriptor { Descriptor(mediaType: mediaType, digest: digest, size: size) }
}

extension CacheRecord {
    var encoded: [UInt8] {
        var json: JSONValue = [
            "version": 1, "created": .string(created), "title": .string(title),
            "used": .integer(Int64(used.nanoseconds)),
        ]
        if let layer {
            json["layer"] = [
                "mediaType": .string(layer.mediaType), "digest": layer.digest.json, "size": .integer(Int64(layer.size)),
                "diff": layer.diff.json,
            ]
        }
        return JSONWriter.bytes(json, .indented(1))
    }

    /// nil for what this version did not write: the step runs again.
    init?(_ bytes: [UInt8]) {
        guard let json = try? JSONParser.parse(bytes), let record = try? CacheRecord(json) else { return nil }
        self = record
    }

    private init(_ json: JSONValue) throws(JSONShapeError) {
        var reader = try JSONObjectReader(json)
        let version: Int = try reader.required("version")
        guard version == 1 else { throw reader.error("version", "this one reads 1") }
        let layer = try reader.object("layer") { layer throws(JSONShapeError) in
            let size: Int = try layer.required("size")
            guard size >= 0 else { throw layer.error("size", "expected 0 or more") }
            return StackLayer(
                mediaType: try layer.required("mediaType"), digest: try layer.required("digest"), size: size,
                diff: try layer.required("diff"))
        }
        self.init(
            layer: layer, created: try reader.required("created"), title: try reader.required("title"),
            used: Timestamp(nanoseconds: try reader.required("used")))
    }
}
