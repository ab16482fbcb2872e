import Synchronization

/// A value that changes, and tasks that wait until it is as they want.
///
/// Invariant: every value set is seen by every wait that was under way, in order; a wait ends with the first one that
/// fits. (test: `a wait ends with the first value that fits`)
package final class Published<Value: Sendable>: Sendable {
    private struct Waiter {
        var id: UInt64
        var fits: @Sendable (Value) -> Bool
        var continuation: CheckedContinuation<Value?, Never>
    }

    private struct State {
        var value: Value
        var waiters: [Waiter] = []
        var nextID: UInt64 = 0
    }

    private let state: Mutex<State>

    package init(_ value: Value) { state = Mutex(State(value: value)) }

    /// The value as it is now.
    package var value: Value { state.withLock { $0.value } }

    package func set(_ value: Value) {
        let woken = state.withLock { state in
            state.value = value
            let woken = state.waiters.filter { $0.fits(value) }
            state.waiters.removeAll { $0.fits(value) }
            return woken
        }
        for waiter in woken { waiter.continuation.resume(returning: value) }
    }

    /// Waits for a value that fits; nil when the task was cancelled.
    package func wait(until fits: @escaping @Sendable (Value) -> Bool) async -> Value? {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let outcome: (isOver: Bool, value: Value?) = state.withLock { state in
                    if fits(state.value) { return (true, state.value) }
                    if Task.isCancelled { return (true, nil) }
                    state.waiters.append(Waiter(id: id, fits: fits, continuation: continuation))
                    return (false, nil)
                }
                if outcome.isOver { continuation.resume(returning: outcome.value) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
                return state.waiters.remove(at: index)
            }
            waiter?.continuation.resume(returning: nil)
        }
    }
}
