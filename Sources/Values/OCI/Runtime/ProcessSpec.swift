import JSON

/// The container's process (config.md, "Process"), or one that joins it (process.json of exec).
package struct ProcessSpec: Hashable, Sendable {
    package var hasTerminal: Bool
    /// Rows and columns; nil leaves what the terminal has. Without a terminal it means nothing.
    package var consoleSize: ConsoleSize?
    package var user: UserSpec
    /// The program and its arguments.
    package var arguments: [String]
    /// NAME=VALUE.
    package var environment: [String]
    /// Absolute, inside the container.
    package var workingDirectory: String
    /// nil leaves none.
    package var capabilities: CapabilitySpec?
    package var limits: [ProcessLimit]
    package var noNewPrivileges: Bool
    package var apparmorProfile: String?
    package var selinuxLabel: String?
    /// -1000 to 1000; nil leaves it as it is.
    package var oomScoreAdjustment: Int?
    package var scheduler: SchedulerSpec?
    package var ioPriority: IOPrioritySpec?
    /// The processors of a process that joins the container.
    package var execAffinity: AffinitySpec?

    /// Reads process.json.
    package init(_ bytes: [UInt8]) throws(DocumentError) {
        self = try readRuntimeDocument("process.json", bytes) { reader throws(JSONShapeError) in
            try ProcessSpec(&reader)
        }
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        hasTerminal = try reader.optional("terminal") ?? false
        consoleSize = try reader.object("consoleSize") { size throws(JSONShapeError) in try ConsoleSize(&size) }
        let user = try reader.object("user") { user throws(JSONShapeError) in try UserSpec(&user) }
        guard let user else { throw reader.error("user", "expected an object, found nothing") }
        self.user = user
        arguments = try reader.texts("args", count: 1 << 17)
        environment = try reader.texts("env", count: 1 << 17)
        workingDirectory = try reader.requiredPath("cwd")
        capabilities = try reader.object("capabilities") { sets throws(JSONShapeError) in try CapabilitySpec(&sets) }
        limits = try reader.parts("rlimits", count: 64) { limit throws(JSONShapeError) in try ProcessLimit(&limit) }
        noNewPrivileges = try reader.optional("noNewPrivileges") ?? false
        apparmorProfile = try reader.text("apparmorProfile", limit: 4095)
        selinuxLabel = try reader.text("selinuxLabel", limit: 4095)
        oomScoreAdjustment = try reader.optional("oomScoreAdj")
        if let oomScoreAdjustment, !(-1000...1000).contains(oomScoreAdjustment) {
            throw reader.error("oomScoreAdj", "expected -1000 to 1000, found \(oomScoreAdjustment)")
        }
        scheduler = try reader.object("scheduler") { part throws(JSONShapeError) in try SchedulerSpec(&part) }
        ioPriority = try reader.object("ioPriority") { part throws(JSONShapeError) in try IOPrioritySpec(&part) }
        execAffinity = try reader.object("execCPUAffinity") { part throws(JSONShapeError) in try AffinitySpec(&part) }
    }
}

/// The size of a terminal in characters. Only what fits struct winsize can be set; `check` says so.
package struct ConsoleSize: Hashable, Sendable {
    package var height: UInt64
    package var width: UInt64

    package init(height: UInt64, width: UInt64) {
        self.height = height
        self.width = width
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        height = try reader.requiredUnsigned("height")
        width = try reader.requiredUnsigned("width")
    }
}

/// Whom the process runs as, in the container's user namespace (config.md, "POSIX-platform User").
package struct UserSpec: Hashable, Sendable {
    package var uid: UInt32
    package var gid: UInt32
    /// nil leaves the runtime's own.
    package var umask: UInt32?
    package var additionalGids: [UInt32]

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        uid = try Self.id(&reader, "uid")
        gid = try Self.id(&reader, "gid")
        umask = try reader.optional("umask")
        if let umask, umask > 0o777 {
            throw reader.error("umask", "expected 0 to 511 (octal 777), found \(umask)")
        }
        additionalGids = try reader.list("additionalGids")
        guard additionalGids.count <= RuntimeLimits.groups else {
            throw reader.error(
                "additionalGids", "\(additionalGids.count) entries; at most \(RuntimeLimits.groups) are accepted")
        }
        if let at = additionalGids.firstIndex(of: .max) { throw reader.error("additionalGids[\(at)]", Self.noID) }
    }

    /// 2^32 - 1 is the kernel's word for no user: setuid refuses it, setresuid takes it for "leave it".
    private static let noID = "4294967295 is no id"

    private static func id(_ reader: inout JSONObjectReader, _ key: String) throws(JSONShapeError) -> UInt32 {
        let id: UInt32 = try reader.required(key)
        guard id != .max else { throw reader.error(key, noID) }
        return id
    }
}

/// The five capability sets by name ("CAP_CHOWN"). Names nobody knows are no error: the specification wants a
/// warning (see `RuntimeSpec.warnings`).
package struct CapabilitySpec: Hashable, Sendable {
    package var bounding: [String]
    package var effective: [String]
    package var inheritable: [String]
    package var permitted: [String]
    package var ambient: [String]

    /// None.
    package init() {
        bounding = []
        effective = []
        inheritable = []
        permitted = []
        ambient = []
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        bounding = try reader.texts("bounding", count: 1024, limit: 256)
        effective = try reader.texts("effective", count: 1024, limit: 256)
        inheritable = try reader.texts("inheritable", count: 1024, limit: 256)
        permitted = try reader.texts("permitted", count: 1024, limit: 256)
        ambient = try reader.texts("ambient", count: 1024, limit: 256)
    }
}

/// One resource limit, getrlimit(2). 2^64 - 1 is no limit.
package struct ProcessLimit: Hashable, Sendable {
    /// In the order of the kernel's numbers (asm-generic/resource.h).
    package enum Kind: String, NamedBySpecification {
        case cpuTime = "RLIMIT_CPU"
        case fileSize = "RLIMIT_FSIZE"
        case data = "RLIMIT_DATA"
        case stack = "RLIMIT_STACK"
        case core = "RLIMIT_CORE"
        case resident = "RLIMIT_RSS"
        case processes = "RLIMIT_NPROC"
        case descriptors = "RLIMIT_NOFILE"
        case lockedMemory = "RLIMIT_MEMLOCK"
        case addressSpace = "RLIMIT_AS"
        case fileLocks = "RLIMIT_LOCKS"
        case pendingSignals = "RLIMIT_SIGPENDING"
        case messageQueues = "RLIMIT_MSGQUEUE"
        case nice = "RLIMIT_NICE"
        case realtimePriority = "RLIMIT_RTPRIO"
        case realtimeTime = "RLIMIT_RTTIME"

        /// The kernel's number.
        package var number: Int { Self.allCases.firstIndex(of: self)! }
    }

    package var kind: Kind
    package var soft: UInt64
    package var hard: UInt64

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        kind = try reader.requiredName("type")
        soft = try reader.requiredUnsigned("soft")
        hard = try reader.requiredUnsigned("hard")
        guard soft <= hard else { throw reader.error("soft", "\(soft) is above the hard limit \(hard)") }
    }
}
