/// Kinds of namespaces, namespaces(7), with the kernel's own bits (CLONE_NEW*).
public struct Namespaces: OptionSet, Hashable, Sendable {
    public var rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let time = Namespaces(rawValue: 0x0000_0080)
    public static let mount = Namespaces(rawValue: 0x0002_0000)
    public static let cgroup = Namespaces(rawValue: 0x0200_0000)
    public static let uts = Namespaces(rawValue: 0x0400_0000)
    public static let ipc = Namespaces(rawValue: 0x0800_0000)
    public static let user = Namespaces(rawValue: 0x1000_0000)
    public static let pid = Namespaces(rawValue: 0x2000_0000)
    public static let network = Namespaces(rawValue: 0x4000_0000)

    /// Each kind with its name and its file under /proc/PID/ns.
    public static let kinds: [(kind: Namespaces, name: String, file: String)] = [
        (.mount, "mount", "mnt"), (.pid, "pid", "pid"), (.network, "network", "net"), (.ipc, "ipc", "ipc"),
        (.uts, "uts", "uts"), (.cgroup, "cgroup", "cgroup"), (.user, "user", "user"), (.time, "time", "time"),
    ]

    /// "mount, pid"
    public var names: String { Self.kinds.filter { contains($0.kind) }.map(\.name).joined(separator: ", ") }
}

/// The bits of clone3(2) that are no namespaces.
package enum CloneFlags {
    package static let sharedMemory: UInt64 = 0x0000_0100
    package static let sharedFiles: UInt64 = 0x0000_0400
    package static let parentWaits: UInt64 = 0x0000_4000
    package static let clearSignalHandlers: UInt64 = 0x1_0000_0000
}
