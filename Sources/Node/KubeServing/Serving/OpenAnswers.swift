internal import Synchronization

/// Answers that are under way and have no end of their own: ended when the door closes.
final class OpenAnswers: Sendable {
    private struct State {
        var next = 0
        var isClosed = false
        var ends: [Int: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    /// - Parameter end: called at most once, when the door closes; at once when it has.
    /// - Returns: what `remove` wants.
    func add(_ end: @escaping @Sendable () -> Void) -> Int {
        let (number, isClosed) = state.withLock { state in
            state.next += 1
            if !state.isClosed { state.ends[state.next] = end }
            return (state.next, state.isClosed)
        }
        if isClosed { end() }
        return number
    }

    func remove(_ number: Int) { state.withLock { $0.ends[number] = nil } }

    var count: Int { state.withLock { $0.ends.count } }

    func closeAll() {
        let ends = state.withLock { state in
            state.isClosed = true
            defer { state.ends = [:] }
            return state.ends.values.map(\.self)
        }
        for end in ends { end() }
    }
}
