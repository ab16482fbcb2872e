import Synchronization

/// One thing that is to happen later: what is set takes the place of what was.
///
/// Invariants
/// 1. At most one thing waits, and after the end nothing does. (test: `an alarm rings once for what was set last`)
final class Alarm: Sendable {
    private let state = Mutex<(task: Task<Void, Never>?, isOver: Bool)>((nil, false))

    /// - Parameter pause: nil: not at all.
    func set(after pause: Duration?, _ body: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.task?.cancel()
            state.task = nil
            guard !state.isOver, let pause else { return }
            state.task = Task {
                guard (try? await Task.sleep(for: pause)) != nil else { return }
                body()
            }
        }
    }

    /// Nothing is to happen any more.
    func end() {
        state.withLock { state in
            state.isOver = true
            state.task?.cancel()
            state.task = nil
        }
    }
}
