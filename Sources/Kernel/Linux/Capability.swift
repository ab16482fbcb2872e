import CKernel

/// A set of Linux capabilities, capabilities(7).
public struct Capabilities: OptionSet, Hashable, Sendable {
    /// Bit n stands for capability number n.
    public var rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Names in the order of their numbers, without "CAP_".
    public static let names = [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ]

    /// The highest capability number that this library knows.
    public static let lastKnown = names.count - 1

    /// Every capability that this library knows.
    public static let all = Capabilities(rawValue: (1 << UInt64(names.count)) - 1)

    /// What Docker gives a container by default; images expect it.
    public static let dockerDefault = Capabilities(
        names: [
            "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP",
            "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE",
        ])!

    /// The set with these names ("CAP_CHOWN", "chown"); nil when one is unknown.
    public init?(names: [String]) {
        rawValue = 0
        for name in names {
            guard let capability = Capabilities(name: name) else { return nil }
            formUnion(capability)
        }
    }

    /// The single capability of this name; "ALL" is every one.
    public init?(name: String) {
        var name = name.uppercased()
        if name == "ALL" {
            self = .all
            return
        }
        if name.hasPrefix("CAP_") { name.removeFirst(4) }
        guard let number = Self.names.firstIndex(of: name) else { return nil }
        rawValue = 1 << UInt64(number)
    }

    /// The names of the members, without "CAP_", in the order of their numbers.
    public var memberNames: [String] {
        Self.names.indices.filter { rawValue >> UInt64($0) & 1 == 1 }.map { Self.names[$0] }
    }

    /// The permitted set of this thread.
    package static func permitted() throws(SystemError) -> Capabilities {
        var sets: (UInt64, UInt64, UInt64) = (0, 0, 0)
        try call("read capabilities") { ck_capget(&sets.0, &sets.1, &sets.2) }
        return Capabilities(rawValue: sets.1)
    }

    /// The highest capability number that the kernel knows: the last that it can tell something about, PR_CAPBSET_READ.
    package static func lastOfKernel() throws(SystemError) -> Int {
        func isKnown(_ number: Int) -> Bool { ck_prctl(PR_CAPBSET_READ, UInt(number), 0, 0, 0) >= 0 }
        var last = lastKnown
        while last > 0, !isKnown(last) { last -= 1 }
        while last < 63, isKnown(last + 1) { last += 1 }
        return last
    }
}
