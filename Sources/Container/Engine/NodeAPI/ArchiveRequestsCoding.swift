package import JSON
import OCI

extension SaveImages {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(images: try reader.list("images"), format: try reader.word("format", default: .both))
    }

    package var json: JSONValue { ["images": images.json, "format": .string(format.rawValue)] }
}

extension LoadImages {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(platform: try reader.platform())
    }

    package var json: JSONValue { .members(("platform", platform?.description.json)) }
}

extension ImagesLoaded {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(images: try reader.nestedList("images"))
    }

    package var json: JSONValue { ["images": .array(images.map(\.json))] }
}

extension ImagesLoaded.Image {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(id: try reader.required("id"), names: try reader.list("names"))
    }

    package var json: JSONValue { ["id": id.json, "names": names.json] }
}

extension ImportImage {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            name: try reader.optional("name"), platform: try reader.platform(), message: try reader.optional("message"),
            changes: try reader.list("changes"))
    }

    package var json: JSONValue {
        .members(
            ("name", name?.json), ("platform", platform?.description.json), ("message", message?.json),
            ("changes", changes.isEmpty ? nil : changes.json))
    }
}

extension CommitContainer {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            container: try reader.required("container"), name: try reader.optional("name"),
            author: try reader.optional("author"), message: try reader.optional("message"),
            changes: try reader.list("changes"), pauses: try reader.optional("pauses") ?? true)
    }

    package var json: JSONValue {
        .members(
            ("container", container.json), ("name", name?.json), ("author", author?.json), ("message", message?.json),
            ("changes", changes.isEmpty ? nil : changes.json), ("pauses", pauses.json))
    }
}

extension ImageMade {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(id: try reader.required("id"))
    }

    package var json: JSONValue { ["id": id.json] }
}

extension ExportContainer {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(container: try reader.required("container"))
    }

    package var json: JSONValue { ["container": container.json] }
}

extension ContainerChanges {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(container: try reader.required("container"))
    }

    package var json: JSONValue { ["container": container.json] }
}

extension FileChanges {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(changes: try reader.nestedList("changes"))
    }

    package var json: JSONValue { ["changes": .array(changes.map(\.json))] }
}

extension FileChanges.Change {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(kind: try reader.word("kind"), path: try reader.required("path"))
    }

    package var json: JSONValue { ["kind": .string(kind.rawValue), "path": path.json] }
}

extension GetDiskUsage {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) { self.init() }

    package var json: JSONValue { .object([:]) }
}

extension NodeDiskUsage {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(parts: try reader.nestedList("parts"))
    }

    package var json: JSONValue { ["parts": .array(parts.map(\.json))] }
}

extension NodeDiskUsage.Part {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            name: try reader.required("name"), total: try reader.required("total"),
            active: try reader.required("active"), bytes: try reader.required("bytes"),
            reclaimableBytes: try reader.required("reclaimableBytes"))
    }

    package var json: JSONValue {
        [
            "name": name.json, "total": total.json, "active": active.json, "bytes": bytes.json,
            "reclaimableBytes": reclaimableBytes.json,
        ]
    }
}

extension JSONObjectReader {
    /// A platform that may be missing.
    mutating func platform() throws(JSONShapeError) -> Platform? {
        try parsed("platform", "a platform such as linux/arm64") { Platform($0) }
    }
}
