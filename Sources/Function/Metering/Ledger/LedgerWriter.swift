internal import JSON
internal import Linux
internal import Store

/// Appends entries to the chain, within a transaction.
///
/// Invariants
/// 1. Each record's hash covers the one before it, in the order of their sequence numbers, across restarts.
///    (test: `the chain goes on after a restart`)
/// 2. The totals are the sums over the records. (test: `the totals are those of the records`)
/// 3. The times at which records are written never run backwards, though the clock may. (test: `a clock that is set back
///    does not reorder the ledger`)
enum LedgerWriter {
    static func append(
        _ entries: [LedgerEntry], now: Timestamp, _ store: any StoreTransaction
    ) throws(StoreFailure) -> ChainHead {
        var head = try ChainHead.read(store)
        guard !entries.isEmpty else { return head }
        head.recordedAt = max(head.recordedAt, now)
        var totals: [TotalsRow: CallTotals] = [:]
        for entry in entries {
            let record = LedgerRecord(sequence: head.sequence + 1, recordedAt: head.recordedAt, entry: entry)
            let bytes = record.canonicalBytes
            head.hash = ChainHead.hash(bytes, after: head.hash)
            head.sequence += 1
            try store.execute(
                "INSERT INTO ledger VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                [
                    StoreValue(head.sequence), .text(entry.function), .text(entry.call?.requestID ?? ""),
                    StoreValue(entry.call?.key), StoreValue(record.recordedAt.nanoseconds), .blob(bytes), .blob(head.hash),
                ])
            totals[TotalsRow(record), default: CallTotals()].add(entry)
            if let call = entry.call { try keepContents(call, store) }
        }
        try TotalsTable.add(totals, store)
        return head
    }

    /// Equal contents are kept once.
    private static func keepContents(_ call: MeteredCall, _ store: any StoreTransaction) throws(StoreFailure) {
        for (digest, bytes) in [(call.payloadDigest, call.recordedPayload), (call.answerDigest, call.recordedAnswer)] {
            guard let bytes else { continue }
            try store.execute("INSERT OR IGNORE INTO ledgerContents VALUES (?1, ?2)", [.text(digest), .blob(bytes)])
        }
    }
}

extension MeteredCall {
    /// The same with the digests of what is to be kept, where the caller has left them out.
    func withDigestsOfContents() -> MeteredCall {
        var call = self
        if let recordedPayload, payloadDigest.isEmpty { call.payloadDigest = Hexadecimal.sha256(recordedPayload) }
        if let recordedAnswer, answerDigest.isEmpty { call.answerDigest = Hexadecimal.sha256(recordedAnswer) }
        return call
    }
}
