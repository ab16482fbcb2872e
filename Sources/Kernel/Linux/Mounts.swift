import CKernel

/// Mounts by descriptor: detached trees that are attached later, mount_setattr(2), open_tree(2), move_mount(2).
package enum Mounts {
    /// Attributes of a mount, the kernel's own bits (MOUNT_ATTR_*).
    package struct Attributes: OptionSet, Hashable, Sendable {
        package var rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }
        package static let readOnly = Attributes(rawValue: 1)
        package static let noSetuid = Attributes(rawValue: 2)
        package static let noDevices = Attributes(rawValue: 4)
        package static let noExecute = Attributes(rawValue: 8)
    }

    /// Flags that steps and calls need by number.
    package static let emptyPath = UInt32(AT_EMPTY_PATH)
    package static let recursive = UInt32(AT_RECURSIVE)
    /// For open_tree(2): a detached copy of the one mount.
    package static let cloneTree = UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC)
    /// MS_REC | MS_PRIVATE: nothing that is mounted later crosses into or out of this namespace.
    package static let makePrivate: UInt = 0x4000 | (1 << 18)
    package static let privatePropagation: UInt32 = 1 << 18
    package static let detach: CInt = 2

    /// A detached copy of what is mounted at an open path, with everything below it, cut off from propagation.
    ///
    /// - Parameters:
    ///   - source: opened O_PATH in this mount namespace.
    ///   - name: for the error.
    package static func copyTree(
        of source: CInt, name: String, attributes: Attributes
    ) throws(SystemError) -> OwnedFD {
        let tree = OwnedFD(
            adopting: CInt(
                try call("copy the mount tree of", name) {
                    ck_open_tree(
                        source, "", CUnsignedInt(OPEN_TREE_CLONE) | CUnsignedInt(O_CLOEXEC) | emptyPath | recursive)
                }))
        try call("change the mount attributes of", name) {
            ck_mount_setattr(tree.raw, "", emptyPath | recursive, attributes.rawValue, 0, UInt64(privatePropagation), 0)
        }
        return tree
    }

    /// A detached instance of devpts with terminals of its own, whose `ptmx` anybody inside may open.
    package static func terminalFileSystem() throws(SystemError) -> OwnedFD {
        try make("devpts", [("ptmxmode", "0666"), ("mode", "0620")], attributes: [.noSetuid, .noExecute])
    }

    /// A detached tmpfs of at most so many bytes, whose root is its owner's alone.
    package static func memoryFileSystem(bytes: Int) throws(SystemError) -> OwnedFD {
        try make("tmpfs", [("mode", "0700"), ("size", "\(bytes)")], attributes: [.noSetuid, .noDevices])
    }

    /// Makes a mount namespace of our own whose changes stay in it, mount_namespaces(7).
    package static func leaveSharedNamespace() throws(SystemError) {
        try call("make a mount namespace") { ck_unshare(CInt(truncatingIfNeeded: Namespaces.mount.rawValue)) }
        try call("make all mounts private") { ck_mount("none", "/", nil, makePrivate, nil) }
    }

    /// A detached mount of an overlay, Documentation/filesystems/overlayfs.rst.
    ///
    /// - Parameters:
    ///   - lower: the topmost first; at least two where there is no `upper`.
    ///   - upper: what is written goes to `directory`; `work` is an empty directory of the same file system.
    /// - Throws: `SystemError`; EINVAL from a kernel before 6.5 when `lower` is long or a name holds ":" or "\\".
    package static func overlay(
        lower: [String], upper: (directory: String, work: String)? = nil, attributes: Attributes
    ) throws(SystemError) -> OwnedFD {
        var options = layerOptions(lower)
        if let upper { options += [("upperdir", upper.directory), ("workdir", upper.work)] }
        return try make("overlay", options, attributes: attributes)
    }

    /// A detached mount of a new file system, fsopen(2).
    static func make(
        _ type: String, _ options: [(key: String, value: String)], attributes: Attributes
    ) throws(SystemError) -> OwnedFD {
        let configuration = OwnedFD(
            adopting: CInt(try call("prepare a file system", type) { ck_fsopen(type, CUnsignedInt(FSOPEN_CLOEXEC)) }))
        for (key, value) in options {
            try call("give a file system of type \(type) the option", "\(key)=\(value)") {
                ck_fsconfig(configuration.raw, CUnsignedInt(FSCONFIG_SET_STRING.rawValue), key, value, 0)
            }
        }
        try call("make a file system", type) {
            ck_fsconfig(configuration.raw, CUnsignedInt(FSCONFIG_CMD_CREATE.rawValue), nil, nil, 0)
        }
        return OwnedFD(
            adopting: CInt(
                try call("mount a file system", type) {
                    ck_fsmount(configuration.raw, CUnsignedInt(FSMOUNT_CLOEXEC), CUnsignedInt(attributes.rawValue))
                }))
    }

    /// One option for all layers, or one for each where that would be longer than fsconfig(2) takes or a character
    /// that separates is in a name. The second form needs Linux 6.5.
    private static func layerOptions(_ lower: [String]) -> [(key: String, value: String)] {
        let joined = lower.joined(separator: ":")
        let isPlain = joined.utf8.count <= 255 && !lower.contains { $0.utf8.contains { [0x3a, 0x5c].contains($0) } }
        return isPlain ? [("lowerdir", joined)] : lower.map { ("lowerdir+", $0) }
    }
}
