package import JSON
package import OCI

/// {"name":...,"id":"sha256:..."}
extension ContainerImage: NodeValue {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(try reader.required("name"), id: try reader.parsed("id", "a digest") { Digest($0) })
    }

    package var json: JSONValue { .members(("name", name.json), ("id", id?.description.json)) }
}

/// As image configs write it.
extension Healthcheck: NodeValue {}

/// {"source":...,"target":...,"permissions":"rwm"}
extension ContainerDevice: NodeValue {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            source: try reader.required("source"), target: try reader.required("target"),
            permissions: try reader.required("permissions"))
    }

    package var json: JSONValue {
        ["source": source.json, "target": target.json, "permissions": permissions.json]
    }
}
