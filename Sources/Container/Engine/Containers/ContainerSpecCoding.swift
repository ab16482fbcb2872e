package import JSON

extension ContainerSpec: NodeValue {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(program: try reader.required("program"), arguments: try reader.list("arguments"))
        name = try reader.optional("name")
        rung = try reader.word("rung", default: .container)
        environment = try reader.list("environment")
        directory = try reader.optional("directory")
        user = try reader.optional("user")
        root = try reader.nestedIfThere("root") ?? .host
        mounts = try reader.nestedList("mounts")
        isReadOnly = try reader.flag("readOnly")
        try readLimits(&reader)
        try readRestrictions(&reader)
        hasTerminal = try reader.flag("terminal")
        isInteractive = try reader.flag("interactive")
        removesOnExit = try reader.flag("removeOnExit")
        stopSignal = try reader.optional("stopSignal")
        stopTimeoutSeconds = try reader.optional("stopTimeoutSeconds")
        logBytes = try reader.optional("logBytes")
        labels = try reader.dictionary("labels")
    }

    private mutating func readLimits(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        memoryBytes = try reader.optional("memoryBytes")
        milliCPUs = try reader.optional("milliCPUs")
        pidsLimit = try reader.optional("pidsLimit")
        cpus = try reader.optional("cpuset")
        limits = try reader.nestedList("limits")
    }

    private mutating func readRestrictions(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        network = try reader.wordIfThere("network")
        hostname = try reader.optional("hostname")
        addedCapabilities = try reader.list("addedCapabilities")
        droppedCapabilities = try reader.list("droppedCapabilities")
        hasSystemCallFilter = try reader.optional("systemCallFilter") ?? true
        noNewPrivileges = try reader.optional("noNewPrivileges") ?? true
    }

    package var json: JSONValue {
        .members(
            ("name", name?.json), ("rung", .string(rung.rawValue)), ("program", program.json),
            ("arguments", arguments.json), ("environment", environment.json), ("directory", directory?.json),
            ("user", user?.json), ("root", root.json), ("mounts", .array(mounts.map(\.json))),
            ("readOnly", isReadOnly.json), ("memoryBytes", memoryBytes?.json), ("milliCPUs", milliCPUs?.json),
            ("pidsLimit", pidsLimit?.json), ("cpuset", cpus?.json), ("limits", .array(limits.map(\.json))),
            ("network", (network?.rawValue).map { .string($0) }), ("hostname", hostname?.json),
            ("addedCapabilities", addedCapabilities.json), ("droppedCapabilities", droppedCapabilities.json),
            ("systemCallFilter", hasSystemCallFilter.json), ("noNewPrivileges", noNewPrivileges.json),
            ("terminal", hasTerminal.json), ("interactive", isInteractive.json), ("removeOnExit", removesOnExit.json),
            ("stopSignal", stopSignal?.json), ("stopTimeoutSeconds", stopTimeoutSeconds?.json),
            ("logBytes", logBytes?.json), ("labels", labels.json))
    }
}

/// {"kind":"host"}, {"kind":"directory","path":...}, {"kind":"overlay","lower":[...],"upper":...,"work":...}
extension ContainerRoot: NodeValue {
    private enum Kind: String, CaseIterable { case host, directory, overlay }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        switch try reader.word("kind") as Kind {
        case .host: self = .host
        case .directory: self = .directory(try reader.required("path"))
        case .overlay:
            self = .overlay(
                lower: try reader.list("lower"), upper: try reader.optional("upper"), work: try reader.optional("work"))
        }
    }

    package var json: JSONValue {
        switch self {
        case .host: ["kind": "host"]
        case .directory(let path): ["kind": "directory", "path": path.json]
        case .overlay(let lower, let upper, let work):
            .members(("kind", "overlay"), ("lower", lower.json), ("upper", upper?.json), ("work", work?.json))
        }
    }
}

/// {"kind":"bind","source":...,"target":...,"readOnly":...}, {"kind":"temporary","target":...,"bytes":...}
extension ContainerMount: NodeValue {
    private enum Kind: String, CaseIterable { case bind, temporary }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        switch try reader.word("kind") as Kind {
        case .bind:
            self = .bind(
                source: try reader.required("source"), target: try reader.required("target"),
                isReadOnly: try reader.flag("readOnly"))
        case .temporary: self = .temporary(target: try reader.required("target"), bytes: try reader.optional("bytes"))
        }
    }

    package var json: JSONValue {
        switch self {
        case .bind(let source, let target, let isReadOnly):
            ["kind": "bind", "source": source.json, "target": target.json, "readOnly": isReadOnly.json]
        case .temporary(let target, let bytes):
            .members(("kind", "temporary"), ("target", target.json), ("bytes", bytes?.json))
        }
    }
}

/// Numbers beyond Int64 mean the same as no limit to the kernel and are written as such.
extension ContainerLimit: NodeValue {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        func limit(_ key: String, _ value: Int64?) throws(JSONShapeError) -> UInt64? {
            guard let value else { return nil }
            guard value >= 0 else { throw reader.error(key, "a limit is not negative") }
            return UInt64(value)
        }
        name = try reader.required("name")
        let soft: Int64? = try reader.optional("soft")
        let hard: Int64? = try reader.optional("hard")
        self.soft = try limit("soft", soft)
        self.hard = try limit("hard", hard)
    }

    package var json: JSONValue {
        .members(
            ("name", name.json), ("soft", soft.flatMap(Int64.init(exactly:))?.json),
            ("hard", hard.flatMap(Int64.init(exactly:))?.json))
    }
}
