import CKernel

/// A unix socket that keeps message boundaries and carries descriptors: SOCK_SEQPACKET, unix(7).
package struct MessageSocket: ~Copyable, Sendable {
    /// Longest message, in bytes; what is longer travels in a sealed memory file beside it.
    package static let messageBytesLimit = 128 << 10

    package let fd: OwnedFD

    package init(adopting fd: consuming OwnedFD) { self.fd = fd }

    /// Two connected sockets: what one sends the other receives.
    package static func pair() throws(SystemError) -> SocketPair {
        var fds: (CInt, CInt) = (-1, -1)
        try call("make a socket pair") {
            withUnsafeMutableBytes(of: &fds) {
                ck_socketpair(
                    AF_UNIX, CInt(SOCK_SEQPACKET.rawValue) | CInt(SOCK_CLOEXEC.rawValue),
                    $0.baseAddress!.assumingMemoryBound(to: CInt.self))
            }
        }
        return SocketPair(first: OwnedFD(adopting: fds.0), second: OwnedFD(adopting: fds.1))
    }

    /// A listening socket at `path` that only its owner may reach (mode 0600 from the first instant).
    ///
    /// - Throws: `SystemError`; EADDRINUSE when the file is there. A stale one is the caller's to remove.
    package static func listen(at path: String) throws(SystemError) -> OwnedFD {
        let fd = OwnedFD(
            adopting: CInt(
                try call("make a socket") {
                    ck_socket(
                        AF_UNIX,
                        CInt(SOCK_SEQPACKET.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
                }))
        // unix(7): the mode of the socket file is that of the socket's inode less the umask at bind.
        let before = umask(0o177)
        let result = ck_bind_unix(fd.raw, path)
        umask(before)
        if result < 0 { throw SystemError("bind a socket to", path, code: Errno(CInt(-result))) }
        try call("listen on", path) { ck_listen(fd.raw, 1024) }
        return fd
    }

    /// Connects to the socket at `path`.
    package static func connect(to path: String) throws(SystemError) -> MessageSocket {
        let fd = OwnedFD(
            adopting: CInt(
                try call("make a socket") { ck_socket(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0) }))
        try call("connect to", path) { ck_connect_unix(fd.raw, path) }
        return MessageSocket(adopting: fd)
    }

    /// Sends one message with descriptors; the receiver gets duplicates.
    ///
    /// - Throws: `SystemError`; EAGAIN on a non-blocking socket whose peer does not read, EPIPE when it is gone.
    package borrowing func send(_ bytes: [UInt8], descriptors: [CInt] = []) throws(SystemError) {
        let raw = fd.raw
        try call("send a message") {
            bytes.withUnsafeBytes { bytes in
                descriptors.withUnsafeBufferPointer {
                    ck_send(raw, bytes.baseAddress, bytes.count, $0.baseAddress, $0.count, 0)
                }
            }
        }
    }

    /// One message with its descriptors, or nil when the peer has closed.
    package borrowing func receive() throws(SystemError) -> Message? {
        var message = Message()
        message.bytes = [UInt8](repeating: 0, count: Self.messageBytesLimit)
        let count = try receive(into: &message.bytes, descriptors: &message.descriptors)
        if count == 0 { return nil }
        message.bytes.removeLast(message.bytes.count - count)
        return message
    }

    /// The same into a buffer of the caller's; returns the length, 0 when the peer has closed.
    package borrowing func receive(
        into bytes: inout [UInt8], descriptors: inout [SharedFD]
    ) throws(SystemError) -> Int {
        let raw = fd.raw
        var fds = [CInt](repeating: -1, count: Int(CK_DESCRIPTORS_MAXIMUM))
        var fdCount = 0
        defer { for number in fds[..<fdCount] { descriptors.append(SharedFD(OwnedFD(adopting: number))) } }
        return try call("receive a message") {
            bytes.withUnsafeMutableBytes { bytes in
                fds.withUnsafeMutableBufferPointer {
                    ck_receive(raw, bytes.baseAddress, bytes.count, $0.baseAddress, &fdCount, 0)
                }
            }
        }
    }

    /// One message as it came.
    package struct Message: Sendable {
        package var bytes: [UInt8] = []
        package var descriptors: [SharedFD] = []

        package init() {}
    }

    /// Who connected, as the kernel says (SO_PEERCRED).
    package static func peer(of fd: CInt) throws(SystemError) -> Peer {
        var peer = Peer(pid: 0, uid: 0, gid: 0)
        try call("ask for the peer's credentials") { ck_peer(fd, &peer.pid, &peer.uid, &peer.gid) }
        return peer
    }

    /// The credentials of a connected process at the time it connected.
    package struct Peer: Hashable, Sendable {
        package var pid: Int32
        package var uid: UInt32
        package var gid: UInt32
    }
}

/// Two connected sockets, each of which can be taken out once.
package struct SocketPair: ~Copyable, Sendable {
    private var first: OwnedFD?
    private var second: OwnedFD?

    init(first: consuming OwnedFD, second: consuming OwnedFD) {
        self.first = consume first
        self.second = consume second
    }

    package mutating func takeFirst() -> OwnedFD { first.take()! }
    package mutating func takeSecond() -> OwnedFD { second.take()! }
}
