import CKernel

/// What the kernel tells of a process that is none of our children, by descriptor where that is possible.
package enum OtherProcess {
    /// The process that connected a unix socket, SO_PEERPIDFD.
    ///
    /// - Throws: `SystemError`; ENOPROTOOPT before Linux 6.5.
    package static func peer(of socket: CInt) throws(SystemError) -> OwnedFD {
        OwnedFD(adopting: CInt(try call("ask for the peer's process") { ck_peer_pidfd(socket) }))
    }

    /// A second descriptor of what another process has open under this number, pidfd_getfd(2): the very same open file.
    ///
    /// - Throws: `SystemError`; EBADF when it has none, EPERM when it may not be looked at (ptrace(2)).
    package static func descriptor(_ number: CInt, of pidfd: CInt) throws(SystemError) -> OwnedFD {
        OwnedFD(
            adopting: CInt(try call("take over descriptor \(number) of", "a process") { ck_pidfd_getfd(pidfd, number) })
        )
    }

    /// Sets a limit of another process, prlimit(2). Raising a hard one takes CAP_SYS_RESOURCE in the first user
    /// namespace.
    ///
    /// - Parameter resource: the kernel's number (RLIMIT_*).
    package static func setLimit(
        _ resource: Int32, soft: UInt64, hard: UInt64, of pid: Int32
    ) throws(SystemError) {
        try call("set a limit of process", "\(pid)") { ck_set_limit_of(pid, resource, soft, hard) }
    }

    /// Whether two numbers of another process name one open file, as after `2>&1`; kcmp(2).
    package static func areSame(_ one: CInt, _ other: CInt, of pid: Int32) -> Bool {
        ck_compare_files(pid, one, other) == 0
    }

    /// How it ended; nil before its parent has reaped it, and where the kernel does not tell (before 6.15).
    package static func end(of pidfd: CInt) -> ExitStatus? {
        let status = ck_pidfd_end(pidfd)
        return status < 0 ? nil : ExitStatus(waitStatus: Int32(truncatingIfNeeded: status))
    }

    /// Whether it has ended, reaped or not.
    package static func hasEnded(_ pidfd: CInt) -> Bool {
        (try? Descriptors.isReadable(pidfd, withinMilliseconds: 0)) ?? true
    }

    /// Copies what waits in one pipe into another, and leaves it there. Does not wait.
    package static func tee(from: CInt, to: CInt, count: Int) throws(SystemError) -> Int {
        try call("copy a pipe's content") { ck_tee(from, to, count) }
    }
}

extension ExitStatus {
    /// From the number that wait(2) gives.
    package init(waitStatus status: Int32) {
        let signal = status & 0x7f
        self = signal == 0 ? .exited(status >> 8 & 0xff) : .signaled(signal, coreDumped: status & 0x80 != 0)
    }
}

extension MessageSocket {
    /// Sends bytes with descriptors through a socket that is held elsewhere. Does not wait where the socket does not.
    ///
    /// - Throws: `SystemError`; EAGAIN when it is full, EPIPE when the peer is gone.
    package static func send(_ bytes: [UInt8], descriptors: [CInt], to socket: CInt) throws(SystemError) {
        try call("send a message") {
            bytes.withUnsafeBytes { bytes in
                descriptors.withUnsafeBufferPointer {
                    ck_send(socket, bytes.baseAddress, bytes.count, $0.baseAddress, $0.count, 0)
                }
            }
        }
    }
}

extension Descriptors {
    /// Whether nobody writes to this pipe any more, poll(2).
    package static func hasHungUp(_ fd: CInt) throws(SystemError) -> Bool {
        var request = pollfd(fd: fd, events: 0, revents: 0)
        try call("look at a pipe") { ck_poll(&request, 1, 0) }
        return CInt(request.revents) & POLLHUP != 0
    }

    /// How many bytes wait in a pipe, FIONREAD of pipe(7).
    package static func waitingBytes(_ fd: CInt) throws(SystemError) -> Int {
        try call("look into a pipe") { ck_pipe_bytes(fd) }
    }

    /// Makes room for as many bytes in a pipe, F_SETPIPE_SZ of fcntl(2).
    package static func setPipeBytes(_ fd: CInt, _ bytes: Int) throws(SystemError) {
        try call("enlarge a pipe") { ck_set_pipe_bytes(fd, bytes) }
    }
}

extension Files {
    /// Whether writes go to the end of the file, wherever it stands (O_APPEND).
    package static func appends(_ fd: CInt) throws(SystemError) -> Bool {
        CInt(try call("read the flags of descriptor", "\(fd)") { ck_fcntl_get_flags(fd) }) & O_APPEND != 0
    }
}

extension StreamSocket {
    /// Two connected sockets, close-on-exec: what is written to one can be read from the other.
    package static func pair() throws(SystemError) -> SocketPair {
        var fds: (CInt, CInt) = (-1, -1)
        try call("make a socket pair") {
            withUnsafeMutableBytes(of: &fds) {
                ck_socketpair(
                    AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue),
                    $0.baseAddress!.assumingMemoryBound(to: CInt.self))
            }
        }
        return SocketPair(first: OwnedFD(adopting: fds.0), second: OwnedFD(adopting: fds.1))
    }
}
