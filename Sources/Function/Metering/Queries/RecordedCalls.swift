package import Store

/// The calls of a function whose payloads were kept, in the order of the ledger, with payload and answer: what can be run again.
///
/// Calls that did not run (refused, or answered from a key) are left out.
package struct RecordedCalls: AsyncSequence, Sendable {
    /// A call, and its number in the ledger.
    package struct Element: Sendable {
        package var sequence: Int
        /// With `recordedPayload`, and `recordedAnswer` where it was kept.
        package var call: MeteredCall
    }

    let query: LedgerQuery
    let filter: LedgerFilter

    package func makeAsyncIterator() -> Iterator { Iterator(query: query, pages: query.records(filter)) }

    package struct Iterator: AsyncIteratorProtocol {
        let query: LedgerQuery
        var pages: LedgerPages
        private var waiting: ArraySlice<StoredRecord> = []

        init(query: LedgerQuery, pages: LedgerPages) {
            self.query = query
            self.pages = pages
        }

        package mutating func next() async throws(StoreFailure) -> Element? { try await next(isolation: nil) }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws(StoreFailure) -> Element? {
            while true {
                guard let stored = waiting.popFirst() else {
                    guard let page = try await pages.next() else { return nil }
                    waiting = page[...]
                    continue
                }
                guard let call = stored.record.entry.call, call.recordedPayload != nil, call.outcome.hasRun else { continue }
                return Element(sequence: stored.record.sequence, call: try await withContents(call, stored.record.sequence))
            }
        }

        private func withContents(_ call: MeteredCall, _ sequence: Int) async throws(StoreFailure) -> MeteredCall {
            try await query.database.read { store throws(StoreFailure) in
                func contents(_ digest: String) throws(StoreFailure) -> [UInt8] {
                    let row = try store.first("SELECT bytes FROM ledgerContents WHERE digest = ?1", [.text(digest)])
                    guard let bytes = row?.blob(0) else {
                        throw StoreFailure(
                            .damaged,
                            "read what was kept of record \(sequence): it is missing. `forkless ledger verify` says more.")
                    }
                    return bytes
                }
                var call = call
                if call.recordedPayload != nil { call.recordedPayload = try contents(call.payloadDigest) }
                if call.recordedAnswer != nil { call.recordedAnswer = try contents(call.answerDigest) }
                return call
            }
        }
    }
}

extension LedgerQuery {
    /// The calls that can be run again. `filter.function` and its times say which.
    package func recordedCalls(_ filter: LedgerFilter) -> RecordedCalls { RecordedCalls(query: self, filter: filter) }
}

extension MeteredCall.Outcome {
    /// Whether an instance had the call.
    package var hasRun: Bool {
        switch self {
        case .success, .functionError, .timedOut, .outOfMemory: true
        case .refused, .replayed: false
        }
    }
}
