import Linux
import OCI

/// One mount of a container, sorted by who has to do what. Pure.
struct MountPlan: Hashable, Sendable {
    /// What is mounted.
    enum Kind: Hashable, Sendable {
        /// What is at a path of the machine, alone or with all that is mounted below it.
        case bind(String, recursive: Bool)
        /// A file system of its own, which the child makes: it shows the child's namespaces and belongs to its user namespace.
        case made(FileSystem)
        /// The hierarchies of cgroup v1 in a tmpfs.
        case legacyCgroups
        /// Another look at what is mounted there already: its attributes change.
        case remount
        /// Propagation alone.
        case propagation
    }

    /// What fsopen(2) and fsconfig(2) are given.
    struct FileSystem: Hashable, Sendable {
        struct Option: Hashable, Sendable {
            var key: String
            var value: String?
        }

        var type: String
        var source: String
        var options: [Option]

        /// Flags that only mount(2) has.
        var flags: UInt = 0

        /// fsconfig(2) takes values of up to 255 bytes; what has longer ones is mounted by mount(2).
        var needsOldCall: Bool {
            flags != 0 || options.contains { ($0.value?.utf8.count ?? 0) > 255 } || source.utf8.count > 255
        }
    }

    var kind: Kind
    /// Clean and absolute.
    var destination: String
    var options: MountOptions
    var uidMappings: [IDMapping]
    var gidMappings: [IDMapping]

    /// The mount's own attributes for mount_setattr(2).
    var set: Mounts.Attributes { Mounts.Attributes(rawValue: options.attributes.set) }
    var clear: Mounts.Attributes { Mounts.Attributes(rawValue: options.attributes.cleared) }

    /// Whether it shows cgroups: from the root of whoever mounts it.
    var showsCgroups: Bool {
        switch kind {
        case .made(let fileSystem): fileSystem.type == "cgroup2"
        case .legacyCgroups: true
        default: false
        }
    }

    /// The maps of ids that the mount itself names.
    var ownMaps: ([IDMapping], [IDMapping])? { uidMappings.isEmpty ? nil : (uidMappings, gidMappings) }

    /// Whether read-only has to wait until everything stands: other mounts and devices are made in it.
    var isReadOnlyLate: Bool {
        guard set.contains(.readOnly) else { return false }
        switch kind {
        case .made(let fileSystem): return fileSystem.type == "tmpfs" || destination == "/dev"
        case .legacyCgroups: return true
        default: return false
        }
    }

    /// - Parameters:
    ///   - bundle: to which relative sources belong.
    ///   - isUnified: whether the machine has cgroup v2 alone.
    ///   - label: `linux.mountLabel`, for the files of file systems that keep none themselves.
    init(_ spec: MountSpec, bundle: String, isUnified: Bool, label: String? = nil) {
        destination = ContainerRoot.clean(spec.destination)
        options = spec.options
        uidMappings = spec.uidMappings
        gidMappings = spec.gidMappings
        let source = spec.source ?? ""
        if let reach = options.bind, !options.isRemount {
            kind = .bind(source.hasPrefix("/") ? source : "\(bundle)/\(source)", recursive: reach == .all)
        } else if options.isRemount {
            kind = .remount
        } else if spec.type == nil {
            kind = .propagation
        } else if spec.type == "cgroup", !isUnified {
            kind = .legacyCgroups
        } else {
            var made = Self.fileSystem(spec.type!, source: source, options)
            // Those of the kernel's own objects have their labels by its policy.
            if let label, !["proc", "sysfs", "mqueue", "cgroup2"].contains(made.type) {
                made.options.append(FileSystem.Option(key: "context", value: label))
            }
            kind = .made(made)
        }
    }

    private static func fileSystem(_ type: String, source: String, _ options: MountOptions) -> FileSystem {
        let type = type == "cgroup" ? "cgroup2" : type
        var made = FileSystem(type: type, source: source.isEmpty ? type : source, options: [])
        if options.countsVersions == true { made.flags = Self.countsVersions }
        made.options = options.superblock.map { FileSystem.Option(key: $0, value: nil) }
        // A superblock of the kernel's own is shared by all its mounts: only this mount is read-only then.
        let isShared = ["proc", "sysfs", "cgroup2", "mqueue", "tmpfs", "devpts"].contains(type)
        if options.attributes.set & MountOptions.Attributes.readOnly != 0, !isShared {
            made.options.append(FileSystem.Option(key: "ro", value: nil))
        }
        // One word may hold several options, as mount(8) takes them.
        for word in options.data.flatMap({ $0.split(separator: ",") }) {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            made.options.append(FileSystem.Option(key: parts[0], value: parts.count == 2 ? parts[1] : nil))
        }
        return made
    }

    /// MS_I_VERSION of mount(2).
    private static let countsVersions: UInt = 1 << 23

    /// The files below /proc that something may be bound over; runc allows the same.
    private static let proc: Set<String> = [
        "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime",
        "/proc/loadavg",
        "/proc/slabinfo", "/proc/net/dev", "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled",
    ]

    /// Refuses what would hide the kernel's word behind somebody else's: labels and sysctls are written there
    /// (CVE-2019-16884).
    func check() throws(RuntimeFailure) {
        if ownMaps != nil || options.idMap != nil {
            guard case .bind = kind else {
                throw RuntimeFailure("mount \(destination): only what is bound can have its ids mapped")
            }
        }
        guard destination.hasPrefix("/proc/") || destination == "/proc" else { return }
        switch kind {
        case .made(let fileSystem) where fileSystem.type == "proc" && destination == "/proc": return
        // What is bound at /proc itself must be a procfs: `RootTree` looks.
        case .bind where destination == "/proc" || Self.proc.contains(destination): return
        case .remount, .propagation: return
        default: throw RuntimeFailure("\"\(destination)\" cannot be mounted because it is inside /proc")
        }
    }
}
