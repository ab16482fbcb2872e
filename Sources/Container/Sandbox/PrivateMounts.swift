import Linux
import Spawn

/// Steps that mount, inside a sandbox's own copy of its tree, what no two sandboxes may share.
///
/// The mount points were made with the tree; none may be a link (RESOLVE_NO_SYMLINKS), since a root directory's
/// files may be hostile.
struct PrivateMounts {
    var program: StepProgram
    private var empty: Slot?
    private var null: Slot?

    private static let pathOnly: CInt = 0o10_000_000
    private static let directoryOnly: CInt = 0o200_000

    init(_ program: StepProgram) { self.program = program }

    /// Mounts a new file system at a path below "/".
    mutating func mount(_ type: String, _ options: [String], at path: String, _ attributes: Mounts.Attributes) {
        attach(make(type, options, attributes), at: path)
    }

    /// Mounts a sysfs, which shows the network of whoever mounts it.
    mutating func mountSysfs(isReadOnly: Bool) {
        let common: Mounts.Attributes = [.noSetuid, .noDevices, .noExecute]
        mount("sysfs", [], at: "sys", isReadOnly ? common.union(.readOnly) : common)
    }

    /// Moves the declared mounts that wait in /dev to their places below a directory that has just been mounted.
    mutating func moveStowed(of plan: SandboxPlan, below name: Substring, _ sources: RootSources) {
        for (index, mount) in plan.mounts.enumerated() where plan.isCoveredLater(mount) {
            guard plan.firstPart(of: mount) == name else { continue }
            move(stowed: index, to: mount.target, isDirectory: sources.isDirectory[mount.target] ?? true)
        }
    }

    /// Moves a bind that waited in /dev to its place below a mount that has just been made.
    private mutating func move(stowed index: Int, to target: String, isDirectory: Bool) {
        let waiting = open("dev/" + RootSteps.stowed(index), flags: Self.pathOnly)
        let place = program.makePlace(target, isDirectory: isDirectory, below: nil)
        program.add(.moveMount(waiting, to: place, ""))
    }

    /// Attaches a detached mount at a path below "/".
    mutating func attach(_ mount: Slot, at path: String) {
        let place = open(path, flags: Self.pathOnly | Self.directoryOnly)
        program.add(.moveMount(mount, to: place, ""))
    }

    /// Sets up what masks cover with. A mount can be copied only while it is attached in this namespace, so the
    /// empty directory is attached where /proc is about to hide it.
    mutating func prepareMasks() {
        let slot = make("tmpfs", ["mode=555", "size=4k", "nr_inodes=2"], [.readOnly, .noSetuid, .noDevices, .noExecute])
        attach(slot, at: "proc")
        empty = slot
        null = open("dev/null", flags: Self.pathOnly)
    }

    /// Covers a path, if it is there.
    mutating func mask(_ path: String) {
        guard let empty, let null else { preconditionFailure("masks are prepared before they are used") }
        program.add(.maskPath(path, directory: empty, file: null))
    }

    private mutating func make(_ type: String, _ options: [String], _ attributes: Mounts.Attributes) -> Slot {
        let configuration = program.slot()
        let mount = program.slot()
        program.add(.newFileSystem(type, into: configuration))
        for option in options {
            let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
            program.add(.fileSystemOption(configuration, parts[0], parts.count == 2 ? parts[1] : nil))
        }
        program.add(.fileSystemMount(configuration, into: mount, attributes: attributes.rawValue))
        return mount
    }

    private mutating func open(_ path: String, flags: CInt) -> Slot {
        let slot = program.slot()
        program.add(.openAt(nil, path, flags: flags, resolve: PathResolution.beneath, into: slot))
        return slot
    }
}
