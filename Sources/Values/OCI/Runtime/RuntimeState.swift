package import JSON

/// What a container is doing (runtime.md, "State"): what `state` prints and hooks read from their standard input.
package struct RuntimeState: Hashable, Sendable {
    package enum Status: String, NamedBySpecification {
        case creating, created, running, stopped
        /// Not of the specification, but of every runtime that can pause.
        case paused
    }

    package var ociVersion: String
    package var id: String
    package var status: Status
    /// 0 when there is no process.
    package var pid: Int32
    /// Absolute.
    package var bundle: String
    package var annotations: [String: String]
    /// The root file system's path outside; managers read it though the specification does not have it.
    package var root: String?
    /// When it was created, RFC 3339.
    package var created: String?
    /// The name of the user who created it.
    package var owner: String?

    package init(
        id: String, status: Status, pid: Int32 = 0, bundle: String, annotations: [String: String] = [:],
        root: String? = nil, created: String? = nil, owner: String? = nil
    ) {
        ociVersion = RuntimeSpec.version
        self.id = id
        self.status = status
        self.pid = pid
        self.bundle = bundle
        self.annotations = annotations
        self.root = root
        self.created = created
        self.owner = owner
    }

    package init(_ bytes: [UInt8]) throws(DocumentError) {
        self = try readRuntimeDocument("container's state", bytes) { reader throws(JSONShapeError) in
            try RuntimeState(&reader)
        }
    }

    package init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        ociVersion = try reader.requiredText("ociVersion", limit: 64)
        id = try reader.requiredText("id", limit: 1024)
        status = try reader.requiredName("status")
        pid = try reader.optional("pid") ?? 0
        guard pid >= 0 else { throw reader.error("pid", "expected 0 or more, found \(pid)") }
        bundle = try reader.requiredPath("bundle")
        annotations = try reader.textByName("annotations")
        root = try reader.filePath("rootfs")
        created = try reader.text("created", limit: 64)
        owner = try reader.text("owner", limit: 4095)
    }

    package var json: JSONValue {
        var json: JSONValue = [
            "ociVersion": .string(ociVersion), "id": .string(id), "pid": pid.json, "status": .string(status.rawValue),
            "bundle": .string(bundle),
        ]
        if let root { json["rootfs"] = .string(root) }
        if let created { json["created"] = .string(created) }
        if !annotations.isEmpty { json["annotations"] = annotations.json }
        if let owner { json["owner"] = .string(owner) }
        return json
    }

    /// What is sent along with a seccomp listener (config-linux.md, "The Container Process State").
    package func listenerState(pid: Int32, metadata: String?) -> JSONValue {
        var json: JSONValue = [
            "ociVersion": .string(ociVersion), "fds": ["seccompFd"], "pid": pid.json, "state": self.json,
        ]
        if let metadata { json["metadata"] = .string(metadata) }
        return json
    }
}
