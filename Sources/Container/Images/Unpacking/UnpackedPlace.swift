internal import Glibc
internal import Linux

/// The directory that an archive is unpacked into, as the entries need it: the directory of an entry, opened.
///
/// Invariants
/// 1. A directory is found by one openat2(2) with the root as its "/": links of the archive, or of somebody who
///    changes the tree meanwhile, lead nowhere else.
///    (test: `CVE-2025-47290: somebody who swaps directories for links while it is unpacked reaches nothing outside`)
/// 2. An entry is made by one name in an opened directory. (test: `CVE-2021-32760: an entry never changes what a link leads to`)
struct UnpackedPlace: ~Copyable {
    /// The "/" of every name and link.
    private let root: CInt
    /// Where below it the archive's names begin; empty for the root itself.
    private let base: String
    /// Entries come directory by directory: the last one stays open.
    private var held: Directory?

    /// An opened directory of the tree.
    final class Directory {
        let fd: OwnedFD
        let path: String
        /// New entries get the directory's group rather than that of this process (S_ISGID, inode(7)).
        let givesItsGroup: Bool

        init(_ fd: consuming OwnedFD, path: String) throws(SystemError) {
            let status = try Files.status(of: fd.raw, name: path)
            givesItsGroup = status.permissions & 0o2000 != 0
            self.fd = fd
            self.path = path
        }

        init(_ fd: consuming OwnedFD, path: String, mode: UInt32) {
            givesItsGroup = mode & 0o2000 != 0
            self.fd = fd
            self.path = path
        }
    }

    init(root: CInt, base: String) {
        self.root = root
        self.base = base
    }

    /// The directory at `path`, a joined `EntryName`; made with those above it (0755, of this user) when `makes`.
    mutating func directory(_ path: String, makes: Bool = true) throws(SystemError) -> Directory {
        let full = fullPath(path)
        // By their bytes: Swift takes composed and decomposed names for equal, Linux does not.
        if let held, held.path.utf8.elementsEqual(full.utf8) { return held }
        held = nil
        let at = full.isEmpty ? "." : full
        let opened: OwnedFD
        do throws(SystemError) {
            opened = try PathResolution.open(at, inRoot: root, flags: O_RDONLY | O_DIRECTORY)
        } catch {
            guard makes, error.code == .noEntry else { throw error }
            _ = try PathResolution.makeDirectories(at, inRoot: root)
            opened = try PathResolution.open(at, inRoot: root, flags: O_RDONLY | O_DIRECTORY)
        }
        let directory = try Directory(opened, path: full)
        held = directory
        return directory
    }

    /// Keeps a directory that was just made: what is in it comes next.
    mutating func hold(_ fd: consuming OwnedFD, path: String, mode: UInt32) {
        held = Directory(fd, path: fullPath(path), mode: mode)
    }

    /// What was found by a path may be gone or another: asked for again.
    mutating func forget() { held = nil }

    private func fullPath(_ path: String) -> String { base.isEmpty ? path : path.isEmpty ? base : base + "/" + path }
}
