package import Linux
package import Store
internal import Synchronization

/// A ledger and a book of keys in memory, which keep their contract except for durability: for tests and simulations of what
/// uses them. Answers come at once, on the caller's thread.
package final class TransientKeyBook: KeyedAnswers, CallLedger, Sendable {
    private struct State {
        var entries: [Name: KeyEntry] = [:]
        var calls: [MeteredCall] = []
        var run = "1"
        var runs = 1
    }

    private struct Name: Hashable {
        var function: String
        var key: String
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> Timestamp

    package init(now: @escaping @Sendable () -> Timestamp = { Clock.now() }) { self.now = now }

    /// All calls that were recorded, in order.
    package var calls: [MeteredCall] { state.withLock { $0.calls } }

    /// Behaves from now on as after a restart of the node.
    package func restart() {
        state.withLock { state in
            state.runs += 1
            state.run = "\(state.runs)"
        }
    }

    package func append(_ call: MeteredCall) { state.withLock { $0.calls.append(call) } }

    /// The change would need a database.
    package func commit(
        _ call: MeteredCall, with change: @escaping @Sendable (any StoreTransaction) throws(StoreFailure) -> Void,
        then: @escaping @Sendable (Result<Void, StoreFailure>) -> Void
    ) {
        then(.failure(StoreFailure(.other, "change a database: a transient ledger has none. Use a Ledger.")))
    }

    package var refusal: StoreFailure? { nil }

    package func begin(_ claim: KeyClaim, then: @escaping @Sendable (Result<KeyFinding, StoreFailure>) -> Void) {
        let finding = state.withLock { state in
            let name = Name(function: claim.function, key: claim.key)
            let finding = KeyDecision.finding(state.entries[name], claim, run: state.run)
            if case .new = finding { state.entries[name] = KeyDecision.mark(claim, run: state.run) }
            return finding
        }
        then(.success(finding))
    }

    package func complete(
        _ claim: KeyClaim, answer: KeyedAnswer, call: MeteredCall,
        then: @escaping @Sendable (Result<Void, StoreFailure>) -> Void
    ) {
        let expires = KeyDecision.expiry(claim, from: now())
        state.withLock { state in
            state.entries[Name(function: claim.function, key: claim.key)] =
                .answer(answer, payloadDigest: claim.payloadDigest, expires: expires)
            state.calls.append(call)
        }
        then(.success(()))
    }

    package func giveUp(
        _ claim: KeyClaim, call: MeteredCall, then: @escaping @Sendable (Result<Void, StoreFailure>) -> Void
    ) {
        state.withLock { state in
            let name = Name(function: claim.function, key: claim.key)
            if case .mark(_, claim.requestID, state.run, _)? = state.entries[name] { state.entries[name] = nil }
            state.calls.append(call)
        }
        then(.success(()))
    }
}
