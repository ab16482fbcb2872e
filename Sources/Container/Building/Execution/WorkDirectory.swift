internal import Glibc
internal import Linux

/// The directories in which one step writes: `upper` and what overlayfs needs beside it. Gone with the step.
struct WorkDirectory: Sendable {
    let path: String
    let upper: SharedFD

    var upperPath: String { path + "/upper" }
    var workPath: String { path + "/work" }

    /// Makes a fresh one. Blocks.
    init(_ path: String) throws(BuildFailure) {
        self.path = path
        upper = try building { () throws(SystemError) in
            try Files.makeDirectory(path, mode: 0o700)
            for name in ["upper", "work"] {
                try Files.makeDirectory("\(path)/\(name)", mode: 0o755)
                // The upper directory's mode is that of the root, whatever the umask.
                try Files.setPermissions("\(path)/\(name)", 0o755)
            }
            return SharedFD(try Files.open(path + "/upper", O_RDONLY | O_DIRECTORY))
        }
    }

    /// Removes everything. A task that was cancelled does it, too.
    static func remove(_ path: String) async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            do throws(SystemError) {
                try HelperThread.start("forkless-build") {
                    // What is left is removed when the next node opens the place.
                    try? Files.removeTree(path)
                    continuation.resume()
                }
            } catch { continuation.resume() }
        }
    }
}
