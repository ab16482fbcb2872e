import CKernel

/// A lock on a file, held as long as this value lives and by one holder on the machine, flock(2).
///
/// The kernel lets go of it when the holder ends, however it ends; so a file that is left over means nothing.
package struct FileLock: ~Copyable, Sendable {
    private let fd: OwnedFD

    /// Takes the lock, making the file if it is missing; nil when somebody else holds it.
    package init?(_ path: String) throws(SystemError) {
        let file = try Files.open(path, O_RDWR | O_CREAT, mode: 0o600)
        let raw = file.raw
        do {
            try call("lock", path) { ck_flock(raw, LOCK_EX | LOCK_NB) }
        } catch where error.code == .again {
            return nil
        }
        fd = file
    }

    /// Leaves a note for people in the file: who holds it.
    package borrowing func write(_ note: String) throws(SystemError) {
        let raw = fd.raw
        try call("shorten", "the lock file") { ck_ftruncate(raw, 0) }
        try call("rewind", "the lock file") { ck_lseek(raw, 0, SEEK_SET) }
        try Files.writeAll(Array(note.utf8), to: raw, name: "the lock file")
    }
}
