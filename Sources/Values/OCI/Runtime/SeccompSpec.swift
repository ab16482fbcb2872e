import JSON

/// Which system calls a container may make (config-linux.md, "Seccomp"). The names are libseccomp's.
package struct SeccompSpec: Hashable, Sendable {
    package enum Action: String, NamedBySpecification {
        /// Kills the thread, as it did before there was a choice.
        case kill = "SCMP_ACT_KILL"
        case killProcess = "SCMP_ACT_KILL_PROCESS"
        case killThread = "SCMP_ACT_KILL_THREAD"
        case trap = "SCMP_ACT_TRAP"
        case errno = "SCMP_ACT_ERRNO"
        case trace = "SCMP_ACT_TRACE"
        case allow = "SCMP_ACT_ALLOW"
        case log = "SCMP_ACT_LOG"
        case notify = "SCMP_ACT_NOTIFY"

        /// The highest errnoRet; nil for actions that have none. For errors the kernel's MAX_ERRNO.
        package var highestErrno: UInt64? {
            switch self {
            case .errno: 4095
            case .trace: 65_535
            default: nil
            }
        }
    }

    package enum Operator: String, NamedBySpecification {
        case notEqual = "SCMP_CMP_NE"
        case below = "SCMP_CMP_LT"
        case atMost = "SCMP_CMP_LE"
        case equal = "SCMP_CMP_EQ"
        case atLeast = "SCMP_CMP_GE"
        case above = "SCMP_CMP_GT"
        /// `value` is the mask, `valueTwo` what is left of the argument under it.
        case maskedEqual = "SCMP_CMP_MASKED_EQ"
    }

    package enum Architecture: String, NamedBySpecification {
        case x86 = "SCMP_ARCH_X86"
        case x86_64 = "SCMP_ARCH_X86_64"
        case x32 = "SCMP_ARCH_X32"
        case arm = "SCMP_ARCH_ARM"
        case aarch64 = "SCMP_ARCH_AARCH64"
        case mips = "SCMP_ARCH_MIPS"
        case mips64 = "SCMP_ARCH_MIPS64"
        case mips64n32 = "SCMP_ARCH_MIPS64N32"
        case mipsel = "SCMP_ARCH_MIPSEL"
        case mipsel64 = "SCMP_ARCH_MIPSEL64"
        case mipsel64n32 = "SCMP_ARCH_MIPSEL64N32"
        case ppc = "SCMP_ARCH_PPC"
        case ppc64 = "SCMP_ARCH_PPC64"
        case ppc64le = "SCMP_ARCH_PPC64LE"
        case s390 = "SCMP_ARCH_S390"
        case s390x = "SCMP_ARCH_S390X"
        case parisc = "SCMP_ARCH_PARISC"
        case parisc64 = "SCMP_ARCH_PARISC64"
        case riscv64 = "SCMP_ARCH_RISCV64"
        case loongarch64 = "SCMP_ARCH_LOONGARCH64"
        case m68k = "SCMP_ARCH_M68K"
        case sh = "SCMP_ARCH_SH"
        case sheb = "SCMP_ARCH_SHEB"
    }

    package enum Flag: String, NamedBySpecification {
        case synchronizeThreads = "SECCOMP_FILTER_FLAG_TSYNC"
        case log = "SECCOMP_FILTER_FLAG_LOG"
        case allowSpeculation = "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
        case waitKillable = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
    }

    /// A comparison of one argument.
    package struct Condition: Hashable, Sendable {
        /// 0 to 5.
        package var index: Int
        package var value: UInt64
        package var valueTwo: UInt64
        package var `operator`: Operator
    }

    /// What happens to some calls.
    package struct Rule: Hashable, Sendable {
        package var names: [String]
        package var action: Action
        /// For actions that have one; nil is EPERM.
        package var errno: UInt64?
        /// All of them have to hold.
        package var conditions: [Condition]
    }

    package var defaultAction: Action
    package var defaultErrno: UInt64?
    package var architectures: [Architecture]
    package var flags: [Flag]
    /// Where the listener of `notify` is sent to.
    package var listenerPath: String?
    package var listenerMetadata: String?
    package var rules: [Rule]

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        defaultAction = try reader.requiredName("defaultAction")
        defaultErrno = try Self.errno(&reader, "defaultErrnoRet", defaultAction)
        architectures = try reader.names("architectures")
        flags = try reader.names("flags")
        // sockaddr_un has 108 bytes, the last of them NUL.
        listenerPath = try reader.text("listenerPath", limit: 107)
        listenerMetadata = try reader.text("listenerMetadata")
        rules = try reader.parts("syscalls") { rule throws(JSONShapeError) in try Self.rule(&rule) }
        if listenerMetadata != nil, listenerPath == nil {
            throw reader.error("listenerMetadata", "it needs a listenerPath")
        }
        if listenerPath == nil, usesNotify {
            throw reader.error("listenerPath", "SCMP_ACT_NOTIFY needs a socket to send its listener to, found nothing")
        }
    }

    /// What the process calls itself between loading the filter and beginning its program. The listener is sent by
    /// sendmsg(2): who would have to answer that call has not got it then, and both would wait for good.
    private static let ownCalls: Set<String> = ["sendmsg", "write", "read"]

    /// Refuses a filter that nobody could get past.
    func check(path: String) throws(JSONShapeError) {
        if defaultAction == .notify {
            throw JSONShapeError(
                path: "\(path).defaultAction",
                problem: "SCMP_ACT_NOTIFY cannot be the default: its listener could not be sent")
        }
        for (index, rule) in rules.enumerated() where rule.action == .notify {
            guard let at = rule.names.firstIndex(where: { Self.ownCalls.contains($0) }) else { continue }
            throw JSONShapeError(
                path: "\(path).syscalls[\(index)].names[\(at)]",
                problem: "\(rule.names[at]) cannot have SCMP_ACT_NOTIFY: it is needed before the program begins")
        }
    }

    /// Whether a call can be handed to a listener.
    package var usesNotify: Bool { defaultAction == .notify || rules.contains { $0.action == .notify } }

    private static func rule(_ reader: inout JSONObjectReader) throws(JSONShapeError) -> Rule {
        let names = try reader.texts("names", limit: 128)
        guard !names.isEmpty else { throw reader.error("names", "expected the name of a system call, found nothing") }
        if let at = names.firstIndex(of: "") {
            throw reader.error("names[\(at)]", "expected a name, found an empty one")
        }
        let action: Action = try reader.requiredName("action")
        let errno = try errno(&reader, "errnoRet", action)
        let conditions = try reader.parts("args", count: 64) { part throws(JSONShapeError) in
            let index: UInt32 = try part.required("index")
            guard index <= 5 else { throw part.error("index", "expected 0 to 5, found \(index)") }
            return Condition(
                index: Int(index), value: try part.requiredUnsigned("value"),
                valueTwo: try part.unsigned("valueTwo") ?? 0, operator: try part.requiredName("op"))
        }
        return Rule(names: names, action: action, errno: errno, conditions: conditions)
    }

    private static func errno(
        _ reader: inout JSONObjectReader, _ key: String, _ action: Action
    ) throws(JSONShapeError) -> UInt64? {
        guard let errno = try reader.unsigned(key) else { return nil }
        guard let highest = action.highestErrno else { throw reader.error(key, "\(action.rawValue) returns no error") }
        guard errno <= highest else { throw reader.error(key, "expected 0 to \(highest), found \(errno)") }
        return errno
    }
}
