internal import Crypto
internal import Glibc
internal import JSON
internal import Linux

/// Reads a file that has arrived: its version and its digest, if it is complete.
enum FileReading {
    enum Outcome: Sendable {
        case complete(FileVersion, md5: String)
        /// Somebody still writes to it: its closing will be told.
        case beingWritten
        /// Gone, or no regular file.
        case none
    }

    /// Bytes of one read.
    private static let chunk = 1 << 20

    /// Blocks: for the pool of threads that may.
    static func read(_ path: String) throws(SystemError) -> Outcome {
        let fd: OwnedFD
        do { fd = try Files.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) } catch {
            // ELOOP: a symbolic link, which is not followed out of the directory.
            if error.code == .noEntry || error.code == .tooManyLinks { return .none }
            throw error
        }
        let before = try version(fd.raw, path)
        guard let before else { return .none }
        if Files.hasWriters(fd.raw) == true { return .beingWritten }
        var digest = Insecure.MD5()
        while true {
            let bytes = try Files.readSome(fd.raw, count: chunk, name: path)
            if bytes.isEmpty { break }
            digest.update(data: bytes)
        }
        // Written to while it was read: what has changed it will close it, and that is told.
        guard try version(fd.raw, path) == before else { return .beingWritten }
        return .complete(before, md5: Hexadecimal.text(Array(digest.finalize())))
    }

    private static func version(_ fd: CInt, _ path: String) throws(SystemError) -> FileVersion? {
        let status = try FileEntries.status(of: fd, name: path)
        guard status.file.kind == .regular else { return nil }
        return FileVersion(
            path: path, inode: status.file.inode, size: status.file.size,
            modified: status.modified.seconds * 1_000_000_000 + status.modified.nanoseconds)
    }
}
