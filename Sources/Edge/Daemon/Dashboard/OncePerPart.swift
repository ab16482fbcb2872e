import Synchronization

/// What is made when a page first asks for it, once: the parts that it stands on are made after the dashboard.
final class OncePerPart: Sendable {
    private struct State {
        var ledger: LedgerView?
        var recent: RecentCalls?
    }

    private let node: NodeSurroundings
    private let state = Mutex(State())

    init(_ node: NodeSurroundings) { self.node = node }

    func ledger(_ rung: FunctionRung?) -> LedgerView? {
        guard let rung else { return nil }
        return state.withLock { state in
            if let ledger = state.ledger { return ledger }
            let ledger = LedgerView(rung.ledger, headFile: "\(rung.directory)/ledger.head")
            state.ledger = ledger
            return ledger
        }
    }

    func recent(_ rung: FunctionRung?) -> RecentCalls? {
        guard let rung else { return nil }
        return state.withLock { state in
            if let recent = state.recent { return recent }
            let recent = RecentCalls(rung.database)
            state.recent = recent
            return recent
        }
    }
}
