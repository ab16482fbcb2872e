internal import Glibc
package import Linux
internal import Synchronization

/// A directory of a test's own, gone with its last reference, or at the latest with the process: what is compiled once
/// for all tests is held until then.
///
/// Removal never follows a symbolic link and never goes into something mounted below it: what is mounted there
/// stays, and the directories above it with it, so that the census shows it.
package final class TemporaryDirectory: Sendable {
    /// "/tmp/forkless-PURPOSE-" and a random number.
    package let path: String

    package init(_ purpose: String = "test") throws(SystemError) {
        let number = UInt64.random(in: .min ... .max)
        path = "/tmp/forkless-\(purpose)-\(String(number, radix: 36))"
        try Files.makeDirectories(path, mode: 0o700)
        _ = Self.owner
        Self.removedAtExit.withLock { _ = $0.insert(path) }
    }

    deinit {
        Self.removedAtExit.withLock { _ = $0.remove(path) }
        try? Files.removeTree(path)
    }

    private static let removedAtExit = Mutex<Set<String>>([])
    /// This process, once its end has been arranged for.
    private static let owner: pid_t = {
        atexit { TemporaryDirectory.removeHeld() }
        return getpid()
    }()

    /// Not by a child that was forked and exits as this process would.
    private static func removeHeld() {
        guard getpid() == owner else { return }
        for path in removedAtExit.withLock({ $0 }) { try? Files.removeTree(path) }
    }

    /// The path of something in it.
    package func path(_ name: String) -> String { path + "/" + name }

    /// Writes a file, with the directories above it, and returns its path.
    @discardableResult
    package func write(_ text: String, to name: String, mode: UInt32 = 0o644) throws(SystemError) -> String {
        let file = path(name)
        if let slash = file.lastIndex(of: "/") { try Files.makeDirectories(String(file[..<slash])) }
        try Files.replace(file, with: Array(text.utf8), mode: mode)
        return file
    }
}
