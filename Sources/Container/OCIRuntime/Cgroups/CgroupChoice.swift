import Linux
import OCI

/// What the command line says about cgroups.
struct CgroupChoice: Hashable, Sendable {
    /// Whether a container's cgroup is a unit of systemd (`--systemd-cgroup`).
    var usesSystemd = false
    /// `--rootless`: whether the lack of rights to make cgroups is put up with where nothing is limited.
    var rootless = Rootless.automatic

    enum Rootless: String, Sendable {
        case yes = "true"
        case no = "false"
        case automatic = "auto"
    }

    /// Whether this runtime works for a user who is not the machine's root.
    var isRootless: Bool {
        switch rootless {
        case .yes: true
        case .no: false
        case .automatic: OwnProcess.effectiveUser != 0 || Self.isInUserNamespace
        }
    }

    /// Not all ids there are, as they are.
    static var isInUserNamespace: Bool {
        guard let map = try? IDMaps.read("/proc/self/uid_map") else { return false }
        return !(map.count == 1 && map[0].containerID == 0 && map[0].hostID == 0 && map[0].size == .max)
    }
}
