internal import Synchronization

/// The signals that a call's process got while its target runs, in their order.
package final class CallSignals: Sendable {
    private struct State {
        var waiting: [Int32] = []
        var handler: (@Sendable (Int32) -> Void)?
    }

    private let state = Mutex(State())

    package init() {}

    /// A signal arrived. What comes before anybody listens is kept.
    package func deliver(_ number: Int32) {
        let handler = state.withLock { state in
            if state.handler == nil { state.waiting.append(number) }
            return state.handler
        }
        handler?(number)
    }

    /// From now on hears of signals, first of those that came already. Once; the handler must not block.
    package func listen(_ handler: @escaping @Sendable (Int32) -> Void) {
        let before = state.withLock { state in
            precondition(state.handler == nil, "the signals of a call have one listener")
            state.handler = handler
            defer { state.waiting = [] }
            return state.waiting
        }
        for number in before { handler(number) }
    }
}
