import JSON

/// Objects reduced to their metadata (meta/v1.PartialObjectMetadata), from their JSON as it is stored: the metadata's
/// bytes are taken over as they are.
///
/// Invariant: of JSON that is no object with metadata, what is written is still one with empty metadata.
/// (test: `metadata of anything is an object`)
package struct PartialMetadata: Sendable {
    /// "v1" or "v1beta1" of meta.k8s.io.
    package let version: String

    package init(version: String = "v1") { self.version = version }

    private static let projection = JSONProjection([])

    package func object(_ object: [UInt8]) -> [UInt8] {
        Self.object(object, span: Self.span(of: object), version: version)
    }

    package func list(_ objects: some Sequence<[UInt8]>, _ head: ListHead) -> [UInt8] {
        var bytes = Array(
            "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/\(version)\",".utf8)
        bytes += head.bytes
        bytes += ",\"items\":[".utf8
        var isFirst = true
        for object in objects {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            bytes += self.object(object)
        }
        bytes += "]}".utf8
        return bytes
    }

    /// An event of a watch.
    /// - Parameter type: "ADDED", "MODIFIED", "DELETED".
    package func event(_ type: String, _ object: [UInt8]) -> [UInt8] {
        Array("{\"type\":\"\(type)\",\"object\":".utf8) + self.object(object) + Array("}".utf8)
    }

    /// Where the metadata is; nil when there is none.
    private static func span(of object: [UInt8]) -> Range<Int>? {
        (try? projection.value(in: object, spanOf: "metadata"))?.span
    }

    static func object(_ object: [UInt8], span: Range<Int>?, version: String) -> [UInt8] {
        var bytes = Array(
            "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/\(version)\",\"metadata\":".utf8)
        if let span, object[span].first == UInt8(ascii: "{") { bytes += object[span] } else { bytes += "{}".utf8 }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}
