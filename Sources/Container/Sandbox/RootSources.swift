import Linux

/// What a sandbox's tree of mounts takes from the machine: looked at once, when the plan is compiled.
struct RootSources: Sendable {
    struct Directory: Hashable, Sendable {
        var source: String
        var target: String
    }

    struct Link: Hashable, Sendable {
        var path: String
        var target: String
    }

    /// Machine directories that a host root shows.
    var directories: [Directory] = []
    /// Links at the top of the machine's tree, such as /bin -> usr/bin.
    var links: [Link] = []
    /// Every device of the machine, for the privileged, and the directories in /dev that they are in.
    var devices: [MachineDevice] = []
    var deviceDirectories: [String] = []
    /// Whether the source of a declared bind is a directory, by target.
    var isDirectory: [String: Bool] = [:]

    /// Nothing of the machine.
    init() {}

    /// Looks at the machine for what `plan` names.
    ///
    /// - Throws: `SystemError` that names the missing source, or a root that is a symbolic link.
    init(_ plan: SandboxPlan) throws(SystemError) {
        if plan.root == .host { try addHost() }
        if plan.isPrivileged { (devices, deviceDirectories) = try MachineDevice.all() }
        for mount in plan.mounts {
            if case .device(let source) = mount.source {
                try Self.checkDevice(source)
                isDirectory[mount.target] = false
            }
            guard case .bind(let source) = mount.source else { continue }
            do {
                isDirectory[mount.target] = try Files.status(source).kind == .directory
            } catch {
                throw SystemError(
                    "bind \(source) to", mount.target, code: error.code, advice: "The source must exist on this machine.")
            }
        }
    }

    /// The file that the keeper runs. By its name: /proc/self/exe belongs to the mount namespace that it was started in,
    /// of which open_tree(2) copies nothing.
    private static func ownExecutable() throws(SystemError) -> String {
        let path = try Files.link("/proc/self/exe")
        let (named, running) = (try? Files.status(path), try Files.status("/proc/self/exe"))
        guard let named, named.device == running.device, named.inode == running.inode else {
            throw SystemError(
                "bring an init from", path, code: .noEntry,
                advice: "The keeper's file was replaced since it started: start the keeper anew.")
        }
        return path
    }

    private static func checkDevice(_ source: String) throws(SystemError) {
        let kind = try Files.status(source).kind
        guard kind == .characterDevice || kind == .blockDevice else {
            throw SystemError("use the device", source, code: .noSuchDevice, advice: "It is no device file.")
        }
    }

    private mutating func addHost() throws(SystemError) {
        for path in HostRoot.directories {
            guard let status = try? Files.status(path, followLinks: false) else { continue }
            switch status.kind {
            case .directory: directories.append(Directory(source: path, target: path))
            case .link: links.append(Link(path: path, target: try Files.link(path)))
            default: continue
            }
        }
    }

    /// Detached copies of every tree, in the order in which `RootSteps` attaches them.
    func copyTrees(_ plan: SandboxPlan) throws(SystemError) -> [SharedFD] {
        var trees: [SharedFD] = []
        if case .directory(let path, let readOnly) = plan.root {
            let attributes: Mounts.Attributes = plan.isPrivileged ? [] : [.noDevices]
            trees.append(try copy(path, root: true, readOnly ? attributes.union(.readOnly) : attributes))
        }
        for directory in directories {
            trees.append(try copy(directory.source, root: false, [.readOnly, .noSetuid, .noDevices]))
        }
        if plan.bindsDevices {
            // Devices are written on read-only mounts, too; their modes, which their owner could change without any
            // capability where users are the machine's own, are not.
            for device in Device.all {
                trees.append(try copy("/dev/" + device.name, root: false, [.readOnly, .noSetuid, .noExecute]))
            }
        }
        if plan.usesInit { trees.append(try copy(try Self.ownExecutable(), root: false, [.readOnly, .noSetuid, .noDevices])) }
        for mount in plan.mounts {
            switch mount.source {
            case .temporary: continue
            case .device(let source): trees.append(try copy(source, root: false, [.noSetuid, .noExecute]))
            case .bind(let source):
                let attributes: Mounts.Attributes = plan.isPrivileged ? [] : [.noSetuid, .noDevices]
                trees.append(
                    try copy(source, root: false, mount.readOnly ? attributes.union(.readOnly) : attributes))
            }
        }
        return trees
    }

    private func copy(_ path: String, root: Bool, _ attributes: Mounts.Attributes) throws(SystemError) -> SharedFD {
        let flags: CInt = 0o10_000_000 | (root ? 0o200_000 | 0o400_000 : 0)
        do {
            let source = try Files.open(path, flags)
            return SharedFD(try Mounts.copyTree(of: source.raw, name: path, attributes: attributes))
        } catch where root && (error.code == .tooManyLinks || error.code == .notDirectory) {
            throw SystemError(
                "use as the root directory", path, code: error.code,
                advice: "It must be a directory itself, not a symbolic link; name what the link points to.")
        }
    }
}

/// What a host root shows of the machine.
package enum HostRoot {
    /// Directories of the machine that programs need in order to run; each is shown if it is there.
    package static let directories = [
        "/usr", "/etc", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt",
    ]
}
