import CKernel

/// System calls made to see whether they are allowed, each in a child of its own so that nothing they change
/// outlives the question.
///
/// Every one is harmless on an unprotected machine, too: it asks for something that is undone when the child
/// ends, or is refused for its arguments only after the kernel has found the caller entitled.
package enum Trial {
    /// What became of the call.
    package enum Outcome: Hashable, Sendable {
        case allowed
        case refused(Errno)
        /// The child was killed for it, as seccomp(2) can do.
        case killed(Int32)
        /// There could be no child to try it in, so nothing is known.
        case untried(Errno)
    }

    /// Making a user namespace, in the three ways there are: clone(2), unshare(2), clone3(2).
    package static func newUserNamespace() -> [Outcome] {
        let flags = Int(CLONE_NEWUSER)
        var arguments = clone_args()
        arguments.flags = UInt64(CLONE_NEWUSER)
        arguments.exit_signal = UInt64(SIGCHLD)
        let size = MemoryLayout<clone_args>.size
        return [
            attempt(Int(SYS_clone), flags | Int(SIGCHLD)),
            attempt(Int(SYS_unshare), flags),
            withUnsafeMutablePointer(to: &arguments) { attempt(Int(SYS_clone3), Int(bitPattern: $0), size) },
        ]
    }

    /// mount(2) of nothing: whoever may mount gets EINVAL for the empty source, anybody else EPERM.
    package static func mountRequest() -> Outcome {
        let outcome = "/".withCString { root in
            "".withCString { empty in
                attempt(Int(SYS_mount), Int(bitPattern: empty), Int(bitPattern: root), 0, Int(MS_BIND))
            }
        }
        return outcome == .refused(.invalid) ? .allowed : outcome
    }

    /// A tmpfs made with fsopen(2) and never attached: it is gone with its descriptor.
    package static func detachedTemporaryFileSystem() -> Outcome {
        let context = ck_fsopen("tmpfs", UInt32(FSOPEN_CLOEXEC))
        guard context >= 0 else { return .refused(Errno(CInt(-context))) }
        defer { _ = ck_close(CInt(context)) }
        let created = ck_fsconfig(CInt(context), UInt32(FSCONFIG_CMD_CREATE.rawValue), nil, nil, 0)
        guard created >= 0 else { return .refused(Errno(CInt(-created))) }
        let mount = ck_fsmount(CInt(context), UInt32(FSMOUNT_CLOEXEC), 0)
        guard mount >= 0 else { return .refused(Errno(CInt(-mount))) }
        _ = ck_close(CInt(mount))
        return .allowed
    }

    /// settimeofday(2) without a time: the kernel asks for CAP_SYS_TIME and then sets nothing.
    package static func setClock() -> Outcome { attempt(Int(SYS_settimeofday), 0, 0) }

    /// finit_module(2) of no file: whoever may load modules gets EBADF, anybody else EPERM.
    package static func loadModule() -> Outcome {
        let outcome = "".withCString { attempt(Int(SYS_finit_module), -1, Int(bitPattern: $0)) }
        return outcome == .refused(.badDescriptor) ? .allowed : outcome
    }

    /// Asking for the session keyring, keyctl(2); that there is none is an answer, too.
    package static func keyring() -> Outcome {
        let outcome = attempt(Int(SYS_keyctl), 0, -3)
        return outcome == .refused(Errno(ENOKEY)) ? .allowed : outcome
    }

    /// A child that asks to be traced, ptrace(2).
    package static func trace() -> Outcome { attempt(Int(SYS_ptrace), 0) }

    /// Making a small array map, bpf(2); it is gone with the child.
    package static func bpfMap() -> Outcome {
        // union bpf_attr for BPF_MAP_CREATE: type BPF_MAP_TYPE_ARRAY, key of 4 bytes, value of 4, one entry.
        let attributes: [UInt32] = [2, 4, 4, 1]
        return attributes.withUnsafeBytes { attempt(Int(SYS_bpf), 0, Int(bitPattern: $0.baseAddress), $0.count) }
    }

    /// Making a ring of one entry, io_uring_setup(2); it is gone with the child.
    package static func ioUring() -> Outcome {
        var parameters = [UInt8](repeating: 0, count: 120)
        return parameters.withUnsafeMutableBytes {
            attempt(Int(SYS_io_uring_setup), 1, Int(bitPattern: $0.baseAddress))
        }
    }

    /// A device file for the null device in a directory; it is removed at once.
    package static func makeDevice(in directory: String) -> Outcome {
        let path = "\(directory)/.forkless-probe-device-\(Self.processID)"
        let result = ck_mknodat(Files.here, path, UInt32(S_IFCHR) | 0o600, 1 << 8 | 3)
        guard result >= 0 else { return .refused(Errno(CInt(-result))) }
        _ = ck_unlinkat(Files.here, path, 0)
        return .allowed
    }

    /// Using this much memory.
    package static func useMemory(bytes: Int) -> Outcome {
        var signal: CInt = 0
        return outcome(ck_try_memory_in_child(bytes, &signal), signal)
    }

    /// Having this many children at a time, at most `childrenLimit`: how many there could be, and what stopped more.
    package static func children(_ count: Int) throws(SystemError) -> Children {
        var failure: CInt = 0
        let made = try call("start \(count) children") { ck_try_children(count, &failure) }
        return Children(made: made, refusal: failure == 0 ? nil : Errno(failure))
    }

    /// What `children` saw.
    package struct Children: Hashable, Sendable {
        package var made: Int
        package var refusal: Errno?
    }

    /// Most children that `children` starts.
    package static let childrenLimit = Int(CK_TRIAL_CHILDREN_MAXIMUM)

    /// This process, getpid(2).
    package static var processID: Int32 { ck_getpid() }

    /// Whether `signal` 0 could be sent to a process, kill(2).
    package static func signal(_ pid: Int32) -> Outcome { outcome(ck_kill(pid, 0), 0) }

    /// Connecting to a TCP port of 127.0.0.1.
    package static func connectLoopback(port: UInt16) -> Outcome {
        let socket = ck_socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return .refused(Errno(CInt(-socket))) }
        defer { _ = ck_close(CInt(socket)) }
        return outcome(ck_connect_loopback(CInt(socket), port), 0)
    }

    /// The names of the network interfaces with the first `limit` indices, netdevice(7).
    package static func interfaceNames(limit: Int32 = 1024) throws(SystemError) -> [String] {
        let socket = OwnedFD(
            adopting: CInt(
                try call("make a socket") {
                    ck_socket(AF_INET, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
                }))
        var names: [String] = []
        var room = [CChar](repeating: 0, count: Int(IFNAMSIZ))
        for index in 1...limit where ck_interface_name(socket.raw, index, &room) >= 0 {
            names.append(String(decoding: room.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
        }
        return names
    }

    /// Reading the kernel's log, syslog(2): how many of its last bytes came.
    package static func kernelLog() throws(SystemError) -> Int {
        var room = [CChar](repeating: 0, count: 64)
        return try call("read the kernel's log") { ck_kernel_log(&room, 64) }
    }

    /// The descriptors that are open above standard error, up to `limit`.
    package static func openDescriptors(limit: Int32 = 65_536) -> [Int32] {
        var soft: UInt64 = 0
        var hard: UInt64 = 0
        let known = ck_getrlimit(CInt(RLIMIT_NOFILE.rawValue), &soft, &hard) >= 0
        let end = known ? Int32(clamping: min(soft, UInt64(limit))) : limit
        return end <= 3 ? [] : (3..<end).filter { ck_fcntl_get_fd($0) >= 0 }
    }

    /// Those of them that came with the exec: what a runtime has opened since is close-on-exec, what survived an exec
    /// cannot be (fcntl(2), FD_CLOEXEC).
    package static func inheritedDescriptors() -> [Int32] { openDescriptors().filter { ck_fcntl_get_fd($0) == 0 } }

    /// Whether this thread can never gain privileges by exec, prctl(2).
    package static func noNewPrivileges() throws(SystemError) -> Bool {
        try call("read no_new_privs") { ck_prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) } == 1
    }

    /// Makes one system call in a child of its own.
    static func attempt(
        _ number: Int, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, _ e: Int = 0, _ f: Int = 0
    ) -> Outcome {
        var signal: CInt = 0
        let result = ck_try_in_child(number, a, b, c, d, e, f, &signal)
        return outcome(result, signal)
    }

    static func outcome(_ result: Int, _ signal: CInt) -> Outcome {
        if signal == CK_TRIAL_NOT_MADE { return .untried(Errno(CInt(-result))) }
        if signal != 0 { return .killed(signal) }
        return result < 0 ? .refused(Errno(CInt(-result))) : .allowed
    }
}
