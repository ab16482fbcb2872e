import Synchronization

/// A value that costs something to find, asked for at most once in a while.
///
/// Who asks gets the last one, and never waits for a new one but the first time.
///
/// Invariants
/// 1. One search at a time. (test: `a value that is remembered is looked for once in a while, and once at a time`)
final class Remembered<Value: Sendable>: Sendable {
    private struct State {
        var value: Value
        var foundAt: ContinuousClock.Instant?
        var isLooking = false
    }

    private let span: Duration
    private let find: @Sendable () async -> Value
    private let state: Mutex<State>

    /// - Parameter first: what is told until the first search has ended.
    init(for span: Duration, first: Value, find: @escaping @Sendable () async -> Value) {
        self.span = span
        self.find = find
        state = Mutex(State(value: first))
    }

    var value: Value {
        let now = ContinuousClock.now
        let (value, isDue) = state.withLock { state in
            let isDue = !state.isLooking && (state.foundAt.map { now - $0 >= span } ?? true)
            if isDue { state.isLooking = true }
            return (state.value, isDue)
        }
        if isDue {
            Task(priority: .utility) {
                let found = await find()
                state.withLock { state in
                    state.value = found
                    state.foundAt = ContinuousClock.now
                    state.isLooking = false
                }
            }
        }
        return value
    }
}
