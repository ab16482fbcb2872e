import Glibc
import Linux

/// What a system call means. Pure, one table for calls that were traced and for calls that strace has written down.
///
/// A call that failed leaves a trace only where it looked for something that is not there: a program that runs elsewhere
/// looks there, too.
enum CallDeeds {
    /// The calls that mean anything here; a filter has only them stop.
    static let names =
        fileCalls + socketCalls + identityCalls + notableCalls + [
            "mmap", "shmget", "shmat", "semget", "msgget", "mq_open", "kill", "tkill", "tgkill", "pidfd_send_signal",
            "ioctl",
            "fcntl", "flock",
        ]

    static let socketCalls = ["socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendto"]
    static let identityCalls = [
        "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "setfsgid",
        "capset",
    ]
    /// What changes more than a process, or what hides from a tracer (io_uring).
    static let notableCalls = [
        "setsid", "setpgid", "mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "ptrace", "reboot",
        "init_module",
        "finit_module", "delete_module", "bpf", "perf_event_open", "sethostname", "setdomainname", "settimeofday",
        "clock_settime", "adjtimex", "swapon", "swapoff", "io_uring_setup", "fanotify_init", "inotify_init1",
        "open_tree",
        "move_mount", "fsmount", "memfd_create", "userfaultfd", "iopl", "ioperm", "sched_setscheduler", "setpriority",
    ]
    static let fileCalls = [
        "open", "openat", "openat2", "creat", "truncate", "ftruncate", "rename", "renameat", "renameat2", "mkdir",
        "mkdirat",
        "rmdir", "link", "linkat", "unlink", "unlinkat", "symlink", "symlinkat", "chmod", "fchmod", "fchmodat",
        "fchmodat2",
        "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "futimesat", "utimensat", "mknod", "mknodat",
        "setxattr",
        "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr", "stat", "lstat", "newfstatat", "statx",
        "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents", "getdents64", "execve", "execveat",
    ]

    /// What the call did; nothing when it did nothing that matters.
    static func of(_ call: TracedCall) -> [Deed] {
        if fileSet.contains(call.name) { return ofFile(call) }
        if socketSet.contains(call.name) { return ofSocket(call) }
        if identitySet.contains(call.name) { return call.succeeded ? [.identity(identity(call))] : [] }
        if notableSet.contains(call.name) { return call.succeeded ? [.notable(call.name)] : [] }
        return call.succeeded ? ofRest(call) : []
    }

    private static let fileSet = Set(fileCalls)
    private static let socketSet = Set(socketCalls)
    private static let identitySet = Set(identityCalls)
    private static let notableSet = Set(notableCalls)

    // MARK: Files

    private static func ofFile(_ call: TracedCall) -> [Deed] {
        func deed(_ path: String?, _ actions: FileUse.Action...) -> [Deed] {
            guard let path else { return [] }
            if call.succeeded { return [.file(path, actions)] }
            return call.isMissing ? [.file(path, [.missing])] : []
        }
        switch call.name {
        case "open": return opened(call, path: call.path(0), flags: 1)
        case "openat", "openat2": return opened(call, path: call.path(1), flags: 2)
        case "creat": return deed(call.path(0), .create, .truncate, .write)
        case "truncate": return deed(call.path(0), .truncate)
        case "ftruncate": return deed(call.file(0), .truncate)
        case "rename": return moved(call, call.path(0), call.path(1))
        case "renameat", "renameat2": return moved(call, call.path(1), call.path(3))
        case "mkdir": return deed(call.path(0), .mkdir)
        case "mkdirat": return deed(call.path(1), .mkdir)
        case "rmdir": return deed(call.path(0), .rmdir)
        case "unlink": return deed(call.path(0), .unlink)
        case "unlinkat": return deed(call.path(1), call.has(2, .removeDirectory) ? .rmdir : .unlink)
        case "link":
            return call.succeeded ? deed(call.path(1), .link) + deed(call.path(0), .status) : deed(call.path(0), .link)
        case "linkat":
            return call.succeeded ? deed(call.path(3), .link) + deed(call.path(1), .status) : deed(call.path(1), .link)
        case "symlink": return deed(call.path(1), .symlink)
        case "symlinkat": return deed(call.path(2), .symlink)
        case "mknod": return deed(call.path(0), .special)
        case "mknodat": return deed(call.path(1), .special)
        case "chmod", "chown", "lchown", "utime", "utimes", "setxattr", "lsetxattr", "removexattr", "lremovexattr":
            return deed(call.path(0), .attributes)
        case "fchmod", "fchown", "fsetxattr", "fremovexattr": return deed(call.file(0), .attributes)
        case "fchmodat", "fchmodat2", "fchownat", "futimesat", "utimensat":
            return deed(call.path(1) ?? call.file(0), .attributes)
        case "stat", "lstat", "access", "readlink": return deed(call.path(0), .status)
        case "newfstatat", "statx", "faccessat", "faccessat2", "readlinkat": return deed(call.path(1), .status)
        case "getdents", "getdents64": return deed(call.file(0), .list)
        case "execve": return deed(call.path(0), .execute)
        case "execveat": return deed(call.path(1) ?? call.file(0), .execute)
        default: return []
        }
    }

    private static func opened(_ call: TracedCall, path: String?, flags: Int) -> [Deed] {
        guard let path else { return [] }
        guard call.succeeded else { return call.isMissing ? [.file(path, [.missing])] : [] }
        if call.has(flags, .place) { return [.file(path, [.status])] }
        if call.has(flags, .nameless) { return [.file(path, [.create, .write])] }
        var actions: [FileUse.Action] = []
        let writes = call.has(flags, .writeOnly)
        let both = call.has(flags, .readWrite)
        if call.has(flags, .create), call.has(flags, .exclusive) || call.existed != true { actions.append(.create) }
        if call.has(flags, .truncate) { actions.append(.truncate) }
        if call.has(flags, .append) { actions.append(.append) }
        if writes || both { actions.append(.write) }
        if !writes { actions.append(call.has(flags, .directory) ? .list : .read) }
        return [.file(path, actions)] + terminal(path) + sharedMemory(path)
    }

    private static func moved(_ call: TracedCall, _ from: String?, _ to: String?) -> [Deed] {
        guard call.succeeded else { return call.isMissing ? from.map { [.file($0, [.missing])] } ?? [] : [] }
        return [from.map { .file($0, [.renamedFrom]) }, to.map { .file($0, [.renamedTo]) }].compactMap { $0 }
    }

    static func terminal(_ path: String) -> [Deed] {
        let isTerminal =
            path == "/dev/tty" || path == "/dev/console" || path.hasPrefix("/dev/pts/") || path.hasPrefix("/dev/ttyS")
            || path == "/dev/ptmx"
        return isTerminal ? [.terminal(path)] : []
    }

    private static func sharedMemory(_ path: String) -> [Deed] { path.hasPrefix("/dev/shm/") ? [.shared(path)] : [] }

    // MARK: Sockets

    private static func ofSocket(_ call: TracedCall) -> [Deed] {
        let descriptor = call.number(0) ?? -1
        switch call.name {
        case "socket":
            guard call.succeeded else { return [] }
            return [.socket(descriptor: call.result, family: family(call), type: type(call))]
        case "socketpair":
            guard call.succeeded else { return [] }
            return [
                .socket(descriptor: -1, family: family(call), type: type(call)),
                .useOfSocket(descriptor: -1, .pair, nil),
            ]
        case "connect":
            // EINPROGRESS: it goes on without the program waiting. What was refused was wanted all the same.
            return [.useOfSocket(descriptor: descriptor, .connect, call.address(1))]
        case "bind": return call.succeeded ? [.useOfSocket(descriptor: descriptor, .bind, call.address(1))] : []
        case "listen": return call.succeeded ? [.useOfSocket(descriptor: descriptor, .listen, nil)] : []
        case "accept", "accept4": return call.succeeded ? [.useOfSocket(descriptor: descriptor, .accept, nil)] : []
        case "sendto":
            guard let address = call.address(4) else { return [] }
            return [.useOfSocket(descriptor: descriptor, .send, address)]
        default: return []
        }
    }

    private static func family(_ call: TracedCall) -> String {
        switch call.arguments.first {
        case .number(let number): SocketFamily.name(number)
        case .words(let words): SocketFamily.name(words.first ?? "")
        default: ""
        }
    }

    private static func type(_ call: TracedCall) -> String {
        guard call.arguments.count > 1 else { return "" }
        switch call.arguments[1] {
        case .number(let number): return SocketFamily.types[number & 0xf] ?? "\(number & 0xf)"
        case .words(let words):
            return words.first.flatMap { word in
                SocketFamily.typeWords[word]
            } ?? ""
        default: return ""
        }
    }

    // MARK: The rest

    private static func identity(_ call: TracedCall) -> String {
        let numbers = call.arguments.compactMap { argument -> String? in
            guard case .number(let number) = argument else { return nil }
            // (uid_t)-1 leaves one as it is.
            return Int32(truncatingIfNeeded: number) == -1 ? "-1" : "\(number)"
        }
        return call.name == "setgroups" || call.name == "capset"
            ? call.name : "\(call.name)(\(numbers.joined(separator: ", ")))"
    }

    private static func ofRest(_ call: TracedCall) -> [Deed] {
        switch call.name {
        case "mmap":
            guard call.has(3, .shared) else { return [] }
            if let path = call.file(4) {
                let isWritten = call.has(2, .writable)
                return [.file(path, isWritten ? [.map, .write] : [.map])] + (isWritten ? [.shared(path)] : [])
            }
            return call.has(3, .anonymous) ? [.shared("anonymous")] : []
        case "shmget": return [.shared("System V memory \(key(call))")]
        case "semget": return [.shared("System V semaphores \(key(call))")]
        case "msgget": return [.shared("System V messages \(key(call))")]
        case "mq_open": return [.shared("message queue" + (call.path(0).map { " " + $0 } ?? ""))]
        case "kill", "tkill": return signal(call, target: 0, number: 1)
        case "tgkill": return signal(call, target: 0, number: 2)
        case "ioctl":
            // TCGETS to TIOCGWINSZ and their like: only a terminal answers them.
            guard let path = call.file(0) else { return [] }
            return terminal(path)
        case "fcntl", "flock": return call.file(0).map { [.file($0, [.lock])] } ?? []
        default: return []
        }
    }

    private static func key(_ call: TracedCall) -> String {
        switch call.arguments.first {
        case .number(0): "private"
        case .number(let key): "0x" + String(UInt32(truncatingIfNeeded: key), radix: 16)
        case .words(let words): words.first == "IPC_PRIVATE" ? "private" : words.first ?? "?"
        default: "?"
        }
    }

    private static func signal(_ call: TracedCall, target: Int, number: Int) -> [Deed] {
        guard let to = call.number(target), call.arguments.count > number else { return [] }
        switch call.arguments[number] {
        // 0 asks whether the process is there.
        case .number(0): return []
        case .number(let number): return [.signal(name: Signal.name(of: Int32(truncatingIfNeeded: number)), to: to)]
        case .words(let words): return words.first.map { [.signal(name: $0, to: to)] } ?? []
        default: return []
        }
    }
}

/// Names of address families and types of sockets, socket(2).
enum SocketFamily {
    static func name(_ number: Int) -> String {
        switch Int32(truncatingIfNeeded: number) {
        case AF_UNIX: "unix"
        case AF_INET: "inet"
        case AF_INET6: "inet6"
        case AF_NETLINK: "netlink"
        case AF_PACKET: "packet"
        case 40: "vsock"
        default: "\(number)"
        }
    }

    static func name(_ word: String) -> String {
        switch word {
        case "AF_UNIX", "AF_LOCAL": "unix"
        case "AF_INET": "inet"
        case "AF_INET6": "inet6"
        case "AF_NETLINK": "netlink"
        case "AF_PACKET": "packet"
        case "AF_VSOCK": "vsock"
        default: word.isEmpty ? "?" : word
        }
    }

    static let types = [1: "stream", 2: "datagram", 3: "raw", 5: "seqpacket"]
    static let typeWords = [
        "SOCK_STREAM": "stream", "SOCK_DGRAM": "datagram", "SOCK_RAW": "raw", "SOCK_SEQPACKET": "seqpacket",
    ]
}
