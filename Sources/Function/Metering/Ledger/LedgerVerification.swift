internal import JSON
internal import Linux
package import Store

/// What a verification has found.
///
/// What shows: a byte of a record or of a hash that was changed; a record that was removed, inserted or moved; columns that
/// say something else than their record; an end that was cut off or rewritten, as far as a head was noted outside (in
/// ledger.head, or by whoever asks); kept payloads and answers that differ; totals that are not the sums. What does not
/// show: a whole new chain together with a new ledger.head. Against that, note a head elsewhere from time to time and
/// name it when verifying.
package struct LedgerVerification: Hashable, Sendable {
    /// Records that are good, from the first on.
    package var good: Int
    /// The last record that is good: note it elsewhere.
    package var head: LedgerHeads.Anchor
    /// Noted heads that were compared.
    package var anchors: Int
    /// nil: nothing is wrong.
    package var fault: LedgerFault?
}

extension LedgerVerification {
    /// Records that are read at once: what verification needs of memory.
    static let pageSize = 256

    /// Reads the whole ledger, as it is when this begins; a node may go on writing.
    ///
    /// - Parameters:
    ///   - headFile: ledger.head beside the database.
    ///   - noted: heads that somebody has noted elsewhere.
    package static func verify(
        _ database: StateDatabase, headFile: String, noted: [LedgerHeads.Anchor] = []
    ) async throws(StoreFailure) -> LedgerVerification {
        var anchors = noted
        let file: LedgerHeads?
        do { file = try LedgerHeads.read(headFile) } catch {
            throw StoreFailure(.other, "read the head of the ledger: \(error)")
        }
        guard let file else { throw StoreFailure(.damaged, "read \(headFile): it is no list of heads. It was changed or damaged.") }
        anchors += file.anchors
        // One moment for the end and the totals; records before the end do not change.
        let (end, totals) = try await database.read { store throws(StoreFailure) in
            (
                try store.first("SELECT max(sequence) FROM ledger")?.integer(0) ?? 0,
                try TotalsTable.rows(from: .min, to: .max, store)
            )
        }
        var reading = ChainReading()
        while reading.good < end, reading.fault == nil {
            // From below the first number, where a record could have been slipped in.
            let after = reading.good == 0 ? Int.min : reading.good
            let rows = try await database.read { store throws(StoreFailure) in
                let rows = try store.query(ChainReading.page, [StoreValue(after), StoreValue(end), StoreValue(pageSize)])
                return try rows.map { row throws(StoreFailure) in try ChainReading.Link(row, store) }
            }
            reading.read(rows, upTo: end)
        }
        if reading.fault == nil { reading.compare(totals) }
        if reading.fault == nil {
            let anchors = anchors
            reading.fault = try await database.read { store throws(StoreFailure) in try AnchorCheck.fault(anchors, store) }
        }
        return LedgerVerification(
            good: reading.good, head: LedgerHeads.Anchor(sequence: reading.good, hash: reading.hash),
            anchors: anchors.count, fault: reading.fault)
    }
}

/// The chain as it is read: pages of rows in, the first fault out.
struct ChainReading {
    static let page = """
        SELECT sequence, function, request, key, recorded, record, hash FROM ledger
        WHERE sequence > ?1 AND sequence <= ?2 ORDER BY sequence LIMIT ?3
        """

    /// A row, with the digests of the contents that its record says are kept.
    struct Link: Sendable {
        var row: StoreRow
        var record: Result<LedgerRecord, RecordDamage>
        /// Digests of kept contents that are missing or wrong.
        var badContents: [String] = []

        init(_ row: StoreRow, _ store: any StoreTransaction) throws(StoreFailure) {
            self.row = row
            let bytes = row.blob(5) ?? []
            record = Result { () throws(RecordDamage) in try LedgerRecord(canonicalBytes: bytes) }
            guard case .success(let read) = record, let call = read.entry.call else { return }
            for (digest, kept) in [(call.payloadDigest, call.recordedPayload), (call.answerDigest, call.recordedAnswer)]
            where kept != nil {
                let found = try store.first("SELECT bytes FROM ledgerContents WHERE digest = ?1", [.text(digest)])
                if found?.blob(0).map({ Hexadecimal.sha256($0) }) != digest { badContents.append(digest) }
            }
        }
    }

    private(set) var good = 0
    private(set) var hash = ChainHead.start.hash
    private var recordedAt = Timestamp(nanoseconds: .min)
    private var totals: [TotalsRow: CallTotals] = [:]
    var fault: LedgerFault?

    mutating func read(_ links: [Link], upTo end: Int) {
        if links.isEmpty { return fault = LedgerFault(.removed, good + 1, "it is missing, and so are those after it") }
        for link in links {
            fault = check(link)
            if fault != nil { return }
        }
    }

    private mutating func check(_ link: Link) -> LedgerFault? {
        let expected = good + 1
        guard let sequence = link.row.integer(0), let bytes = link.row.blob(5), let hash = link.row.blob(6) else {
            return LedgerFault(.changed, expected, "its columns are of the wrong kind")
        }
        if sequence < expected { return LedgerFault(.inserted, sequence, "numbers begin with 1") }
        if sequence > expected { return LedgerFault(.removed, expected, "it is missing; the next one is \(sequence)") }
        guard ChainHead.hash(bytes, after: self.hash) == hash else {
            return LedgerFault(.changed, expected, "its hash is not that of its bytes and of the record before it")
        }
        let record: LedgerRecord
        switch link.record {
        case .success(let read): record = read
        case .failure(let damage): return LedgerFault(.inserted, expected, "it is no record: \(damage)")
        }
        if record.sequence != expected { return LedgerFault(.inserted, expected, "it says that it is number \(record.sequence)") }
        if record.recordedAt < recordedAt { return LedgerFault(.inserted, expected, "it is older than the one before it") }
        if link.row != Self.columns(of: record, bytes, hash) {
            return LedgerFault(.changed, expected, "the columns by which it is found do not say what it says")
        }
        if let digest = link.badContents.first {
            return LedgerFault(.contents, expected, "what was kept of it, with the digest \(digest), is missing or was changed")
        }
        good = expected
        self.hash = hash
        recordedAt = record.recordedAt
        totals[TotalsRow(record), default: CallTotals()].add(record.entry)
        return nil
    }

    private static func columns(of record: LedgerRecord, _ bytes: [UInt8], _ hash: [UInt8]) -> StoreRow {
        StoreRow([
            StoreValue(record.sequence), .text(record.entry.function), .text(record.entry.call?.requestID ?? ""),
            StoreValue(record.entry.call?.key), StoreValue(record.recordedAt.nanoseconds), .blob(bytes), .blob(hash),
        ])
    }

    /// Compares the sums that the database keeps with those of the records that were read.
    mutating func compare(_ kept: [(row: TotalsRow, totals: CallTotals)]) {
        let kept = Dictionary(kept.map { ($0.row, $0.totals) }, uniquingKeysWith: { first, _ in first })
        guard kept != totals else { return }
        let wrong = Set(kept.keys).union(totals.keys).first { kept[$0] != totals[$0] }
        let subject = wrong.map { "\"\($0.function)\" version \"\($0.version)\" on day \($0.day) since 1970" } ?? "a function"
        fault = LedgerFault(.totals, good, "up to it, the totals of \(subject) are not the sums over the records")
    }
}
