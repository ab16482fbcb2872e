import CKernel

/// Detached trees of mounts taken, changed and attached by descriptor: what a root filesystem is put together from.
extension Mounts.Attributes {
    package static let noAccessTime = Mounts.Attributes(rawValue: 0x10)
    package static let strictAccessTime = Mounts.Attributes(rawValue: 0x20)
    /// The bits of which one kind of access time is chosen; to be cleared before one is set.
    package static let accessTimes = Mounts.Attributes(rawValue: 0x70)
    package static let noDirectoryAccessTime = Mounts.Attributes(rawValue: 0x80)
    /// Ids are mapped by a user namespace.
    package static let mapped = Mounts.Attributes(rawValue: 0x10_0000)
    package static let noSymbolicLinks = Mounts.Attributes(rawValue: 0x20_0000)
    /// Nothing can be changed, executed or opened as a device there.
    package static var inert: Mounts.Attributes { [.readOnly, .noSetuid, .noDevices, .noExecute] }
}

extension Mounts {
    /// A detached copy of what is at a path, following links, as mount --bind or --rbind takes it; its propagation is kept.
    package static func take(_ path: String, recursive isRecursive: Bool) throws(SystemError) -> OwnedFD {
        let flags = CUnsignedInt(OPEN_TREE_CLONE) | CUnsignedInt(O_CLOEXEC) | (isRecursive ? recursive : 0)
        return OwnedFD(
            adopting: CInt(try call("take the mount tree of", path) { ck_open_tree(Files.here, path, flags) }))
    }

    /// The same of an open file or directory.
    package static func take(_ fd: CInt, recursive isRecursive: Bool, name: String) throws(SystemError) -> OwnedFD {
        let flags = CUnsignedInt(OPEN_TREE_CLONE) | CUnsignedInt(O_CLOEXEC) | emptyPath | (isRecursive ? recursive : 0)
        return OwnedFD(adopting: CInt(try call("take the mount tree of", name) { ck_open_tree(fd, "", flags) }))
    }

    /// Changes attributes, propagation (MS_SHARED and its like) and the map of ids of a mount or its whole tree,
    /// mount_setattr(2).
    package static func change(
        _ mount: CInt, set: Attributes = [], clear: Attributes = [], propagation: UInt64 = 0, userNamespace: CInt = 0,
        recursive isRecursive: Bool, name: String
    ) throws(SystemError) {
        try call("change the mount attributes of", name) {
            ck_mount_setattr(
                mount, "", emptyPath | (isRecursive ? recursive : 0), set.rawValue, clear.rawValue, propagation,
                userNamespace)
        }
    }

    /// Attaches a detached mount at an open place.
    package static func attach(_ mount: CInt, to place: CInt, name: String) throws(SystemError) {
        try call("mount on", name) {
            ck_move_mount(
                mount, "", place, "", CUnsignedInt(MOVE_MOUNT_F_EMPTY_PATH) | CUnsignedInt(MOVE_MOUNT_T_EMPTY_PATH))
        }
    }

    /// mount(2), for what the calls above cannot do. `target` may be a link of /proc to a descriptor.
    package static func mount(
        source: String, target: String, type: String, flags: UInt, data: String?
    ) throws(SystemError) {
        try call("mount \(type) on", target) { ck_mount(source, target, type, flags, data) }
    }

    /// A detached mount of a new file system whose options may be flags without a value.
    package static func make(
        fileSystem type: String, source: String, options: [(key: String, value: String?)], attributes: Attributes
    ) throws(SystemError) -> OwnedFD {
        let configuration = OwnedFD(
            adopting: CInt(try call("prepare a file system", type) { ck_fsopen(type, CUnsignedInt(FSOPEN_CLOEXEC)) }))
        for (key, value) in [("source", source)] + options {
            let command = value == nil ? FSCONFIG_SET_FLAG.rawValue : FSCONFIG_SET_STRING.rawValue
            try call("give a file system of type \(type) the option", value.map { "\(key)=\($0)" } ?? key) {
                guard let value else { return ck_fsconfig(configuration.raw, CUnsignedInt(command), key, nil, 0) }
                return ck_fsconfig(configuration.raw, CUnsignedInt(command), key, value, 0)
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

    /// Whether the mount that a path leads to is read-only (ST_RDONLY), statfs(2).
    package static func isReadOnly(_ path: String) throws(SystemError) -> Bool {
        var status = statfs()
        try call("look at the file system of", path) { ck_statfs(path, &status) }
        return status.f_flags & 1 != 0
    }

    /// What the file system at a path has, and what of it is free for an ordinary user, bytes; statfs(2).
    package static func space(_ path: String) throws(SystemError) -> (total: Int, free: Int) {
        var status = statfs()
        try call("look at the file system of", path) { ck_statfs(path, &status) }
        let block = Int(status.f_frsize == 0 ? status.f_bsize : status.f_frsize)
        return (Int(status.f_blocks) * block, Int(status.f_bavail) * block)
    }

    /// The kind of file system of an open file (…_SUPER_MAGIC), fstatfs(2).
    package static func fileSystemKind(of fd: CInt, name: String) throws(SystemError) -> Int {
        var status = statfs()
        try call("look at the file system of", name) { ck_fstatfs(fd, &status) }
        return Int(status.f_type)
    }
}

extension CurrentProcess {
    /// fchdir(2)
    package static func changeDirectory(to fd: CInt, name: String) throws(SystemError) {
        try call("change directory to", name) { ck_fchdir(fd) }
    }

    /// Makes an open directory the root of this process, chroot(2), and the working directory.
    package static func changeRoot(to fd: CInt) throws(SystemError) {
        try call("change directory to", "the root") { ck_fchdir(fd) }
        try call("change the root") { ck_chroot(".") }
    }

    /// Executes an open file in this process's place, with its own arguments and environment, execveat(2).
    ///
    /// Returns only when it fails.
    package static func execute(_ fd: CInt, arguments: [String]) throws(SystemError) {
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        defer { for word in words { free(word) } }
        words.append(nil)
        try call("execute", "this program again") { ck_execute_file(fd, words) }
    }

    /// Sets this process's umask and returns the one before, umask(2).
    @discardableResult
    package static func setUmask(_ mask: UInt32) -> UInt32 { UInt32(ck_umask(mask)) }

    /// Makes files as another user from now on, with all capabilities that are permitted, setfsuid(2).
    package static func becomeForFiles(user: UInt32, group: UInt32) throws(SystemError) {
        try call("make files as user \(user) and group", "\(group)") { ck_set_file_ids(user, group) }
        try call("raise capabilities") { ck_raise_permitted() }
    }
}
