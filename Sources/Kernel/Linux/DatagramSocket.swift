import CKernel

/// Unix sockets that carry single messages without a connection's order: SOCK_DGRAM, unix(7). Non-blocking and
/// close-on-exec.
package enum DatagramSocket {
    /// A socket at `path` that everybody may write to.
    ///
    /// - Throws: `SystemError`; EADDRINUSE when the file is there.
    package static func bind(at path: String) throws(SystemError) -> OwnedFD {
        let fd = try make()
        // unix_bind() in the kernel: the mode of the socket file is that of the socket's inode less the umask.
        try call("bind a socket to", path) { ck_bind_unix(fd.raw, path) }
        try Files.setPermissions(path, 0o777)
        return fd
    }

    /// One whose messages go to the socket of this name; "@" in front stands for a name without a file.
    package static func connect(to name: String) throws(SystemError) -> OwnedFD {
        let fd = try make()
        var bytes = Array(name.utf8)
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 } else { bytes.append(0) }
        try call("connect to", name) {
            bytes.withUnsafeBytes {
                ck_connect_unix_name(fd.raw, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
            }
        }
        return fd
    }

    private static func make() throws(SystemError) -> OwnedFD {
        let flags = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        return OwnedFD(adopting: CInt(try call("make a socket") { ck_socket(AF_UNIX, flags, 0) }))
    }
}
