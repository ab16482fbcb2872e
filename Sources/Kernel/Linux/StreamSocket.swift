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

    private static func make() throws(SystemError) -> OwnedFD {
        let flags = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        return OwnedFD(adopting: CInt(try call("make a socket") { ck_socket(AF_UNIX, flags, 0) }))
    }
}
