package import JSON
package import OCI

/// {"name":...,"id":"sha256:..."}
extension ContainerImage: NodeValue {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(try reader.required("name"), id: try reader.parsed("id", "a digest") { Digest($0) })
    }

    package var json: JSONValue { .members(("name", name.json), ("id", id?.description.json)) }
}

/// {"kind":"own"}, {"kind":"host"}, {"kind":"container","container":...}
extension ProcessSharing: NodeValue {
    private enum Kind: String, CaseIterable { case own, host, container }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        switch try reader.word("kind") as Kind {
        case .own: self = .own
        case .host: self = .host
        case .container: self = .container(try reader.required("container"))
        }
    }

    package var json: JSONValue {
        switch self {
        case .own: ["kind": "own"]
        case .host: ["kind": "host"]
        case .container(let container): ["kind": "container", "container": container.json]
        }
    }
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
