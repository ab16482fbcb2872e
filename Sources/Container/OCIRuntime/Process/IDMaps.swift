import Linux
import OCI

/// What the ids of a container are outside of it.
struct OutsideIDs: Hashable, Sendable {
    /// Whether the container has a user namespace; without one an id is the same everywhere.
    var isMapped: Bool
    var uid: [IDMapping]
    var gid: [IDMapping]

    init(_ linux: LinuxSpec) {
        isMapped = linux.namespace(.user) != nil
        uid = linux.uidMappings
        gid = linux.gidMappings
    }

    func user(_ id: UInt32) -> UInt32 { outside(uid, id) }
    func owner(_ uid: UInt32, _ gid: UInt32) -> (UInt32, UInt32) { (user(uid), outside(self.gid, gid)) }

    private func outside(_ map: [IDMapping], _ id: UInt32) -> UInt32 {
        guard isMapped else { return id }
        for range in map where id >= range.containerID && id - range.containerID < range.size {
            return range.hostID + (id - range.containerID)
        }
        return id
    }
}

/// The ids of a user namespace as its files have them, user_namespaces(7).
enum IDMaps {
    /// The same lines of a map that is to be written.
    static func text(_ mappings: [IDMapping]) -> String {
        mappings.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined()
    }

    /// Writes both maps of a process's new user namespace.
    static func write(_ linux: LinuxSpec, of pid: Int32) throws(SystemError) {
        try Files.writeText(text(linux.uidMappings), to: "/proc/\(pid)/uid_map")
        try Files.writeText(text(linux.gidMappings), to: "/proc/\(pid)/gid_map")
    }

    /// Whether supplementary groups are nobody's to change in this process's user namespace and those made in it, because
    /// who made it had no rights outside (user_namespaces(7)).
    static var areGroupsFixed: Bool { (try? Files.readText("/proc/self/setgroups")) == "deny" }

    /// The lines of /proc/PID/uid_map: first id inside, first id outside, how many.
    static func read(_ path: String) throws(SystemError) -> [IDMapping] {
        try Files.readText(path).split(separator: "\n").compactMap { line in
            let numbers = line.split(separator: " ").compactMap { UInt32($0) }
            return numbers.count == 3 ? IDMapping(containerID: numbers[0], hostID: numbers[1], size: numbers[2]) : nil
        }
    }
}
