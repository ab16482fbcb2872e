import Linux
import OCI

/// The devices and links of a container's /dev (config-linux.md, "Default Devices" and "Devices").
struct DeviceNodes {
    let root: ContainerRoot
    /// Devices of the machine are bound where the container's user namespace may make none.
    let areBound: Bool

    struct Device: Hashable, Sendable {
        var path: String
        var kind: DeviceSpec.Kind
        var major: UInt32
        var minor: UInt32
        var mode: UInt32
        var uid: UInt32
        var gid: UInt32
    }

    static let standard: [Device] = [
        ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
    ].map { Device(path: "/dev/\($0.0)", kind: .character, major: $0.1, minor: $0.2, mode: 0o666, uid: 0, gid: 0) }

    private static let links = [
        ("/dev/fd", "/proc/self/fd"), ("/dev/stdin", "/proc/self/fd/0"), ("/dev/stdout", "/proc/self/fd/1"),
        ("/dev/stderr", "/proc/self/fd/2"),
    ]

    /// Those of a configuration: the standard ones, unless it names them itself, and its own.
    static func all(_ specs: [DeviceSpec]) -> [Device] {
        let own = specs.map {
            Device(
                path: ContainerRoot.clean($0.path), kind: $0.kind, major: $0.major, minor: $0.minor,
                mode: $0.mode ?? 0o666,
                uid: $0.uid ?? 0, gid: $0.gid ?? 0)
        }
        return own + standard.filter { device in !own.contains { $0.path == device.path } }
    }

    /// Makes the devices, where they are not there already, and the links.
    ///
    /// - Parameter map: ids of the container to those outside.
    func make(_ devices: [Device], map: (UInt32, UInt32) -> (UInt32, UInt32)) throws(SystemError) {
        var parents = Parents(root: root)
        for device in devices { try make(device, map(device.uid, device.gid), &parents) }
        for (path, target) in Self.links { try makeLink(path, target, &parents) }
        if Files.exists("/proc/kcore") { try makeLink("/dev/core", "/proc/kcore", &parents) }
        // The container's own terminals, not the machine's.
        let (directory, name) = try parents.parent(of: "/dev/ptmx")
        try? FileEntries.remove(name, at: directory.raw)
        try makeLink("/dev/ptmx", "pts/ptmx", &parents)
    }

    /// The directories of devices, each resolved once: nearly all are in /dev.
    private struct Parents {
        let root: ContainerRoot
        private var known: [(path: String, directory: SharedFD)] = []

        init(root: ContainerRoot) { self.root = root }

        /// The directory of a clean path, and its last part.
        mutating func parent(of path: String) throws(SystemError) -> (directory: SharedFD, name: String) {
            let slash = path.lastIndex(of: "/")!
            let above = String(path[..<slash])
            let name = String(path[path.index(after: slash)...])
            if !name.isEmpty, let known = known.first(where: { $0.path == above }) { return (known.directory, name) }
            let parent = try root.parent(of: path)
            known.append((above, parent.directory))
            return parent
        }
    }

    private func make(
        _ device: Device, _ owner: (uid: UInt32, gid: UInt32), _ parents: inout Parents
    ) throws(SystemError) {
        if areBound, device.kind != .pipe { return try bind(device) }
        let (directory, name) = try parents.parent(of: device.path)
        do {
            switch device.kind {
            case .pipe: try FileEntries.makePipe(name, at: directory.raw)
            case .block, .character, .unbuffered:
                try FileEntries.makeDevice(
                    name, at: directory.raw, block: device.kind == .block, major: device.major, minor: device.minor,
                    mode: device.mode)
            }
        } catch  where error.code == .exists {
            return try check(device, name, directory)
        } catch  where error.code == .notPermitted && device.kind != .pipe {
            // This runtime is in a user namespace itself.
            return try bind(device)
        }
        if try FileEntries.status(name, at: directory.raw).file.permissions != device.mode {
            try FileEntries.setMode(device.mode, of: name, at: directory.raw)
        }
        if owner != (0, 0) { try FileEntries.setOwner(owner.uid, owner.gid, of: name, at: directory.raw) }
    }

    /// What is there already must be that device: a root that brings its own /dev/null as a file or a link would be
    /// written through.
    private func check(_ device: Device, _ name: String, _ directory: SharedFD) throws(SystemError) {
        let there = try FileEntries.status(name, at: directory.raw)
        let kind: FileStatus.Kind =
            device.kind == .block ? .blockDevice : device.kind == .pipe ? .pipe : .characterDevice
        let isSame =
            there.file.kind == kind
            && (device.kind == .pipe || (there.deviceMajor == device.major && there.deviceMinor == device.minor))
        guard !isSame else { return }
        throw SystemError(
            "make device", device.path, code: .exists, advice: "The root file system has something else there.")
    }

    /// Binds the machine's device of that number over an empty file.
    private func bind(_ device: Device) throws(SystemError) {
        let tree = try Mounts.take(device.path, recursive: false)
        let status = try FileEntries.status(of: tree.raw, name: device.path)
        guard status.deviceMajor == device.major, status.deviceMinor == device.minor,
            status.file.kind == (device.kind == .block ? .blockDevice : .characterDevice)
        else {
            throw SystemError(
                "bind device", device.path, code: .noSuchDevice, advice: "The machine has another device at this path.")
        }
        let place = try root.file(device.path)
        try Mounts.attach(tree.raw, to: place.raw, name: device.path)
    }

    private func makeLink(_ path: String, _ target: String, _ parents: inout Parents) throws(SystemError) {
        let (directory, name) = try parents.parent(of: path)
        do { try FileEntries.makeLink(to: target, named: name, at: directory.raw) } catch  where error.code == .exists {
        }
    }
}
