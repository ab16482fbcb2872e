internal import JSON

/// A manifest, index or image config that is not what the specification describes, or is beyond a limit.
///
/// Reads `the image manifest cannot be used: layers[2].digest: expected a digest (...), found a string`.
package struct DocumentError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which kind of document: "image manifest".
    package var document: String
    package var problem: String

    package init(_ document: String, _ problem: String) {
        self.document = document
        self.problem = problem
    }

    package var description: String { "the \(document) cannot be used: \(problem)" }
}

/// How much of a document from outside is accepted. A document is parsed in memory, so that without limits an
/// image of a few kilobytes could use up the machine (CVE-2026-47262, CVE-2023-25153).
package enum DocumentLimits {
    /// Bytes of a manifest or index: what registries promise to accept (distribution-spec, "Pushing Manifests").
    package static let manifestBytes = 4 << 20
    /// Bytes of an image config.
    package static let configBytes = 4 << 20
    /// Layers of an image: overlayfs takes 500 lower directories (Documentation/filesystems/overlayfs.rst).
    package static let layers = 500
    /// Manifests in an index.
    package static let manifests = 1024
    /// Entries of the history; some of them have no layer.
    package static let history = 4096
    /// Bytes of one blob: no image has a layer of a tebibyte.
    package static let blobBytes = 1 << 40
}

/// Reads one document: size first, then syntax, then shape.
func readDocument<Document>(
    _ name: String, _ bytes: [UInt8], limit: Int,
    _ read: (inout JSONObjectReader) throws(JSONShapeError) -> Document
) throws(DocumentError) -> Document {
    guard bytes.count <= limit else {
        throw DocumentError(name, "it has \(bytes.count) bytes; at most \(limit) are accepted")
    }
    let value: JSONValue
    do throws(JSONError) { value = try JSONParser.parse(bytes) } catch {
        throw DocumentError(name, "it is not JSON: \(error)")
    }
    do throws(JSONShapeError) {
        // The parser takes NUL only as an escape, so that a document without a backslash need not be looked through.
        if bytes.contains(UInt8(ascii: "\\")) { try refuseNUL(value, path: "") }
        var reader = try JSONObjectReader(value)
        return try read(&reader)
    } catch {
        throw DocumentError(name, error.description)
    }
}

/// No field of a document may hold NUL: such a text would be cut off by every system call it reaches.
private func refuseNUL(_ value: JSONValue, path: String) throws(JSONShapeError) {
    switch value {
    case .string(let text): try refuseNUL(text, path)
    case .array(let elements):
        for (index, element) in elements.enumerated() {
            switch element {
            case .string, .array, .object: try refuseNUL(element, path: "\(path)[\(index)]")
            default: continue
            }
        }
    case .object(let object):
        for member in object.members {
            let name = path.isEmpty ? member.key : "\(path).\(member.key)"
            try refuseNUL(member.key, name)
            try refuseNUL(member.value, path: name)
        }
    default: return
    }
}

private func refuseNUL(_ text: String, _ path: String) throws(JSONShapeError) {
    guard !text.utf8.contains(0) else {
        let shown = String(decoding: path.utf8.map { $0 == 0 ? UInt8(ascii: "?") : $0 }, as: UTF8.self)
        throw JSONShapeError(path: shown, problem: "it holds a NUL character")
    }
}
