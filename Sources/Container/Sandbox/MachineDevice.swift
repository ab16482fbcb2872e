import Linux

/// A device file of the machine, for sandboxes that may use every one.
struct MachineDevice: Hashable, Sendable {
    /// The path below /dev.
    var name: String
    /// Kind and permissions as mknod(2) takes them.
    var mode: UInt32
    var number: UInt64

    /// What a sandbox has of its own, and what belongs to whoever manages devices.
    private static let left: Set<String> = [
        "pts", "ptmx", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console", "init",
    ]

    /// More devices no machine has, nor deeper ones.
    private static let limit = 16_384
    private static let depthLimit = 8

    /// The devices and the directories that they are in, a directory before what is in it.
    static func all() throws(SystemError) -> (devices: [MachineDevice], directories: [String]) {
        var found: [MachineDevice] = []
        var directories: [String] = []
        var waiting = [""]
        while let directory = waiting.popLast() {
            for name in try Files.list("/dev/" + directory).sorted() where !left.contains(directory + name) {
                let path = directory + name
                // One that goes while we look is not there.
                guard let status = try? Files.status("/dev/" + path, followLinks: false), found.count < limit else {
                    continue
                }
                switch status.kind {
                case .directory where path.split(separator: "/").count < depthLimit:
                    directories.append(path)
                    waiting.append(path + "/")
                case .characterDevice: found.append(device(path, status, kind: 0o020_000))
                case .blockDevice: found.append(device(path, status, kind: 0o060_000))
                default: continue
                }
            }
        }
        return (found, directories)
    }

    private static func device(_ name: String, _ status: FileStatus, kind: UInt32) -> MachineDevice {
        MachineDevice(name: name, mode: kind | status.permissions & 0o777, number: status.deviceNumber)
    }
}
