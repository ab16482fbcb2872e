import Engine
import Linux

/// The locks on a node's directories, held as long as this lives: the kernel lets go of them with the process, however
/// it ends.
final class NodeLocks: Sendable {
    private let state: FileLock
    private let run: FileLock

    /// - Throws: `NodeFailure` of kind `conflict` that says who holds one.
    init(_ settings: NodeSettings) throws(NodeFailure) {
        state = try Self.lock("\(settings.state)/node.lock", of: settings.state, flag: "--state")
        run = try Self.lock("\(settings.run)/node.lock", of: settings.run, flag: "--run")
    }

    private static func lock(_ path: String, of directory: String, flag: String) throws(NodeFailure) -> FileLock {
        let lock: FileLock?
        do { lock = try FileLock(path) } catch { throw NodeFailure(.system, "\(error)") }
        guard let lock else {
            let holder = (try? Files.readText(path)) ?? ""
            throw NodeFailure(
                .conflict,
                "another node\(holder.isEmpty ? "" : " (pid \(holder))") uses \(directory): stop it, or give this one "
                    + "directories of its own with --state and --run (here: \(flag))")
        }
        do { try lock.write("\(OwnProcess.pid)\n") } catch { throw NodeFailure(.system, "\(error)") }
        return lock
    }
}
