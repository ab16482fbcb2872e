import CKernel

extension Files {
    /// The target of a symbolic link as it is, readlink(2).
    package static func linkBytes(_ path: String, at directory: CInt = here) throws(SystemError) -> [UInt8] {
        // As long as a path can be, and one more.
        try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4097) { room throws(SystemError) in
            let count = try call("read link", path) { ck_readlinkat(directory, path, room.baseAddress!, room.count) }
            return Array(room[..<count])
        }
    }

    /// Reads once, up to `count` bytes, wherever the descriptor stands; empty at the end of the file.
    ///
    /// - Throws: `SystemError`; EAGAIN where a non-blocking descriptor has nothing yet.
    package static func readSome(_ fd: CInt, count: Int, name: String = "") throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try call("read", name) { bytes.withUnsafeMutableBytes { ck_read(fd, $0.baseAddress!, $0.count) } }
        bytes.removeLast(count - got)
        return bytes
    }

    /// Reads once, up to `count` bytes from `offset` on, pread(2); empty at the end of the file.
    package static func read(
        _ fd: CInt, from offset: Int, count: Int, name: String = ""
    ) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try call("read", name) {
            bytes.withUnsafeMutableBytes { ck_pread(fd, $0.baseAddress!, $0.count, offset) }
        }
        bytes.removeLast(count - got)
        return bytes
    }

    /// The same into memory of the caller's; how many bytes came, 0 at the end of the file.
    package static func read(
        _ fd: CInt, into room: UnsafeMutableRawBufferPointer, from offset: Int
    ) throws(SystemError) -> Int {
        try call("read") { ck_pread(fd, room.baseAddress!, room.count, offset) }
    }

    /// Whether this process may write a path: also false on a file system mounted read-only, access(2).
    package static func isWritable(_ path: String) -> Bool { ck_faccessat(here, path, W_OK, AT_EACCESS) == 0 }

    /// Writes once: how many of the bytes were taken, write(2).
    ///
    /// - Throws: `SystemError`; EAGAIN where a non-blocking descriptor has no room.
    package static func writeSome(_ bytes: ArraySlice<UInt8>, to fd: CInt, name: String = "") throws(SystemError) -> Int {
        try call("write", name) { bytes.withUnsafeBytes { ck_write(fd, $0.baseAddress, $0.count) } }
    }

    /// Gives a file or directory another name at once, replacing what has that name, rename(2).
    package static func rename(_ path: String, to other: String) throws(SystemError) {
        try call("rename \(path) to", other) { ck_renameat(here, path, here, other) }
    }

    /// Removes a file or a name of it, unlink(2).
    package static func remove(_ path: String) throws(SystemError) {
        try call("remove", path) { ck_unlinkat(here, path, 0) }
    }

    /// Cuts an open file off at a length, ftruncate(2).
    package static func shorten(_ fd: CInt, to length: Int, name: String = "") throws(SystemError) {
        try call("shorten", name) { ck_ftruncate(fd, off_t(length)) }
    }

    /// Waits until a directory's entries are on the disk, fsync(2).
    package static func synchronize(directory path: String) throws(SystemError) {
        let fd = try open(path, O_RDONLY | O_DIRECTORY)
        try call("sync", path) { ck_fsync(fd.raw) }
    }

    /// Makes reads and writes of this open file return EAGAIN instead of waiting (O_NONBLOCK).
    ///
    /// The flag belongs to the open file, not to the descriptor: whoever shares it gets it, too.
    package static func setNonBlocking(_ fd: CInt) throws(SystemError) {
        let flags = try call("read the flags of descriptor", "\(fd)") { ck_fcntl_get_flags(fd) }
        try call("make non-blocking descriptor", "\(fd)") { ck_fcntl_set_flags(fd, CInt(flags) | O_NONBLOCK) }
    }
}

extension MessageSocket {
    /// Ends both directions: the peer and whoever waits here see the end. The descriptor stays open, shutdown(2).
    package static func end(_ fd: CInt) { _ = ck_shutdown(fd, CInt(SHUT_RDWR)) }

    /// Ends what is sent: the peer reads the end and can still be read, shutdown(2). Nothing to do for one that has gone.
    package static func endOutput(_ fd: CInt) { _ = ck_shutdown(fd, CInt(SHUT_WR)) }

    /// Accepts one connection of a listening socket, close-on-exec and non-blocking, accept4(2).
    ///
    /// - Throws: `SystemError`; EAGAIN when nobody waits, EMFILE at the limit on open files.
    package static func accept(from listener: CInt) throws(SystemError) -> OwnedFD {
        OwnedFD(adopting: CInt(try call("accept a connection") { ck_accept(listener) }))
    }
}

extension Files {
    /// Replaces a file as a whole, without waiting for the disk: a reader and a crash of this process see the old bytes
    /// or the new; after a power cut the file may be as it was before. `replace` waits.
    package static func replaceInMemory(
        _ path: String, with bytes: [UInt8], mode: UInt32 = 0o600
    ) throws(SystemError) {
        let temporary = path + ".new"
        let fd = try open(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
        do {
            try writeAll(bytes, to: fd.raw, name: temporary)
            try rename(temporary, to: path)
        } catch {
            _ = ck_unlinkat(here, temporary, 0)
            throw error
        }
    }
}

extension Files {
    /// Waits until an open file's bytes are on the disk, fsync(2).
    package static func synchronize(_ fd: CInt, name: String = "") throws(SystemError) {
        try call("sync", name) { ck_fsync(fd) }
    }

    /// Waits until everything on the file system of an open file is on the disk, syncfs(2).
    package static func synchronizeFileSystem(of fd: CInt, name: String = "") throws(SystemError) {
        try call("sync the file system of", name) { ck_syncfs(fd) }
    }

    /// Empties an open file and goes back to its start, ftruncate(2) and lseek(2).
    package static func restart(_ fd: CInt, name: String = "") throws(SystemError) {
        try shorten(fd, to: 0, name: name)
        try call("rewind", name) { ck_lseek(fd, 0, SEEK_SET) }
    }

    /// Sets the permission bits of a path, chmod(2): what a new directory's umask took away or left.
    package static func setPermissions(_ path: String, _ bits: UInt32) throws(SystemError) {
        try call("set the permissions of", path) { ck_fchmodat(here, path, bits) }
    }
}
