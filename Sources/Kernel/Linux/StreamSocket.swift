import CKernel

/// Unix sockets that carry a stream of bytes: SOCK_STREAM, unix(7). Non-blocking and close-on-exec.
package enum StreamSocket {
    /// A listening socket at `path` that only its owner may reach (mode 0600 from the first instant).
    ///
    /// - Throws: `SystemError`; EADDRINUSE when the file is there. A stale one is the caller's to remove.
    package static func listen(at path: String, backlog: CInt = 1024) throws(SystemError) -> OwnedFD {
        let fd = try make()
        // unix_bind() in the kernel: the mode of the socket file is that of the socket's inode less the umask.
        try call("set the mode of the socket for", path) { ck_fchmod(fd.raw, 0o600) }
        try call("bind a socket to", path) { ck_bind_unix(fd.raw, path) }
        try call("listen on", path) { ck_listen(fd.raw, backlog) }
        return fd
    }

    /// Connects to the socket at `path`.
    package static func connect(to path: String) throws(SystemError) -> OwnedFD {
        let fd = try make()
        try call("connect to", path) { ck_connect_unix(fd.raw, path) }
        return fd
    }

    /// Lets so many bytes wait until the other side reads them; beyond what the machine allows to everybody only with
    /// CAP_NET_ADMIN (SO_SNDBUFFORCE, socket(7)), and else as many as it allows.
    package static func setRoom(_ fd: CInt, bytes: Int32) throws(SystemError) {
        if ck_set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, bytes) >= 0 { return }
        try call("set the room of a socket") { ck_set_option(fd, SOL_SOCKET, SO_SNDBUF, bytes) }
    }

    private static func make() throws(SystemError) -> OwnedFD {
        let flags = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        return OwnedFD(adopting: CInt(try call("make a socket") { ck_socket(AF_UNIX, flags, 0) }))
    }
}
