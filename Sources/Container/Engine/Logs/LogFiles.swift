import Glibc
import Linux

/// The files of one log, opened: the one that is written and the one before it.
///
/// The keeper may rotate at any time: it renames `log` to `log.1` and begins a new `log`.
struct LogFiles: Sendable {
    /// A file of the log by its identity, which rotation does not change.
    struct File: Sendable {
        var fd: SharedFD
        var inode: UInt64
    }

    static let current = "log"
    static let rotated = "log.1"

    /// The oldest first. Empty: nothing was written yet.
    var files: [File]

    /// Opens both so that nothing is between them: if a rotation happened meanwhile it is done again.
    static func open(in directory: String) throws(SystemError) -> LogFiles {
        while true {
            let newest = try openIfThere("\(directory)/\(current)")
            let older = try openIfThere("\(directory)/\(rotated)")
            let again = try openIfThere("\(directory)/\(current)")
            if newest?.inode != again?.inode || (newest != nil && newest?.inode == older?.inode) { continue }
            return LogFiles(files: [older, newest].compactMap { $0 })
        }
    }

    private static func openIfThere(_ path: String) throws(SystemError) -> File? {
        do {
            let fd = SharedFD(try Files.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
            return File(fd: fd, inode: try Files.status(of: fd.raw, name: path).inode)
        } catch where error.code == .noEntry { return nil }
    }
}
