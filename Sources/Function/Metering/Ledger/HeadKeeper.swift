internal import JSON
internal import Linux
internal import Store
internal import Synchronization

/// Writes the head of the ledger beside the database, about once a second while it moves.
final class HeadKeeper: Sendable {
    private struct State {
        var heads: LedgerHeads
        var newest: ChainHead
        var isPlanned = false
    }

    private let path: String
    private let state: Mutex<State>
    private let remark: @Sendable (String) -> Void

    /// Begins a run: compares what was noted with the database, and notes where this run begins.
    init(
        _ path: String, _ database: StateDatabase, remark: @escaping @Sendable (String) -> Void
    ) async throws(StoreFailure) {
        self.path = path
        self.remark = remark
        var heads = LedgerHeads()
        do {
            if let slash = path.lastIndex(of: "/") { try Files.makeDirectories(String(path[..<slash]), mode: 0o700) }
            if let noted = try LedgerHeads.read(path) { heads = noted } else {
                try Files.rename(path, to: path + ".damaged")
                remark("\(path) is damaged: it was put aside as ledger.head.damaged. `forkless ledger verify` checks the rest.")
            }
        } catch { throw StoreFailure(.other, "read the head of the ledger: \(error)") }
        let anchors = heads.anchors
        let (head, fault) = try await database.read { store throws(StoreFailure) in
            (try ChainHead.read(store), try AnchorCheck.fault(anchors, store))
        }
        if let fault { remark("The ledger is not what it was when this node last stopped: \(fault)") }
        heads.beginRun(at: head)
        state = Mutex(State(heads: heads, newest: head))
        await write()
    }

    var newestSequence: Int { state.withLock { $0.newest.sequence } }

    /// The ledger has grown, on disk.
    func note(_ head: ChainHead) {
        let mustPlan = state.withLock { state in
            if head.sequence > state.newest.sequence { state.newest = head }
            defer { state.isPlanned = true }
            return !state.isPlanned
        }
        guard mustPlan else { return }
        // Not for a ledger that has gone meanwhile: whoever ends it properly has closed it.
        Task { [weak self] in
            try? await Task.sleep(for: .seconds(1))
            // It may have been written since, by whoever closed the ledger.
            guard let self, self.state.withLock({ $0.isPlanned }) else { return }
            await self.write()
        }
    }

    /// Writes what is known now.
    func write() async {
        let text = state.withLock { state in
            state.isPlanned = false
            state.heads.advance(to: state.newest)
            return state.heads.text
        }
        do {
            let path = path
            try await BlockingPool.shared.run { () throws(SystemError) in try Files.replace(path, with: Array(text.utf8)) }
        } catch { remark("The head of the ledger cannot be noted: \(error)") }
    }
}

/// Whether noted heads are still in the chain.
enum AnchorCheck {
    /// What is wrong with the first that is not; nil when all are.
    static func fault(
        _ anchors: [LedgerHeads.Anchor], _ store: any StoreTransaction
    ) throws(StoreFailure) -> LedgerFault? {
        for anchor in anchors where anchor.sequence > 0 {
            let row = try store.first("SELECT hash FROM ledger WHERE sequence = ?1", [StoreValue(anchor.sequence)])
            guard let row else { return LedgerFault(.cutOff, anchor.sequence, "it was noted as the last one and is gone") }
            if row.blob(0) != anchor.hash {
                return LedgerFault(
                    .rewritten, anchor.sequence, "its hash is not the one that was noted (\(Hexadecimal.text(anchor.hash)))")
            }
        }
        return nil
    }
}
