import Linux
import Spawn

/// Writes the steps that build a sandbox's static tree of mounts: root, machine directories, declared binds, /dev.
///
/// Invariants
/// 1. A path below the root is opened with the root as its "/" and used by descriptor (openat2, RESOLVE_IN_ROOT);
///    the kernel's own directories (/proc, /dev, /sys, /tmp) must not even be links.
///    (tests: `CVE-2024-45310, CVE-2025-24965: a mount target through a symbolic link stays inside the root`,
///    `CVE-2026-41579, CVE-2026-47766, CVE-2019-19921, CVE-2023-27561: a kernel directory that is a link is refused`)
/// 2. What is not named by the plan is not mounted. (test: `a host root shows the machine's programs and nothing else`)
struct RootSteps {
    var program: StepProgram
    /// The root directory being built, opened.
    let root: Slot
    /// Detached trees to be attached; filled by whoever starts the program, in the order of `RootSources`.
    private(set) var trees: [Slot] = []

    /// Files of the room, to be bound over those of the root.
    private var roomFiles: [(file: Slot, target: String)] = []

    private static let pathOnly: CInt = 0o10_000_000
    private static let directoryOnly: CInt = 0o200_000
    private static let noFollow: CInt = 0o400_000

    /// Begins in a fresh mount namespace cut off from the machine's.
    init(_ program: StepProgram) {
        self.program = program
        root = self.program.slot()
    }

    /// Steps for the whole static tree of a plan, ending in the new root.
    mutating func build(_ plan: SandboxPlan, sources: RootSources) {
        program.add(.mount(source: "none", target: "/", type: "", flags: Mounts.makePrivate, options: ""))
        // The modes below are meant as they stand; the keeper's umask would take from them.
        program.add(.umask(0))
        openRoot(plan)
        for directory in sources.directories { attach(directory.target, isDirectory: true) }
        for link in sources.links { program.add(.symbolicLink(root, String(link.path.dropFirst()), target: link.target)) }
        for name in mountPoints(plan) { makeDirectory("/" + name) }
        for path in plan.madeDirectories { makeDirectory(path) }
        for bound in roomFiles {
            program.add(.moveMount(bound.file, to: makePlace(bound.target, isDirectory: false), ""))
        }
        let devices = buildDevices(plan, sources)
        for (index, mount) in plan.mounts.enumerated() {
            if plan.isCoveredLater(mount) {
                stow(mount, index, sources, in: devices)
            } else {
                attachDeclared(mount, sources)
            }
        }
        if !plan.isPrivileged { makeReadOnly(devices) }
        if plan.root.endsReadOnly {
            makeReadOnly(root)
        }
        if plan.namespaces.contains(.user) { keepKernelViews(plan) }
        program.add(.pivotRoot(root))
    }

    /// A user namespace may mount proc and sysfs only while its mount namespace shows one of them whole (the kernel's
    /// mount_too_revealing()): after the pivot the machine's are gone, so the first of our own come before it.
    private mutating func keepKernelViews(_ plan: SandboxPlan) {
        for (type, name) in [("proc", "proc")] + (plan.showsSysfs ? [("sysfs", "sys")] : []) {
            let view = program.slot()
            newMount(type, [], into: view, attributes: [.noSetuid, .noDevices, .noExecute])
            program.add(.moveMount(view, to: openOwn(name), ""))
        }
    }

    // The root.

    private mutating func openRoot(_ plan: SandboxPlan) {
        switch plan.root {
        case .unchanged: preconditionFailure("a sandbox without a root of its own builds none")
        case .host: newMount("tmpfs", ["mode=755", "size=1m"], into: root, attributes: [.noSetuid, .noDevices])
        case .directory: trees.append(root)
        case .overlay(let lower, let upper):
            overlay(lower, upper, plan.roomPlaces, plan.isPrivileged ? [] : [.noDevices])
        }
        program.add(.moveMount(root, to: nil, "/"))
    }

    private mutating func overlay(
        _ lower: [String], _ upper: OverlayUpper, _ places: RoomPlaces, _ attributes: Mounts.Attributes
    ) {
        let configuration = program.slot()
        var options = Self.layers(lower)
        switch upper {
        case .readOnly: break
        case .directory(let directory, let work): options += ["upperdir=" + directory, "workdir=" + work]
        case .room(let directory, _):
            // The working directory is the room (`SandboxProgram`), so that all rooms share one program.
            options = Self.layers(lower + [Room.base(in: directory)]) + ["upperdir=" + Room.upper, "workdir=" + Room.work]
            bindRoomFiles(places)
        case .temporary(let bytes):
            // The layer lives on a tmpfs that is attached below the overlay's own place and hidden by it.
            let layer = program.slot()
            newMount("tmpfs", ["mode=755", "size=\(bytes)"], into: layer, attributes: [])
            program.add(.moveMount(layer, to: nil, "/proc"))
            program.add(.makeDirectory(layer, "upper", mode: 0o755))
            program.add(.makeDirectory(layer, "work", mode: 0o755))
            options += ["upperdir=/proc/upper", "workdir=/proc/work"]
        }
        program.add(.newFileSystem("overlay", into: configuration))
        for option in options { addOption(option, to: configuration) }
        program.add(.fileSystemMount(configuration, into: root, attributes: attributes.rawValue))
    }

    /// Takes detached mounts of the room's files before anything covers the machine's tree.
    private mutating func bindRoomFiles(_ places: RoomPlaces) {
        for (name, target) in zip(Room.boundFiles.map(\.name), places.all) {
            let file = program.slot()
            program.add(.openTree(nil, name, flags: Mounts.cloneTree, into: file))
            program.add(
                .mountAttributes(
                    file, "", set: Mounts.Attributes([.noSetuid, .noDevices, .noExecute]).rawValue, clear: 0,
                    flags: Mounts.emptyPath, propagation: Mounts.privatePropagation))
            roomFiles.append((file, target))
        }
    }

    /// One option for all layers, or one for each where that would be longer than fsconfig(2) takes or a colon, which
    /// separates, is in a name. The second form needs Linux 6.5.
    private static func layers(_ lower: [String]) -> [String] {
        let joined = lower.joined(separator: ":")
        let isPlain = joined.utf8.count <= 255 && !lower.contains { $0.utf8.contains { [0x3a, 0x5c].contains($0) } }
        return isPlain ? ["lowerdir=" + joined] : lower.map { "lowerdir+=" + $0 }
    }

    // Pieces.

    /// Makes a file system with "key=value" options and a detached mount of it.
    mutating func newMount(_ type: String, _ options: [String], into slot: Slot, attributes: Mounts.Attributes) {
        let configuration = program.slot()
        program.add(.newFileSystem(type, into: configuration))
        for option in options { addOption(option, to: configuration) }
        program.add(.fileSystemMount(configuration, into: slot, attributes: attributes.rawValue))
    }

    private mutating func addOption(_ option: String, to configuration: Slot) {
        // "lowerdir+=PATH" has the key "lowerdir+".
        let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
        program.add(.fileSystemOption(configuration, parts[0], parts.count == 2 ? parts[1] : nil))
    }

    private mutating func attachDeclared(_ mount: Mount, _ sources: RootSources) {
        switch mount.source {
        case .bind, .device: attach(mount.target, isDirectory: sources.isDirectory[mount.target] ?? true)
        case .temporary(let bytes):
            let slot = program.slot()
            newMount(
                "tmpfs", ["mode=1777", "size=\(bytes)"], into: slot,
                attributes: mount.readOnly ? [.noSetuid, .noDevices, .readOnly] : [.noSetuid, .noDevices])
            program.add(.moveMount(slot, to: makePlace(mount.target, isDirectory: true), ""))
        }
    }

    /// Attaches the next tree at a path, which is made if it is missing.
    private mutating func attach(_ target: String, isDirectory: Bool) {
        let place = makePlace(target, isDirectory: isDirectory)
        let tree = program.slot()
        trees.append(tree)
        program.add(.moveMount(tree, to: place, ""))
    }

    private mutating func makeDirectory(_ path: String) { _ = makePlace(path, isDirectory: true) }

    private mutating func makePlace(_ path: String, isDirectory: Bool) -> Slot {
        program.makePlace(path, isDirectory: isDirectory, below: root)
    }

    // Devices.

    private func mountPoints(_ plan: SandboxPlan) -> [String] {
        var names = ["proc", "dev"]
        if plan.showsSysfs { names.append("sys") }
        if plan.temporaryBytes != nil { names.append("tmp") }
        return names
    }

    /// A /dev with the devices that every program may use, and places for what each sandbox gets anew; read-only but for
    /// the privileged, who have every device of the machine.
    private mutating func buildDevices(_ plan: SandboxPlan, _ sources: RootSources) -> Slot {
        let place = openOwn("dev")
        let devices = program.slot()
        newMount("tmpfs", ["mode=755", plan.isPrivileged ? "size=64m" : "size=64k"], into: devices, attributes: [.noSetuid, .noExecute])
        program.add(.moveMount(devices, to: place, ""))
        for name in sources.deviceDirectories { program.add(.makeDirectory(devices, name, mode: 0o755)) }
        for device in sources.devices {
            program.add(.makeNode(devices, device.name, mode: device.mode, device: device.number))
        }
        for device in Device.all where !sources.devices.contains(where: { $0.name == device.name }) {
            if plan.bindsDevices {
                attach("/dev/" + device.name, isDirectory: false)
            } else {
                program.add(.makeNode(devices, device.name, mode: 0o020_666, device: device.number))
            }
        }
        if plan.usesInit { attach(SandboxPlan.initPath, isDirectory: false) }
        for link in Device.links { program.add(.symbolicLink(devices, link.name, target: link.target)) }
        for name in ["pts", "shm", "mqueue"] { program.add(.makeDirectory(devices, name, mode: 0o755)) }
        return devices
    }

    /// Keeps a bind whose place only comes to be when the sandbox's own /tmp is mounted; `PrivateMounts` moves it there.
    private mutating func stow(_ mount: Mount, _ index: Int, _ sources: RootSources, in devices: Slot) {
        let name = Self.stowed(index)
        if sources.isDirectory[mount.target] ?? true {
            program.add(.makeDirectory(devices, name, mode: 0o755))
        } else {
            program.add(.makeNode(devices, name, mode: 0o100_644, device: 0))
        }
        let place = program.slot()
        program.add(.openAt(devices, name, flags: Self.pathOnly, resolve: PathResolution.beneath, into: place))
        let tree = program.slot()
        trees.append(tree)
        program.add(.moveMount(tree, to: place, ""))
    }

    /// The name in /dev under which a bind waits.
    static func stowed(_ index: Int) -> String { ".mount-\(index)" }

    private mutating func makeReadOnly(_ mount: Slot) {
        program.add(
            .mountAttributes(
                mount, "", set: Mounts.Attributes.readOnly.rawValue, clear: 0, flags: Mounts.emptyPath, propagation: 0))
    }

    /// Opens a directory of the kernel's right below the root, which must be none of a link's making.
    private mutating func openOwn(_ name: String) -> Slot {
        let slot = program.slot()
        program.add(
            .openAt(
                root, name, flags: Self.pathOnly | Self.directoryOnly | Self.noFollow, resolve: PathResolution.beneath,
                into: slot))
        return slot
    }
}

/// Devices of a sandbox, as the OCI runtime specification lists them ("Default Devices").
struct Device {
    var name: String
    var number: UInt64

    static let all = [
        Device(name: "null", number: make(1, 3)), Device(name: "zero", number: make(1, 5)),
        Device(name: "full", number: make(1, 7)), Device(name: "random", number: make(1, 8)),
        Device(name: "urandom", number: make(1, 9)), Device(name: "tty", number: make(5, 0)),
    ]

    static let links: [(name: String, target: String)] = [
        ("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ]

    private static func make(_ major: UInt64, _ minor: UInt64) -> UInt64 { major << 8 | minor }
}

extension SandboxPlan {
    /// Where the first process of a sandbox that wants one is bound.
    package static let initPath = "/dev/init"

    /// Whether the devices are those of the machine, bound: in a user namespace nobody may make any (mknod(2)).
    var bindsDevices: Bool { namespaces.contains(.user) }

    /// Whether a bind's place is below the private /tmp or /sys, which each sandbox mounts after the tree is built.
    func isCoveredLater(_ mount: Mount) -> Bool {
        if case .temporary = mount.source { return false }
        guard mount.target.split(separator: "/").count(where: { $0 != "." }) > 1 else { return false }
        switch firstPart(of: mount) {
        case "tmp": return temporaryBytes != nil
        case "sys": return showsSysfs
        default: return false
        }
    }

    /// The directory of the root that a mount is below.
    func firstPart(of mount: Mount) -> Substring? { mount.target.split(separator: "/").first { $0 != "." } }
}

extension RootFilesystem {
    /// Whether the root itself is switched to read-only once everything is in place.
    var endsReadOnly: Bool {
        switch self {
        case .unchanged: false
        case .host: true
        case .directory(_, let readOnly): readOnly
        case .overlay(_, .readOnly): true
        case .overlay(_, .room(_, let readOnly)): readOnly
        case .overlay: false
        }
    }
}
