package import Linux
package import Store

/// The book of keys in the node's database.
///
/// Invariants
/// 1. What `begin` has called new is marked on disk before the caller hears it. (test: `a mark of a run that was killed is given up`)
/// 2. An answer and the record of its call are on disk both or neither. (test: `an answer and its record are written together`)
/// 3. Expired entries go, a few with each claim, so that none of them waits long. (test: `expired answers are cleaned away`)
package final class KeyBook: KeyedAnswers, Sendable {
    /// Expired entries that one claim takes along: more than one, so that their number falls.
    static let cleanedPerClaim = 4

    private let ledger: Ledger
    private let run: String
    private let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - ledger: where the calls are recorded; its database has the book.
    ///   - run: this run of the node, different from all before.
    package init(_ ledger: Ledger, run: String, now: @escaping @Sendable () -> Timestamp = { Clock.now() }) {
        self.ledger = ledger
        self.run = run
        self.now = now
    }

    package func begin(_ claim: KeyClaim, then: @escaping @Sendable (Result<KeyFinding, StoreFailure>) -> Void) {
        ledger.database.enqueue({ [run] store throws(StoreFailure) -> KeyFinding in
            try KeyTable.clean(claim.now, run: run, limit: Self.cleanedPerClaim, store)
            let finding = KeyDecision.finding(try KeyTable.entry(claim, store), claim, run: run)
            if case .new = finding { try KeyTable.put(KeyDecision.mark(claim, run: run), claim, store) }
            return finding
        }, then: then)
    }

    package func complete(
        _ claim: KeyClaim, answer: KeyedAnswer, call: MeteredCall,
        then: @escaping @Sendable (Result<Void, StoreFailure>) -> Void
    ) {
        let expires = KeyDecision.expiry(claim, from: now())
        let entry = KeyEntry.answer(answer, payloadDigest: claim.payloadDigest, expires: expires)
        ledger.commit(
            call, with: { store throws(StoreFailure) in try KeyTable.put(entry, claim, store) }, then: then)
    }

    package func giveUp(
        _ claim: KeyClaim, call: MeteredCall, then: @escaping @Sendable (Result<Void, StoreFailure>) -> Void
    ) {
        ledger.commit(
            call, with: { [run] store throws(StoreFailure) in try KeyTable.removeMark(claim, run: run, store) }, then: then)
    }
}
