import Synchronization

/// How slow a registry may be before it is given up.
package struct Patience: Hashable, Sendable {
    /// For a connection to come about.
    package var connect: Duration
    /// In every such span at least `leastBytes` have to come or go.
    package var window: Duration
    /// A registry that sends a byte now and then stalls, too.
    package var leastBytes: Int
    /// How long a registry may work on what was sent to it: it reads a whole blob again to check its digest.
    package var commit: Duration

    package init(
        connect: Duration = .seconds(15), window: Duration = .seconds(30), leastBytes: Int = 1024,
        commit: Duration = .seconds(300)
    ) {
        self.connect = connect
        self.window = window
        self.leastBytes = leastBytes
        self.commit = commit
    }
}

/// Counts what moves in one exchange, and tells when too little does.
///
/// Invariants
/// 1. Time that our own side takes, because the disk is slow, is not held against the registry.
///    (test: `a slow disk is no stalled registry`)
package final class StallWatch: Sendable {
    private struct State {
        var bytes = 0
        /// Our side is busy, or was in this window.
        var isPaused = false
        var wasPaused = false
        var window: Duration
        var least: Int
    }

    private let state: Mutex<State>

    package init(_ patience: Patience) {
        state = Mutex(State(window: patience.window, least: patience.leastBytes))
    }

    /// Bytes that came or went.
    package func count(_ bytes: Int) { state.withLock { $0.bytes += bytes } }

    /// Until `resume`, our own side is at work.
    package func pause() {
        state.withLock {
            $0.isPaused = true
            $0.wasPaused = true
        }
    }

    package func resume() { state.withLock { $0.isPaused = false } }

    /// From now on the registry may take this long without a byte.
    package func allow(_ window: Duration) {
        state.withLock {
            $0.window = window
            $0.wasPaused = true
        }
    }

    /// Looks at one window that has passed, and begins the next: whether too little moved.
    package func windowPassed() -> Bool {
        state.withLock { state in
            defer {
                state.bytes = 0
                state.wasPaused = state.isPaused
            }
            return !state.wasPaused && state.bytes < state.least
        }
    }

    /// Returns true once too little moved; false when the task was cancelled.
    func untilStalled() async -> Bool {
        while true {
            let window = state.withLock { $0.window }
            do { try await Task.sleep(for: window) } catch { return false }
            if windowPassed() { return true }
        }
    }
}
