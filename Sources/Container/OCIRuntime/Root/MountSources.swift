import Linux
import OCI

/// What is bound from the machine, taken as detached mounts before the container's own namespaces are there: the root,
/// and every bind of the configuration with its attributes, its propagation and its mapped ids.
struct MountSources {
    let root: SharedFD
    /// By the index of the mount.
    private(set) var binds: [Int: SharedFD] = [:]

    init(_ bundle: Bundle, _ mounts: [MountPlan]) throws(RuntimeFailure) {
        let linux = bundle.spec.linux
        root = try attempt("use the root file system") { () throws(SystemError) in
            let tree = SharedFD(try Mounts.take(bundle.root.raw, recursive: true, name: bundle.rootPath))
            // Before it stands anywhere: what is mounted in it must not be mounted on the machine.
            try Mounts.change(tree.raw, propagation: Propagation.slave, recursive: true, name: bundle.rootPath)
            return tree
        }
        let mapped = MappedMounts()
        for (index, mount) in mounts.enumerated() {
            guard case .bind(let path, let isRecursive) = mount.kind else { continue }
            let bind = try attempt("mount \(path) on \(mount.destination)") { () throws(SystemError) in
                try Self.take(path, isRecursive, mount, linux)
            }
            binds[index] = bind
            guard let (uid, gid) = mount.maps(linux) else { continue }
            try mapped.map(
                bind, uid: uid, gid: gid, recursive: mount.options.idMap == .all, name: mount.destination)
        }
    }

    private static func take(
        _ path: String, _ isRecursive: Bool, _ mount: MountPlan, _ linux: LinuxSpec
    ) throws(SystemError) -> SharedFD {
        let tree = SharedFD(try Mounts.take(path, recursive: isRecursive))
        if mount.options.propagation.isEmpty, let standard = standardPropagation(linux) {
            try Mounts.change(tree.raw, propagation: standard, recursive: true, name: path)
        }
        for propagation in mount.options.propagation {
            try Mounts.change(
                tree.raw, propagation: propagation.type, recursive: propagation.reach == .all, name: path)
        }
        let all = mount.options.recursiveAttributes
        if !all.isEmpty {
            try Mounts.change(
                tree.raw, set: Mounts.Attributes(rawValue: all.set), clear: Mounts.Attributes(rawValue: all.cleared),
                recursive: true, name: path)
        }
        if !mount.options.attributes.isEmpty {
            try Mounts.change(tree.raw, set: mount.set, clear: mount.clear, recursive: false, name: path)
        }
        return tree
    }

    /// What a bind is that does not say: as the root. nil leaves it as it is on the machine.
    private static func standardPropagation(_ linux: LinuxSpec) -> UInt64? {
        switch linux.rootPropagation?.kind {
        case .shared: nil
        case .private: Propagation.private
        default: Propagation.slave
        }
    }
}

extension MountPlan {
    /// The maps of its ids: its own, or those of the container's user namespace.
    fileprivate func maps(_ linux: LinuxSpec) -> ([IDMapping], [IDMapping])? {
        ownMaps ?? (options.idMap == nil ? nil : (linux.uidMappings, linux.gidMappings))
    }
}

/// Numbers of mount(2) for propagation.
enum Propagation {
    static let `private`: UInt64 = 1 << 18
    static let slave: UInt64 = 1 << 19
}

extension MountOptions.Propagation {
    /// The number alone, as mount_setattr(2) takes it: how far it reaches is said beside it.
    var type: UInt64 { flags & ~(1 << 14) }
}
