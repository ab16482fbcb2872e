import Linux
import Synchronization

/// Puts back our dumpable flag after starts that change the user.
///
/// The kernel clears the flag of a memory whose process changes its user (commit_creds, prctl(2)); the child does
/// so while it shares ours, and without this a service that starts programs as other users would lose core dumps
/// and debuggers for good. The flag must not come back while such a child is still there: its new user could then
/// look into our memory through it.
///
/// Invariant: the flag is set again only by us, and only when no start that changes the user is under way.
/// (test: `starting a program as another user leaves our dumpable flag alone`)
enum DumpableGuard {
    private struct State {
        var starts = 0
        var wasDumpable = false
    }

    private static let state = Mutex(State())

    /// Runs a start that changes the user.
    static func around<Value: ~Copyable>(_ start: () throws(SpawnError) -> Value) throws(SpawnError) -> Value {
        state.withLock {
            if $0.starts == 0 { $0.wasDumpable = ThisProcess.isDumpable }
            $0.starts += 1
        }
        defer {
            state.withLock {
                $0.starts -= 1
                // PR_SET_DUMPABLE refuses only values that are not 0 or 1.
                if $0.starts == 0, $0.wasDumpable { try? ThisProcess.setDumpable(true) }
            }
        }
        return try start()
    }
}
