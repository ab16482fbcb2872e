import Linux
import OCI
import Spawn

/// Mounts whose ids are mapped, mount_setattr(2), "ID-mapped mounts". The kernel takes the map from a user namespace, so
/// one is made for each map that is wanted; it lives as long as its descriptor.
final class MappedMounts {
    private struct Maps: Hashable {
        var uid: [IDMapping]
        var gid: [IDMapping]
    }

    private var made: [Maps: SharedFD] = [:]

    /// Maps the ids of a detached mount.
    func map(
        _ mount: SharedFD, uid: [IDMapping], gid: [IDMapping], recursive isRecursive: Bool, name: String
    ) throws(RuntimeFailure) {
        let namespace = try userNamespace(Maps(uid: uid, gid: gid))
        try attempt("map the ids of \(name)") { () throws(SystemError) in
            try Mounts.change(
                mount.raw, set: .mapped, userNamespace: namespace.raw, recursive: isRecursive, name: name)
        }
    }

    private func userNamespace(_ maps: Maps) throws(RuntimeFailure) -> SharedFD {
        if let namespace = made[maps] { return namespace }
        var steps = StepProgram()
        steps.cloneFlags = Namespaces.user.rawValue
        let socket = steps.slot()
        steps.add(.unshareFiles(lowest: 3))
        steps.add(.park(socket, first: socket, count: 0))
        let launch = try spawning { () throws(SpawnError) in
            try SteeredLaunch(steps, call: ProgramCall(path: "", arguments: [], environment: []), parkingAt: socket)
        }
        defer { launch.abandon() }
        let namespace = try attempt("make a map of ids") { () throws(SystemError) in
            try Files.writeText(IDMaps.text(maps.uid), to: "/proc/\(launch.pid)/uid_map")
            try Files.writeText(IDMaps.text(maps.gid), to: "/proc/\(launch.pid)/gid_map")
            return SharedFD(try Files.open("/proc/\(launch.pid)/ns/user", 0))
        }
        made[maps] = namespace
        return namespace
    }
}
