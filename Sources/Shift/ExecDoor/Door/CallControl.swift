internal import Synchronization

/// What goes between a call's process and its target beside the streams: signals one way, progress and files the other.
package final class CallControl: Sendable {
    /// How far a target is, as the shim must know it.
    package enum Progress: Hashable, Sendable {
        /// It is about to be started: should the node die now, the original must not run.
        case committed(CallToken)
        /// It has its own copies of the standard streams: the shim closes its.
        case started
    }

    private struct State {
        var waiting: [Int32] = []
        var handler: (@Sendable (Int32) -> Void)?
        var isCommitted = false
        var left: [LeftFile] = []
    }

    private let state = Mutex(State())
    private let report: @Sendable (Progress) -> Void

    package init(_ report: @escaping @Sendable (Progress) -> Void = { _ in }) { self.report = report }

    /// The target is about to be started. Before this it must have had no effect.
    package func commit(_ token: CallToken) {
        state.withLock { $0.isCommitted = true }
        report(.committed(token))
    }

    /// The target runs with the streams.
    package func started() { report(.started) }

    /// What the target's run has left of the declared output files.
    package func leave(_ files: [LeftFile]) { state.withLock { $0.left = files } }

    package var left: [LeftFile] { state.withLock { $0.left } }

    package var isCommitted: Bool { state.withLock { $0.isCommitted } }

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
