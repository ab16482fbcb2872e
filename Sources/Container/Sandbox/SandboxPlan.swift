package import Linux
package import Spawn

/// The whole wish for a sandbox, as a value: what is isolated, what is seen, what is allowed.
///
/// A plan is made by a door, checked by `validate`, sent to the keeper once, compiled there to a step program
/// and started many times. Nothing in it differs from call to call.
package struct SandboxPlan: Hashable, Sendable {
    /// Namespaces made afresh for every start.
    package var namespaces: Namespaces = .standard
    /// How ids inside map to ids outside; used when `namespaces` has `.user`.
    package var identityMap: IdentityMap = .init()
    package var root: RootFilesystem = .host
    /// Mounts over the root filesystem, in this order.
    package var mounts: [Mount] = []
    /// Whether the first process is a small one that starts the program, passes signals on and reaps.
    package var usesInit = false
    /// Directories that are made in the root where they are missing, for programs to start in.
    package var madeDirectories: [String] = []
    /// Where the files of a room are bound; used when the root has one.
    package var roomPlaces = RoomPlaces()
    /// Whether each start brings the namespace of its network; `network` says it in one word.
    package var isNetworkGiven = false
    /// Whether each start brings an IPC namespace, which it then shares with others.
    package var isIPCGiven = false
    /// Whether each start names a sandbox that runs and into whose pid namespace it is born, to live there with others.
    package var isProcessesGiven = false
    /// Whether programs may do with the machine's devices, /sys and cgroups what its root may: every device is in a
    /// /dev that can be written, and devices and set-user-id files work wherever they are.
    package var isPrivileged = false
    /// The host name inside; nil: that of the machine. A call may bring another.
    package var hostname: String?
    /// Paths that programs must not see: covered by an empty directory or the null device, where they exist.
    package var maskedPaths: [String] = KernelPaths.masked
    /// Paths that programs must not change.
    package var readOnlyPaths: [String] = KernelPaths.readOnly
    /// Whether a /sys is mounted: read-only, but for the privileged.
    package var showsSysfs = false
    /// Bytes that /tmp may hold; nil: no private /tmp is mounted.
    package var temporaryBytes: Int? = 256 << 20
    /// Bytes that /dev/shm may hold.
    package var sharedMemoryBytes = 64 << 20

    package var identity = Users.Identity(uid: 0, gid: 0)
    /// Held in the effective, permitted and bounding sets; also ambient when the user is not root.
    package var capabilities: Capabilities = []
    /// What a program may gain besides by executing a file, where `noNewPrivileges` lets it.
    package var gainableCapabilities: Capabilities = []
    package var noNewPrivileges = true
    /// The compiled system-call filter, 8 bytes an instruction; empty: none.
    package var systemCallFilter: [UInt8] = []
    package var limits: CgroupLimits = .init()
    package var resourceLimits: [ResourceLimit] = []
    package var umask: UInt32 = 0o022
    /// nice(2) value; nil: the keeper's.
    package var niceValue: Int32?
    /// Signals that programs are born with as ignored and as blocked, as caller's children are; bit n-1 stands for signal n.
    package var ignoredSignals: UInt64 = 0
    package var blockedSignals: UInt64 = 0
    /// Where programs start when a call names no directory.
    package var directory = "/"

    package init() {}

    /// The network; kept as the namespace that is made, and the flag that one is given.
    package var network: SandboxNetwork {
        get { namespaces.contains(.network) ? .own : isNetworkGiven ? .given : .machine }
        set {
            isNetworkGiven = newValue == .given
            if newValue == .own { namespaces.insert(.network) } else { namespaces.remove(.network) }
        }
    }

    /// The capabilities of the bounding set.
    package var bounding: Capabilities { capabilities.union(gainableCapabilities) }

    /// The directory of the sandboxes' rooms; nil: they have none.
    package var rooms: String? {
        if case .overlay(_, .room(let directory, _)) = root { directory } else { nil }
    }
}

/// Where the files of a room are bound: absolute paths inside, each with the links of the image followed.
package struct RoomPlaces: Hashable, Sendable {
    package var hosts = "/etc/hosts"
    package var hostname = "/etc/hostname"
    package var resolver = "/etc/resolv.conf"

    package init() {}

    var all: [String] { [hosts, hostname, resolver] }
}

/// What a sandbox has as its "/".
package enum RootFilesystem: Hashable, Sendable {
    /// The machine's files as they are: for the process rung, without a mount namespace.
    case unchanged
    /// A read-only "/" with the machine's /usr, /etc and their like, and nothing else.
    case host
    /// A directory of this machine.
    case directory(String, readOnly: Bool)
    /// Directories stacked with overlayfs, the topmost first; writes go to `upper`.
    case overlay(lower: [String], upper: OverlayUpper)
}

/// Where writes to an overlay go.
package enum OverlayUpper: Hashable, Sendable {
    case readOnly
    /// To memory, gone with the sandbox; at most this many bytes.
    case temporary(bytes: Int)
    /// To a directory; overlayfs needs a work directory on the same file system.
    case directory(String, work: String)
    /// To a room of the sandbox's own in this directory: each start gets a fresh one, so that all of a plan share a
    /// template and have children prepared. With `readOnly` the root ends read-only; what is made for mounts is kept.
    case room(String, readOnly: Bool = false)
}

/// Which network a sandbox has.
package enum SandboxNetwork: Hashable, Sendable {
    /// A fresh one with nothing but the loopback interface.
    case own
    /// The machine's.
    case machine
    /// One whose namespace comes with each start, by descriptor.
    case given
}

/// One declared mount.
package struct Mount: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
        /// A file or directory of this machine, with what is mounted below it.
        case bind(String)
        /// A device of this machine, bound so that it can be used: nowhere else in a sandbox does a device file work.
        case device(String)
        /// Fresh memory of at most this many bytes.
        case temporary(bytes: Int)
    }

    package var source: Source
    /// Absolute path inside the sandbox; made if it is missing and the root can be written.
    package var target: String
    package var readOnly: Bool

    package init(_ source: Source, at target: String, readOnly: Bool = false) {
        self.source = source
        self.target = target
        self.readOnly = readOnly
    }
}

/// Identity maps of a user namespace, user_namespaces(7): ids inside from 0 map to ids outside from `firstOutside`.
package struct IdentityMap: Hashable, Sendable {
    package var firstUserOutside: UInt32
    package var firstGroupOutside: UInt32
    package var count: UInt32

    package init(firstUserOutside: UInt32 = 100_000, firstGroupOutside: UInt32 = 100_000, count: UInt32 = 65_536) {
        self.firstUserOutside = firstUserOutside
        self.firstGroupOutside = firstGroupOutside
        self.count = count
    }
}

extension Namespaces {
    /// Everything but user and time: what a container has by default.
    package static let standard: Namespaces = [.mount, .pid, .network, .ipc, .uts, .cgroup]
}

/// Paths of the kernel that a sandbox masks or makes read-only: the lists that Docker uses, and the machine's
/// secrets for a root that shows its /etc.
package enum KernelPaths {
    package static let masked = [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
        "/sys/devices/virtual/powercap",
    ]

    package static let readOnly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

    /// Files that only the machine itself needs to read.
    package static let machineSecrets = [
        "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/ssl/private", "/etc/ssh", "/etc/sudoers",
        "/etc/sudoers.d", "/etc/krb5.keytab",
    ]
}
