import Synchronization

/// Holds every result of a rung against the first one that the same input gave there: a program that gives something else
/// now and then, or only while others run beside it, is found by all of its calls and not by the first of each input.
///
/// Invariants:
/// 1. Every good call is looked at, of whichever repetition, and under load as well.
///    Tests: `every repetition is looked at`, `what varies only while calls run at once is found under load`.
/// 2. Calls that failed have no result that could vary. Test: `a call that failed is no result`.
final class ResultWatch: Sendable {
    private struct State {
        /// The first good result of each input; a call's number is here that of the input in its stream.
        var firsts: [WorkloadCall: [UInt8]] = [:]
        var found: ResultInconsistency?
    }

    private let state = Mutex(State())

    /// What was found until now; nil: every call gave what the first one with its input gave.
    var found: ResultInconsistency? { state.withLock { $0.found } }

    /// Looks at a call.
    ///
    /// - Parameter input: the call's stream, and the number of its input there.
    func look(_ sample: CallSample, input: WorkloadCall, isUnderLoad: Bool) {
        guard sample.failure == nil else { return }
        let known = state.withLock { state -> [UInt8]? in
            if let first = state.firsts[input] { return first }
            state.firsts[input] = sample.output
            return nil
        }
        // Without the lock: results may be long, and calls end at once.
        guard let known, known != sample.output else { return }
        let isFirst = state.withLock { state -> Bool in
            state.found?.calls += 1
            return state.found == nil
        }
        guard isFirst else { return }
        let difference = ResultDifference(sample.output, expected: known)
        state.withLock { state in
            var found =
                state.found ?? ResultInconsistency(calls: 0, isUnderLoad: isUnderLoad, difference: difference)
            found.calls += 1
            state.found = found
        }
    }
}
