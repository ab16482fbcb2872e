import JSON

/// What is Linux's own in a container's configuration (config-linux.md).
package struct LinuxSpec: Hashable, Sendable {
    package var namespaces: [NamespaceSpec] = []
    package var uidMappings: [IDMapping] = []
    package var gidMappings: [IDMapping] = []
    package var timeOffsets: [TimeOffset.Clock: TimeOffset] = [:]
    package var devices: [DeviceSpec] = []
    /// By the name outside.
    package var networkDevices: [String: NetworkDeviceSpec] = [:]
    package var cgroupsPath: String?
    package var resources: Resources?
    package var intelRDT: IntelRDTSpec?
    package var memoryPolicy: MemoryPolicySpec?
    package var sysctl: [String: String] = [:]
    package var seccomp: SeccompSpec?
    package var rootPropagation: MountOptions.Propagation?
    /// Absolute.
    package var maskedPaths: [String] = []
    /// Absolute.
    package var readOnlyPaths: [String] = []
    package var mountLabel: String?
    package var personality: PersonalitySpec?

    package init() {}

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        namespaces = try reader.parts("namespaces", count: 64) { part throws(JSONShapeError) in try NamespaceSpec(&part)
        }
        uidMappings = try IDMapping.list(&reader, "uidMappings")
        gidMappings = try IDMapping.list(&reader, "gidMappings")
        timeOffsets = try TimeOffset.byClock(&reader)
        devices = try reader.parts("devices") { part throws(JSONShapeError) in try DeviceSpec(&part) }
        networkDevices = try reader.partByName("netDevices") { _, part throws(JSONShapeError) in
            try NetworkDeviceSpec(&part)
        }
        cgroupsPath = try reader.filePath("cgroupsPath")
        resources = try reader.object("resources") { part throws(JSONShapeError) in try Resources(&part) }
        intelRDT = try reader.object("intelRdt") { part throws(JSONShapeError) in try IntelRDTSpec(&part) }
        memoryPolicy = try reader.object("memoryPolicy") { part throws(JSONShapeError) in try MemoryPolicySpec(&part) }
        sysctl = try reader.textByName("sysctl", limit: RuntimeLimits.pathBytes)
        seccomp = try reader.object("seccomp") { part throws(JSONShapeError) in try SeccompSpec(&part) }
        rootPropagation = try Self.propagation(&reader)
        maskedPaths = try Self.absolutePaths(&reader, "maskedPaths")
        readOnlyPaths = try Self.absolutePaths(&reader, "readonlyPaths")
        mountLabel = try reader.text("mountLabel", limit: 4095)
        personality = try reader.object("personality") { part throws(JSONShapeError) in try PersonalitySpec(&part) }
    }

    /// With "r" in front it is what mount(8) calls it; managers write both.
    private static func propagation(
        _ reader: inout JSONObjectReader
    ) throws(JSONShapeError) -> MountOptions.Propagation? {
        guard let word = try reader.text("rootfsPropagation", limit: 64) else { return nil }
        let options = MountOptions([word])
        guard let propagation = options.propagation.first else {
            throw reader.error(
                "rootfsPropagation",
                "expected one of shared, slave, private, unbindable (or with an r in front); found \"\(word)\"")
        }
        return propagation
    }

    private static func absolutePaths(
        _ reader: inout JSONObjectReader, _ key: String
    ) throws(JSONShapeError) -> [String] {
        let paths = try reader.texts(key, limit: RuntimeLimits.pathBytes)
        if let at = paths.firstIndex(where: { !$0.hasPrefix("/") }) {
            throw reader.error("\(key)[\(at)]", "expected an absolute path, found \"\(paths[at])\"")
        }
        return paths
    }
}

/// personality(2).
package struct PersonalitySpec: Hashable, Sendable {
    package enum Domain: String, NamedBySpecification {
        case linux = "LINUX"
        case linux32 = "LINUX32"

        /// uapi linux/personality.h.
        package var number: UInt { self == .linux ? 0 : 8 }
    }

    package var domain: Domain

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        domain = try reader.requiredName("domain")
        let flags = try reader.texts("flags", count: 64)
        guard flags.isEmpty else { throw reader.error("flags", "the specification has no flags yet") }
    }
}

/// Intel's Resource Director Technology (config-linux.md, "IntelRdt").
package struct IntelRDTSpec: Hashable, Sendable {
    package var closID: String?
    package var schemata: [String]
    package var l3CacheSchema: String?
    package var memoryBandwidthSchema: String?
    package var enableMonitoring: Bool

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        closID = try reader.text("closID", limit: 255)
        schemata = try reader.texts("schemata", count: 1024)
        l3CacheSchema = try reader.text("l3CacheSchema")
        memoryBandwidthSchema = try reader.text("memBwSchema")
        enableMonitoring = try reader.optional("enableMonitoring") ?? false
    }
}

/// set_mempolicy(2).
package struct MemoryPolicySpec: Hashable, Sendable {
    package enum Mode: String, NamedBySpecification {
        case `default` = "MPOL_DEFAULT"
        case bind = "MPOL_BIND"
        case interleave = "MPOL_INTERLEAVE"
        case weightedInterleave = "MPOL_WEIGHTED_INTERLEAVE"
        case preferred = "MPOL_PREFERRED"
        case preferredMany = "MPOL_PREFERRED_MANY"
        case local = "MPOL_LOCAL"

        /// uapi linux/mempolicy.h.
        package var number: CInt {
            switch self {
            case .default: 0
            case .preferred: 1
            case .bind: 2
            case .interleave: 3
            case .local: 4
            case .preferredMany: 5
            case .weightedInterleave: 6
            }
        }
    }

    package enum Flag: String, NamedBySpecification {
        case balancing = "MPOL_F_NUMA_BALANCING"
        case relativeNodes = "MPOL_F_RELATIVE_NODES"
        case staticNodes = "MPOL_F_STATIC_NODES"

        /// uapi linux/mempolicy.h.
        package var bit: CInt {
            switch self {
            case .balancing: 1 << 13
            case .relativeNodes: 1 << 14
            case .staticNodes: 1 << 15
            }
        }
    }

    package var mode: Mode
    /// "0-3,7".
    package var nodes: String?
    package var flags: [Flag]

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        mode = try reader.requiredName("mode")
        nodes = try reader.indexList("nodes")
        flags = try reader.names("flags")
    }
}
