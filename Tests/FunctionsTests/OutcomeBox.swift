import Functions
import Synchronization

/// Collects the outcomes of calls that were begun together.
final class OutcomeBox: Sendable {
    private struct State {
        var outcomes: [InvocationOutcome?]
        var missing: Int
        var waiter: CheckedContinuation<[InvocationOutcome], Never>?
    }

    private let state: Mutex<State>

    init(_ count: Int) { state = Mutex(State(outcomes: Array(repeating: nil, count: count), missing: count)) }

    func set(_ index: Int, _ outcome: InvocationOutcome) {
        let waiter = state.withLock { state -> CheckedContinuation<[InvocationOutcome], Never>? in
            precondition(state.outcomes[index] == nil, "call \(index) is answered twice")
            state.outcomes[index] = outcome
            state.missing -= 1
            return state.missing == 0 ? state.waiter : nil
        }
        waiter?.resume(returning: state.withLock { $0.outcomes.map { $0! } })
    }

    func all() async -> [InvocationOutcome] {
        await withCheckedContinuation { continuation in
            let isComplete = state.withLock { state -> Bool in
                if state.missing > 0 { state.waiter = continuation }
                return state.missing == 0
            }
            if isComplete { continuation.resume(returning: state.withLock { $0.outcomes.map { $0! } }) }
        }
    }
}
