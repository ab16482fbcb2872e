import Linux
import RuntimeCgroups
import Spawn

/// Shows the hierarchies of cgroup v1 below their tmpfs: those of the cgroup namespace, or the container's own
/// directories where it has none.
struct LegacyHierarchies {
    let hierarchies: [RuntimeCgroupLayout.Hierarchy]
    let cgroup: RuntimeCgroup?

    /// - Parameter made: the file systems that the child has made, in the order of the hierarchies; none without a cgroup
    ///   namespace of its own.
    func attach(_ mount: MountPlan, to tmpfs: SharedFD, _ made: [Slot], _ launch: SteeredLaunch) throws(SystemError) {
        let own = cgroup?.recorded ?? [:]
        for (index, hierarchy) in hierarchies.enumerated() {
            let name = String(hierarchy.path.split(separator: "/").last!)
            try Files.makeDirectory(name, at: tmpfs.raw)
            let place = try Files.place(name, at: tmpfs.raw)
            let shown: SharedFD
            if made.isEmpty {
                guard let own = hierarchy.controllers.first.flatMap({ own[$0] }) else { continue }
                shown = SharedFD(try Mounts.take(own, recursive: false))
            } else {
                shown = SharedFD(launch.takeDescriptor(in: made[index]))
            }
            try Mounts.change(shown.raw, set: mount.set, clear: mount.clear, recursive: false, name: name)
            try Mounts.attach(shown.raw, to: place.raw, name: "\(mount.destination)/\(name)")
            for controller in hierarchy.controllers where controller != name && !controller.contains("=") {
                try? FileEntries.makeLink(to: name, named: controller, at: tmpfs.raw)
            }
        }
    }
}
