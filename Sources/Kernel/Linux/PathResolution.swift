import CKernel

/// Opening a path below a root directory that somebody hostile may have filled.
///
/// The largest class of container escapes is a path that is checked by name and used by name. Here a path
/// below a root filesystem is opened once, by the kernel, with the root as its "/" (openat2(2),
/// RESOLVE_IN_ROOT) and without magic links (`/proc/PID/root` and the like), and is used by descriptor from
/// then on. No function of Forkless joins strings below a root.
package enum PathResolution {
    /// RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS
    package static let inRoot = UInt64(RESOLVE_IN_ROOT) | UInt64(RESOLVE_NO_MAGICLINKS)
    /// RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS: for directories that only Forkless writes.
    package static let beneath =
        UInt64(RESOLVE_BENEATH) | UInt64(RESOLVE_NO_MAGICLINKS) | UInt64(RESOLVE_NO_SYMLINKS)

    /// Opens `path` with `root` as its "/".
    package static func open(
        _ path: String, inRoot root: CInt, flags: CInt, mode: UInt64 = 0, resolve: UInt64 = inRoot
    ) throws(SystemError) -> OwnedFD {
        OwnedFD(
            adopting: CInt(
                try call("open", path) { ck_openat2(root, path, UInt64(flags | O_CLOEXEC), mode, resolve) }))
    }

    /// Makes the directories of `path` below `root` that are missing and returns the last one, opened O_PATH.
    ///
    /// Symbolic links on the way are followed inside the root only.
    package static func makeDirectories(_ path: String, inRoot root: CInt) throws(SystemError) -> OwnedFD {
        var at = try open(".", inRoot: root, flags: O_PATH | O_DIRECTORY)
        var walked = ""
        for part in path.split(separator: "/") where part != "." {
            guard part != ".." else { throw SystemError("resolve", path, code: .invalid, advice: "Leave out \"..\".") }
            walked += "/" + String(part)
            do {
                at = try open(walked, inRoot: root, flags: O_PATH | O_DIRECTORY)
            } catch where error.code == .noEntry {
                let parent = at.raw
                let result = ck_mkdirat(parent, String(part), 0o755)
                if result < 0, -result != Int(EEXIST) {
                    throw SystemError("make directory", walked, code: Errno(CInt(-result)))
                }
                at = try open(walked, inRoot: root, flags: O_PATH | O_DIRECTORY)
            }
        }
        return at
    }

    /// Makes an empty file at `path` below `root` (with its directories) unless something is there, and
    /// returns it opened O_PATH: the place on which a file can be mounted.
    package static func makeFile(_ path: String, inRoot root: CInt) throws(SystemError) -> OwnedFD {
        let parts = path.split(separator: "/")
        guard let name = parts.last else { throw SystemError("make file", path, code: .isDirectory) }
        let parent = try makeDirectories(parts.dropLast().joined(separator: "/"), inRoot: root)
        let made = ck_openat(parent.raw, String(name), O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0o644)
        if made >= 0 {
            _ = ck_close(CInt(made))
        } else if -made != Int(EEXIST) {
            throw SystemError("make file", path, code: Errno(CInt(-made)))
        }
        return try open(path, inRoot: root, flags: O_PATH)
    }
}
