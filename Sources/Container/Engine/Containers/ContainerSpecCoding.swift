package import JSON
import Linux
import OCI

extension ContainerSpec: NodeValue {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(program: try reader.optional("program") ?? "", arguments: try reader.list("arguments"))
        name = try reader.optional("name")
        image = try reader.nestedIfThere("image")
        entrypoint = try reader.listIfThere("entrypoint")
        rung = try reader.word("rung", default: .container)
        environment = try reader.list("environment")
        directory = try reader.optional("directory")
        user = try reader.optional("user")
        supplementalGroups = try reader.list("supplementalGroups")
        root = try reader.nestedIfThere("root") ?? .host
        mounts = try reader.nestedList("mounts")
        isReadOnly = try reader.flag("readOnly")
        madeSources = try reader.list("madeSources")
        try readLimits(&reader)
        try readNetwork(&reader)
        try readRestrictions(&reader)
        hasTerminal = try reader.flag("terminal")
        isInteractive = try reader.flag("interactive")
        endsInputOnce = try reader.flag("endsInputOnce")
        usesInit = try reader.flag("init")
        removesOnExit = try reader.flag("removeOnExit")
        restart = try reader.parsed("restart", "a restart policy") { RestartPolicy($0) } ?? .no
        healthcheck = try reader.nestedIfThere("healthcheck")
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
        sharedMemoryBytes = try reader.optional("sharedMemoryBytes")
        cpuShares = try reader.optional("cpuShares")
        devices = try reader.nestedList("devices")
    }

    private mutating func readNetwork(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        network = try reader.nestedIfThere("network")
        processes = try reader.nestedIfThere("processes") ?? .own
        ports = try reader.nestedList("ports")
        publishesExposedPorts = try reader.flag("publishExposedPorts")
        exposedPorts = try reader.parsedList("exposedPorts", "a port (80 or 53/udp)") { ContainerPort($0) }
        nameServers = try reader.parsedList("nameServers", "an address") { IPAddress($0) }
        searchDomains = try reader.listIfThere("searchDomains")
        resolverOptions = try reader.listIfThere("resolverOptions")
        extraHosts = try reader.nestedList("extraHosts")
        hostname = try reader.optional("hostname")
    }

    private mutating func readRestrictions(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        addedCapabilities = try reader.list("addedCapabilities")
        droppedCapabilities = try reader.list("droppedCapabilities")
        isPrivileged = try reader.flag("privileged")
        hasSystemCallFilter = try reader.optional("systemCallFilter") ?? true
        noNewPrivileges = try reader.optional("noNewPrivileges") ?? true
    }

    package var json: JSONValue {
        var members = programMembers
        members += placeMembers
        members += restrictionMembers
        members += lifeMembers
        return .members(members)
    }

    private var programMembers: [(String, JSONValue?)] {
        [
            ("name", name?.json), ("image", image?.json), ("entrypoint", entrypoint?.json), ("rung", .string(rung.rawValue)),
            ("program", program.json), ("arguments", arguments.json), ("environment", environment.json),
            ("directory", directory?.json), ("user", user?.json), ("root", root.json),
            ("supplementalGroups", supplementalGroups.isEmpty ? nil : supplementalGroups.json), ("mounts", .array(mounts.map(\.json))), ("madeSources", madeSources.json), ("readOnly", isReadOnly.json),
        ]
    }

    private var placeMembers: [(String, JSONValue?)] {
        [
            ("network", network?.json), ("processes", processes == .own ? nil : processes.json), ("ports", .array(ports.map(\.json))),
            ("publishExposedPorts", publishesExposedPorts.json),
            ("exposedPorts", exposedPorts.map(\.description).json), ("nameServers", nameServers.map(\.description).json),
            ("searchDomains", searchDomains?.json), ("resolverOptions", resolverOptions?.json),
            ("extraHosts", .array(extraHosts.map(\.json))), ("hostname", hostname?.json),
        ]
    }

    private var restrictionMembers: [(String, JSONValue?)] {
        [
            ("memoryBytes", memoryBytes?.json), ("milliCPUs", milliCPUs?.json), ("pidsLimit", pidsLimit?.json),
            ("cpuset", cpus?.json), ("limits", .array(limits.map(\.json))), ("sharedMemoryBytes", sharedMemoryBytes?.json),
            ("cpuShares", cpuShares?.json), ("devices", .array(devices.map(\.json))),
            ("addedCapabilities", addedCapabilities.json), ("droppedCapabilities", droppedCapabilities.json),
            ("privileged", isPrivileged ? true.json : nil), ("systemCallFilter", hasSystemCallFilter.json), ("noNewPrivileges", noNewPrivileges.json),
        ]
    }

    private var lifeMembers: [(String, JSONValue?)] {
        [
            ("terminal", hasTerminal.json), ("interactive", isInteractive.json), ("endsInputOnce", endsInputOnce ? true.json : nil), ("init", usesInit.json),
            ("removeOnExit", removesOnExit.json), ("restart", restart.description.json), ("healthcheck", healthcheck?.json),
            ("stopSignal", stopSignal?.json), ("stopTimeoutSeconds", stopTimeoutSeconds?.json),
            ("logBytes", logBytes?.json), ("labels", labels.json),
        ]
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

/// {"kind":"bind","source":...,"target":...,"readOnly":...}, {"kind":"temporary","target":...,"bytes":...},
/// {"kind":"volume","name":...,"target":...,"readOnly":...}
extension ContainerMount: NodeValue {
    private enum Kind: String, CaseIterable { case bind, temporary, volume }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        switch try reader.word("kind") as Kind {
        case .bind:
            self = .bind(
                source: try reader.required("source"), target: try reader.required("target"),
                isReadOnly: try reader.flag("readOnly"))
        case .temporary: self = .temporary(target: try reader.required("target"), bytes: try reader.optional("bytes"))
        case .volume:
            self = .volume(
                name: try reader.optional("name"), target: try reader.required("target"),
                isReadOnly: try reader.flag("readOnly"))
        }
    }

    package var json: JSONValue {
        switch self {
        case .bind(let source, let target, let isReadOnly):
            ["kind": "bind", "source": source.json, "target": target.json, "readOnly": isReadOnly.json]
        case .temporary(let target, let bytes):
            .members(("kind", "temporary"), ("target", target.json), ("bytes", bytes?.json))
        case .volume(let name, let target, let isReadOnly):
            .members(
                ("kind", "volume"), ("name", name?.json), ("target", target.json), ("readOnly", isReadOnly.json))
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
