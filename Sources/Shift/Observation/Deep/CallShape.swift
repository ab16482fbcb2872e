/// What the arguments of a call are: which are paths, descriptors, numbers and addresses.
enum CallShape {
    enum Kind: Sendable {
        /// A path, from the working directory.
        case path
        /// A descriptor of a directory; the next argument is a path from there.
        case directory
        case pathFromThere
        case descriptor
        case number
        /// struct open_how: its flags.
        case how
        /// struct sockaddr, whose length is the next argument.
        case address
        /// Text that is no path.
        case text
        case skipped
    }

    /// The arguments that count, in order; empty: none does.
    static func of(_ name: String) -> [Kind] { shapes[name] ?? [] }

    private static let shapes: [String: [Kind]] = {
        var shapes: [String: [Kind]] = [
            "open": [.path, .number], "openat": [.directory, .pathFromThere, .number],
            "openat2": [.directory, .pathFromThere, .how], "rename": [.path, .path], "link": [.path, .path],
            "unlinkat": [.directory, .pathFromThere, .number], "symlink": [.skipped, .path],
            "symlinkat": [.skipped, .directory, .pathFromThere],
            "sendto": [.descriptor, .skipped, .skipped, .skipped, .address],
            "mmap": [.skipped, .skipped, .number, .number, .descriptor], "mq_open": [.text],
            "socket": [.number, .number], "socketpair": [.number, .number],
        ]
        func add(_ kinds: [Kind], _ names: String...) { for name in names { shapes[name] = kinds } }
        add(
            [.path], "creat", "truncate", "mkdir", "rmdir", "unlink", "mknod", "chmod", "chown", "lchown", "utime",
            "utimes",
            "setxattr", "lsetxattr", "removexattr", "lremovexattr", "stat", "lstat", "access", "readlink", "execve")
        add(
            [.directory, .pathFromThere], "mkdirat", "mknodat", "fchmodat", "fchmodat2", "fchownat", "futimesat",
            "utimensat",
            "newfstatat", "statx", "faccessat", "faccessat2", "readlinkat", "execveat")
        add([.directory, .pathFromThere, .directory, .pathFromThere], "renameat", "renameat2", "linkat")
        add(
            [.descriptor], "ftruncate", "fchmod", "fchown", "fsetxattr", "fremovexattr", "getdents", "getdents64",
            "listen",
            "accept", "accept4", "flock")
        add([.descriptor, .address], "connect", "bind")
        add([.descriptor, .number], "ioctl", "fcntl")
        add([.number], "setuid", "setgid", "setfsuid", "setfsgid", "shmget", "semget", "msgget")
        add([.number, .number], "setreuid", "setregid", "kill", "tkill")
        add([.number, .number, .number], "setresuid", "setresgid", "tgkill")
        return shapes
    }()
}
