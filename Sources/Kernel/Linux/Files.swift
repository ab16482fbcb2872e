import CKernel

/// Opening, reading and writing files. Everything opened is close-on-exec.
public enum Files {
    /// Stands for the working directory where a directory's descriptor is asked for (AT_FDCWD).
    public static let here: CInt = -100

    /// Opens a path, open(2).
    public static func open(
        _ path: String, _ flags: CInt, mode: UInt32 = 0o600, at directory: CInt = here
    ) throws(SystemError) -> OwnedFD {
        OwnedFD(
            adopting: CInt(try call("open", path) { ck_openat(directory, path, flags | O_CLOEXEC, mode) }))
    }

    /// A pipe: what is written to `writer` can be read from `reader`, pipe(2).
    public static func pipe(nonBlocking: Bool = false) throws(SystemError) -> Pipe {
        var fds: (CInt, CInt) = (-1, -1)
        try call("make a pipe") {
            withUnsafeMutableBytes(of: &fds) {
                ck_pipe2($0.baseAddress!.assumingMemoryBound(to: CInt.self), O_CLOEXEC | (nonBlocking ? O_NONBLOCK : 0))
            }
        }
        return Pipe(reader: OwnedFD(adopting: fds.0), writer: OwnedFD(adopting: fds.1))
    }

    /// An empty anonymous file in memory, memfd_create(2).
    package static func memory(named name: String) throws(SystemError) -> OwnedFD {
        OwnedFD(
            adopting: CInt(try call("make a memory file", name) { ck_memfd_create(name, CUnsignedInt(MFD_CLOEXEC)) }))
    }

    /// An anonymous file in memory, memfd_create(2), holding `bytes` and sealed against any change.
    public static func sealedMemory(named name: String, _ bytes: [UInt8]) throws(SystemError) -> OwnedFD {
        let fd = OwnedFD(
            adopting: CInt(
                try call("make a memory file", name) {
                    ck_memfd_create(name, CUnsignedInt(MFD_CLOEXEC) | CUnsignedInt(MFD_ALLOW_SEALING))
                }))
        try writeAll(bytes, to: fd.raw, name: name)
        let seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE
        try call("seal", name) { ck_add_seals(fd.raw, seals) }
        return fd
    }

    /// Whether a memory file can no longer be changed by anybody (F_SEAL_WRITE and F_SEAL_SHRINK).
    package static func isSealed(_ fd: CInt) throws(SystemError) -> Bool {
        let seals = ck_get_seals(fd)
        return seals >= 0 && CInt(seals) & (F_SEAL_WRITE | F_SEAL_SHRINK) == F_SEAL_WRITE | F_SEAL_SHRINK
    }

    /// All bytes of a seekable file from its start, wherever its position is.
    ///
    /// - Throws: `SystemError`; EMSGSIZE when it is longer than `limit`.
    package static func readAll(from fd: CInt, limit: Int, name: String = "") throws(SystemError) -> [UInt8] {
        let size = try status(of: fd, name: name).size
        guard size <= limit else { throw SystemError("read", name, code: .messageTooLong) }
        var bytes = [UInt8](repeating: 0, count: size)
        var done = 0
        while done < size {
            let count = try call("read", name) {
                bytes.withUnsafeMutableBytes { ck_pread(fd, $0.baseAddress! + done, size - done, off_t(done)) }
            }
            guard count > 0 else { throw SystemError("read", name, code: .inputOutput) }
            done += count
        }
        return bytes
    }

    /// Writes every byte, continuing after partial writes. For blocking descriptors.
    public static func writeAll(_ bytes: [UInt8], to fd: CInt, name: String = "") throws(SystemError) {
        var done = 0
        while done < bytes.count {
            done += try call("write", name) {
                bytes.withUnsafeBytes { ck_write(fd, $0.baseAddress! + done, bytes.count - done) }
            }
        }
    }

    /// Reads up to `limit` bytes until the end of the file. For blocking descriptors.
    ///
    /// - Throws: `SystemError`; EMSGSIZE when the file is longer than `limit`.
    public static func readAll(_ fd: CInt, limit: Int = 16 << 20, name: String = "") throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        // A page is what the kernel's own files give at a time, and most have no more.
        var room = 4096
        while true {
            let count = try withUnsafeTemporaryAllocation(byteCount: room, alignment: 8) { part throws(SystemError) in
                let count = try call("read", name) { ck_read(fd, part.baseAddress!, part.count) }
                bytes.append(contentsOf: part[..<count])
                return count
            }
            if count == 0 { return bytes }
            guard bytes.count <= limit else { throw SystemError("read", name, code: .messageTooLong) }
            room = min(room * 4, 1 << 16)
        }
    }

    /// The bytes of a small file.
    public static func read(
        _ path: String, at directory: CInt = here, limit: Int = 16 << 20
    ) throws(SystemError) -> [UInt8] {
        let fd = try open(path, O_RDONLY, at: directory)
        return try readAll(fd.raw, limit: limit, name: path)
    }

    /// The text of a small file, without trailing newlines.
    public static func readText(_ path: String, at directory: CInt = here) throws(SystemError) -> String {
        var bytes = try read(path, at: directory)
        while bytes.last == 10 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes text to a file that exists: how the kernel's control files are set.
    public static func writeText(
        _ text: String, to path: String, at directory: CInt = here
    ) throws(SystemError) {
        let fd = try open(path, O_WRONLY, at: directory)
        try writeText(text, to: fd.raw, name: path)
    }

    /// The same to an open one, in one write(2).
    package static func writeText(_ text: String, to fd: CInt, name: String) throws(SystemError) {
        let bytes = Array(text.utf8)
        let written = try call("write \"\(text)\" to", name) {
            bytes.withUnsafeBytes { ck_write(fd, $0.baseAddress, bytes.count) }
        }
        guard written == bytes.count else { throw SystemError("write \"\(text)\" to", name, code: .inputOutput) }
    }

    /// Replaces a file as a whole: a reader sees the old bytes or the new, never a part (rename(2)).
    public static func replace(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o600) throws(SystemError) {
        let temporary = path + ".new"
        let fd = try open(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
        do {
            try writeAll(bytes, to: fd.raw, name: temporary)
            try call("sync", temporary) { ck_fsync(fd.raw) }
            try call("rename \(temporary) to", path) { ck_renameat(here, temporary, here, path) }
        } catch {
            _ = ck_unlinkat(here, temporary, 0)
            throw error
        }
    }

    /// Flags to open a file for appending, made if it is missing.
    package static let appendFlags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW

    /// Renames within a directory, replacing what has the new name.
    package static func rename(_ name: String, to new: String, at directory: CInt) throws(SystemError) {
        try call("rename \(name) to", new) { ck_renameat(directory, name, directory, new) }
    }

    /// Makes a directory and those above it; those that exist are left as they are.
    public static func makeDirectories(_ path: String, mode: UInt32 = 0o755) throws(SystemError) {
        var at = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            if !at.isEmpty, at != "/" { at += "/" }
            at += String(part)
            let result = ck_mkdirat(here, at, mode)
            if result < 0, -result != Int(EEXIST) { throw SystemError("make directory", at, code: Errno(CInt(-result))) }
        }
    }

    /// The names in a directory, without "." and "..", in the kernel's order.
    public static func list(_ path: String, at directory: CInt = here) throws(SystemError) -> [String] {
        let fd = try open(path, O_RDONLY | O_DIRECTORY, at: directory)
        return try list(fd.raw, name: path)
    }

    /// The names in an open directory, getdents64(2).
    public static func list(_ fd: CInt, name: String = "") throws(SystemError) -> [String] {
        try list(fd, name: name) { _ in true }
    }

    /// The names in an open directory whose type (DT_DIR and so on) is wanted.
    static func list(_ fd: CInt, name: String, where wanted: (UInt8) -> Bool) throws(SystemError) -> [String] {
        var names: [String] = []
        var chunk = [UInt8](repeating: 0, count: 32768)
        while true {
            let count = try call("list", name) { chunk.withUnsafeMutableBytes { ck_getdents64(fd, $0.baseAddress!, $0.count) } }
            if count == 0 { return names }
            var at = 0
            while at < count {
                // struct linux_dirent64: inode 8, offset 8, record length 2, type 1, name.
                let length = Int(chunk[at + 16]) | Int(chunk[at + 17]) << 8
                let entry = String(decoding: chunk[(at + 19)..<(at + length)].prefix { $0 != 0 }, as: UTF8.self)
                if entry != ".", entry != "..", wanted(chunk[at + 18]) { names.append(entry) }
                at += length
            }
        }
    }

    /// Removes a file, or a directory and everything below it; one that is not there is no error.
    ///
    /// Symbolic links are removed, never followed. Something mounted below `path` is never gone into, not even
    /// when it comes from the same file system (a bind mount of somebody's home): the removal fails with EXDEV.
    public static func removeTree(_ path: String, at directory: CInt = here) throws(SystemError) {
        guard try !removeUnlessDirectory(path, at: directory) else { return }
        let fd = try open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: directory)
        try removeContents(of: fd.raw, name: path)
        try call("remove directory", path) { ck_unlinkat(directory, path, AT_REMOVEDIR) }
    }

    private static func removeContents(of directory: CInt, name: String) throws(SystemError) {
        let resolve = UInt64(RESOLVE_BENEATH) | UInt64(RESOLVE_NO_XDEV) | UInt64(RESOLVE_NO_SYMLINKS)
        for entry in try list(directory, name: name) {
            guard try !removeUnlessDirectory(entry, at: directory) else { continue }
            let path = "\(name)/\(entry)"
            do {
                let fd = try PathResolution.open(
                    entry, inRoot: directory, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW, resolve: resolve)
                try removeContents(of: fd.raw, name: path)
            } catch where error.code == .crossDevice && error.subject == entry {
                throw SystemError(
                    "remove", path, code: .crossDevice, advice: "Something is mounted there: unmount it first.")
            }
            try call("remove directory", path) { ck_unlinkat(directory, entry, AT_REMOVEDIR) }
        }
    }

    /// True when `path` is gone now; false when it is a directory.
    private static func removeUnlessDirectory(_ path: String, at directory: CInt) throws(SystemError) -> Bool {
        let result = ck_unlinkat(directory, path, 0)
        if result >= 0 || -result == Int(ENOENT) { return true }
        // Linux says EISDIR for a directory; POSIX, and some file systems, EPERM (unlink(2)).
        if -result == Int(EISDIR) { return false }
        if -result == Int(EPERM), try status(path, at: directory, followLinks: false).kind == .directory { return false }
        throw SystemError("remove", path, code: Errno(CInt(-result)))
    }

    /// Whether a path exists, following symbolic links.
    public static func exists(_ path: String) -> Bool {
        ck_faccessat(here, path, F_OK, 0) == 0
    }

    /// What stat(2) says about a path.
    public static func status(
        _ path: String, at directory: CInt = here, followLinks: Bool = true
    ) throws(SystemError) -> FileStatus {
        var status = stat()
        try call("stat", path) { ck_fstatat(directory, path, &status, followLinks ? 0 : AT_SYMLINK_NOFOLLOW) }
        return FileStatus(status)
    }

    /// What fstat(2) says about an open file.
    public static func status(of fd: CInt, name: String = "") throws(SystemError) -> FileStatus {
        var status = stat()
        try call("stat", name) { ck_fstat(fd, &status) }
        return FileStatus(status)
    }

    /// The target of a symbolic link, readlink(2).
    public static func link(_ path: String, at directory: CInt = here) throws(SystemError) -> String {
        var room = [UInt8](repeating: 0, count: 4096)
        let count = try call("read link", path) {
            room.withUnsafeMutableBytes { ck_readlinkat(directory, path, $0.baseAddress!, $0.count) }
        }
        return String(decoding: room[..<count], as: UTF8.self)
    }
}

/// Two ends of a pipe, each of which can be taken out once.
public struct Pipe: ~Copyable, Sendable {
    private var reader: OwnedFD?
    private var writer: OwnedFD?

    init(reader: consuming OwnedFD, writer: consuming OwnedFD) {
        self.reader = consume reader
        self.writer = consume writer
    }

    /// The end to read from; taking it twice is a programmer error.
    public mutating func takeReader() -> OwnedFD { reader.take()! }

    /// The end to write to; taking it twice is a programmer error.
    public mutating func takeWriter() -> OwnedFD { writer.take()! }

    /// Both ends, shared.
    package consuming func ends() -> (reader: SharedFD, writer: SharedFD) {
        (SharedFD(takeReader()), SharedFD(takeWriter()))
    }
}

/// The part of stat(2) that Forkless decides by.
public struct FileStatus: Hashable, Sendable {
    public enum Kind: Sendable { case regular, directory, link, pipe, socket, characterDevice, blockDevice }

    public var kind: Kind
    /// The permission bits, octal 7777.
    public var permissions: UInt32
    public var owner: UInt32
    public var group: UInt32
    /// Length in bytes.
    public var size: Int
    public var device: UInt64
    public var inode: UInt64
    /// For device files: which device it is.
    public var deviceNumber: UInt64

    init(_ status: stat) {
        kind =
            switch status.st_mode & mode_t(S_IFMT) {
            case mode_t(S_IFDIR): .directory
            case mode_t(S_IFLNK): .link
            case mode_t(S_IFIFO): .pipe
            case mode_t(S_IFSOCK): .socket
            case mode_t(S_IFCHR): .characterDevice
            case mode_t(S_IFBLK): .blockDevice
            default: .regular
            }
        permissions = status.st_mode & 0o7777
        owner = status.st_uid
        group = status.st_gid
        size = Int(status.st_size)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        deviceNumber = UInt64(status.st_rdev)
    }
}

extension Files {
    /// Whether execve(2) would be allowed to try this path: a regular file with the right to execute it.
    public static func isExecutableFile(_ path: String) -> Bool {
        ck_faccessat(here, path, X_OK, AT_EACCESS) == 0 && (try? status(path).kind) == .regular
    }
}
