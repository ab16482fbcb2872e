import CKernel

/// Tells which files of one directory have been written to their end or have come and gone, inotify(7).
package struct DirectoryWatch: ~Copyable, Sendable {
    package enum News: Hashable, Sendable {
        /// Closed by one who could write to it, or renamed into the directory.
        case arrived(String)
        /// Removed, or renamed out of the directory.
        case left(String)
        /// So much happened that the kernel dropped some of it: only a look at the whole directory helps.
        case overflow
        /// The directory itself is gone, or was moved.
        case gone
    }

    package let fd: OwnedFD

    /// - Throws: `SystemError`; EMFILE or ENOSPC at the limits in /proc/sys/fs/inotify.
    package init(_ path: String) throws(SystemError) {
        let watch = OwnedFD(
            adopting: CInt(
                try FileWatch.advised("fs.inotify.max_user_instances") { () throws(SystemError) in
                    try call("watch", path) { ck_inotify_init() }
                }))
        let events = UInt32(
            IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
        let raw = watch.raw
        _ = try FileWatch.advised("fs.inotify.max_user_watches") { () throws(SystemError) in
            try call("watch", path) { ck_inotify_add_watch(raw, path, events) }
        }
        fd = watch
    }

    /// What has happened since the last time; empty when nothing has.
    package borrowing func drain() throws(SystemError) -> [News] {
        var news: [News] = []
        while true {
            let bytes: [UInt8]
            do { bytes = try Files.readSome(fd.raw, count: 65_536, name: "inotify") } catch {
                if error.code == .again { return news }
                throw error
            }
            guard !bytes.isEmpty else { return news }
            Self.read(bytes, into: &news)
        }
    }

    /// struct inotify_event: wd 4, mask 4, cookie 4, length 4, name padded with zeros.
    private static func read(_ bytes: [UInt8], into news: inout [News]) {
        var at = 0
        while at + 16 <= bytes.count {
            let (mask, length) = bytes.withUnsafeBytes {
                (
                    $0.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self),
                    $0.loadUnaligned(fromByteOffset: at + 12, as: UInt32.self)
                )
            }
            let name = String(decoding: bytes[(at + 16)..<(at + 16 + Int(length))].prefix { $0 != 0 }, as: UTF8.self)
            at += 16 + Int(length)
            if mask & UInt32(IN_Q_OVERFLOW) != 0 {
                news.append(.overflow)
            } else if mask & UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED) != 0 {
                news.append(.gone)
            } else if mask & UInt32(IN_ISDIR) == 0 {
                news.append(mask & UInt32(IN_CLOSE_WRITE | IN_MOVED_TO) != 0 ? .arrived(name) : .left(name))
            }
        }
    }
}

extension Files {
    /// Whether somebody has the file open for writing: a read lease is refused then, fcntl(2).
    ///
    /// - Parameter fd: open for reading only.
    /// - Returns: nil where leases do not exist (a network file system) or are not allowed (a file of another owner).
    package static func hasWriters(_ fd: CInt) -> Bool? {
        let result = ck_has_writers(fd)
        return result < 0 ? nil : result == 1
    }
}
