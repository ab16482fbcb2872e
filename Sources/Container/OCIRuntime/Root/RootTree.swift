import Linux
import OCI

/// Puts a container's tree of mounts together, in the mount namespace of its child, which waits meanwhile.
///
/// Invariants
/// 1. Mounts come in the order in which the configuration has them; what is read-only and holds others becomes so last.
///    (test: `mounts stand in the order of the configuration`)
/// 2. What a path in the root leads to is opened once and used by descriptor (`ContainerRoot`).
struct RootTree {
    let root: ContainerRoot
    let report: Report
    /// Mounts that become read-only when everything stands.
    private var late: [(mount: SharedFD, name: String)] = []
    /// The devpts that was mounted at /dev/pts.
    private(set) var terminals: SharedFD?
    /// Whether /dev is somebody else's: then nothing is made there.
    private var isDeviceDirectoryBound = false
    /// An empty directory to cover others with.
    private var empty: SharedFD?

    init(_ root: ContainerRoot, report: Report) {
        self.root = root
        self.report = report
    }

    // Mounts.

    /// Attaches one mount.
    ///
    /// - Parameter source: the detached mount; nil where there is none to attach.
    mutating func attach(_ plan: MountPlan, _ source: SharedFD?) throws(SystemError) {
        switch plan.kind {
        case .bind: try bind(plan, source!)
        case .made(let fileSystem): try attachMade(plan, fileSystem, source)
        case .legacyCgroups: try attachMade(plan, nil, source)
        case .remount: try remount(plan)
        case .propagation: try changePropagation(plan, of: try openMount(plan))
        }
    }

    private mutating func bind(_ plan: MountPlan, _ source: SharedFD) throws(SystemError) {
        let isDirectory = try Files.status(of: source.raw, name: plan.destination).kind == .directory
        if plan.destination == "/dev" { isDeviceDirectoryBound = true }
        if plan.destination == "/proc", try Mounts.fileSystemKind(of: source.raw, name: "/proc") != Self.procMagic {
            throw SystemError("mount on", "/proc", code: .notPermitted, advice: "Only a proc file system may be there.")
        }
        let isKernels = ["/proc", "/sys", "/dev"].contains(plan.destination)
        let place =
            isDirectory
            ? try root.directory(plan.destination, isKernels: isKernels) : try root.file(plan.destination)
        try Mounts.attach(source.raw, to: place.raw, name: plan.destination)
    }

    private mutating func attachMade(
        _ plan: MountPlan, _ fileSystem: MountPlan.FileSystem?, _ source: SharedFD?
    ) throws(SystemError) {
        let type = fileSystem?.type ?? "tmpfs"
        let isKernels = type != "tmpfs" || ["/proc", "/sys", "/dev"].contains(plan.destination) || fileSystem == nil
        // Before the place is made, where there is none.
        let mode = try modeBelow(plan, fileSystem)
        let place = try root.directory(plan.destination, isKernels: isKernels && Self.kernelTypes.contains(type))
        guard let source else { return try mountOld(plan, fileSystem!, on: place, mode) }
        if let mode { try Self.setMode(mode, of: source, plan.destination) }
        let set = plan.isReadOnlyLate ? plan.set.subtracting(.readOnly) : plan.set
        if !set.isEmpty || !plan.clear.isEmpty {
            try Mounts.change(source.raw, set: set, clear: plan.clear, recursive: false, name: plan.destination)
        }
        try changeAll(plan, of: source)
        if plan.options.copiesUp { try CopyUp.copy(from: place.raw, to: source.raw, name: plan.destination) }
        try Mounts.attach(source.raw, to: place.raw, name: plan.destination)
        try changePropagation(plan, of: source)
        if plan.isReadOnlyLate { late.append((source, plan.destination)) }
        if type == "devpts", plan.destination == "/dev/pts" { terminals = source }
    }

    /// The mode of a tmpfs that says nothing of it: that of the directory that it covers, as runc has it. nil leaves the
    /// kernel's.
    private func modeBelow(_ plan: MountPlan, _ fileSystem: MountPlan.FileSystem?) throws(SystemError) -> UInt32? {
        guard let fileSystem, fileSystem.type == "tmpfs" else { return nil }
        if fileSystem.options.contains(where: { $0.key == "mode" }) { return nil }
        guard let place = try root.place(plan.destination) else { return nil }
        return try Files.status(of: place.raw, name: plan.destination).permissions
    }

    private static func setMode(_ mode: UInt32, of mount: SharedFD, _ name: String) throws(SystemError) {
        // The mount itself is known as a place (O_PATH), which fchmod(2) does not take.
        let directory = try Files.open(".", directoryOnly, at: mount.raw)
        try FileEntries.setMode(mode, of: directory.raw, name: name)
    }

    /// For options that are too long for fsconfig(2): the place is named through our own /proc.
    private mutating func mountOld(
        _ plan: MountPlan, _ fileSystem: MountPlan.FileSystem, on place: borrowing OwnedFD, _ mode: UInt32?
    ) throws(SystemError) {
        let data = fileSystem.options.map { option in
            // A label has commas of its own.
            option.value.map { option.key == "context" ? "context=\"\($0)\"" : "\(option.key)=\($0)" } ?? option.key
        }
        do {
            try Mounts.mount(
                source: fileSystem.source, target: "/proc/self/fd/\(place.raw)", type: fileSystem.type,
                flags: fileSystem.flags,
                data: data.joined(separator: ","))
        } catch { throw SystemError("mount \(fileSystem.type) on", plan.destination, code: error.code) }
        let mounted = try openMount(plan)
        if let mode { try Self.setMode(mode, of: mounted, plan.destination) }
        if !plan.set.isEmpty || !plan.clear.isEmpty {
            try Mounts.change(mounted.raw, set: plan.set, clear: plan.clear, recursive: false, name: plan.destination)
        }
        try changePropagation(plan, of: mounted)
    }

    private func remount(_ plan: MountPlan) throws(SystemError) {
        let mount = try openMount(plan)
        try Mounts.change(mount.raw, set: plan.set, clear: plan.clear, recursive: false, name: plan.destination)
        try changeAll(plan, of: mount)
        try changePropagation(plan, of: mount)
    }

    /// What is meant for everything mounted below, too.
    private func changeAll(_ plan: MountPlan, of mount: SharedFD) throws(SystemError) {
        let all = plan.options.recursiveAttributes
        guard !all.isEmpty else { return }
        try Mounts.change(
            mount.raw, set: Mounts.Attributes(rawValue: all.set), clear: Mounts.Attributes(rawValue: all.cleared),
            recursive: true,
            name: plan.destination)
    }

    private func openMount(_ plan: MountPlan) throws(SystemError) -> SharedFD {
        guard let mount = try root.place(plan.destination) else {
            throw SystemError("change the mount of", plan.destination, code: .noEntry)
        }
        return SharedFD(mount)
    }

    private func changePropagation(_ plan: MountPlan, of mount: SharedFD) throws(SystemError) {
        for propagation in plan.options.propagation {
            try Mounts.change(
                mount.raw, propagation: propagation.flags & ~(1 << 14), recursive: propagation.reach == .all,
                name: plan.destination)
        }
    }

    // Cover.

    /// Covers what should not be seen, if it is there (config-linux.md, "Masked Paths").
    mutating func mask(_ path: String) throws(SystemError) {
        guard let place = try root.place(path) else { return }
        if try Files.status(of: place.raw, name: path).kind == .directory {
            let cover = try emptyDirectory()
            try Mounts.attach(cover.raw, to: place.raw, name: path)
        } else {
            // The machine's null device, and looked at: that of the root may be anything (CVE-2025-31133).
            let null = try Mounts.take("/dev/null", recursive: false)
            let status = try Files.status(of: null.raw, name: "/dev/null")
            guard status.kind == .characterDevice, status.deviceNumber == 1 << 8 | 3 else {
                throw SystemError(
                    "mask", path, code: .noSuchDevice, advice: "/dev/null of this machine is no null device.")
            }
            try Mounts.attach(null.raw, to: place.raw, name: path)
        }
    }

    private mutating func emptyDirectory() throws(SystemError) -> SharedFD {
        if let empty { return SharedFD(try Mounts.take(empty.raw, recursive: false, name: "an empty directory")) }
        let made = SharedFD(
            try Mounts.make(
                fileSystem: "tmpfs", source: "tmpfs", options: [("mode", "555"), ("size", "4k"), ("nr_inodes", "2")],
                attributes: .inert))
        empty = made
        return made
    }

    /// Makes a path read-only, if it is there (config-linux.md, "Readonly Paths").
    func makeReadOnly(_ path: String) throws(SystemError) {
        guard let place = try root.place(path) else { return }
        let tree = try Mounts.take(place.raw, recursive: true, name: path)
        try Mounts.change(tree.raw, set: .readOnly, recursive: false, name: path)
        try Mounts.attach(tree.raw, to: place.raw, name: path)
    }

    // The end.

    /// Makes read-only what waited for it, and the root itself where that is wanted.
    func seal(isRootReadOnly: Bool) throws(SystemError) {
        for (mount, name) in late { try Mounts.change(mount.raw, set: .readOnly, recursive: false, name: name) }
        if isRootReadOnly { try Mounts.change(root.descriptor.raw, set: .readOnly, recursive: false, name: "the root") }
    }

    /// Whether devices are made in /dev.
    var makesDevices: Bool { !isDeviceDirectoryBound }

    private static let kernelTypes: Set<String> = ["proc", "sysfs", "mqueue", "devpts", "cgroup2", "tmpfs"]
    private static let directoryOnly: CInt = 0o200_000
    /// PROC_SUPER_MAGIC, linux/magic.h.
    private static let procMagic = 0x9fa0
}
