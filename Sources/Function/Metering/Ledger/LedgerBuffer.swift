internal import Store

/// The entries that wait to be written, and how writing them goes.
///
/// Invariants
/// 1. Entries that could not be written wait, in their order, before those that came later; none is written twice.
///    (test: `a full disk holds the records back, and they are written when there is room`)
/// 2. No more waits than `limit` bytes; what is beyond is counted, and its number becomes a record.
///    (test: `calls beyond what may wait are counted, not forgotten`)
/// 3. While anything waits, a writing is planned or under way. (test: `an appended call is written without being asked for`)
struct LedgerBuffer {
    /// What a call takes besides the contents that are kept of it.
    static let entryBytes = 1024
    /// Waiting entries that are tolerated while writing fails: what is under way then may still end.
    static let tolerated = 1000

    let limit: Int
    private(set) var entries: [LedgerEntry] = []
    private var bytes = 0
    private var lost = 0
    private(set) var failure: StoreFailure?
    private var isPlanned = false
    /// Entries at the front that came back from writings that failed: those of the next one that fails come after them.
    private var returned = 0

    init(limit: Int) { self.limit = limit }

    /// Takes an entry; true when the caller has to plan a writing.
    mutating func append(_ entry: LedgerEntry) -> Bool {
        let size = Self.bytes(of: entry)
        if bytes + size > limit {
            lost += 1
        } else {
            entries.append(entry)
            bytes += size
        }
        defer { isPlanned = true }
        return !isPlanned
    }

    /// All that waits, for a writing that begins now.
    mutating func take() -> [LedgerEntry] {
        isPlanned = true
        defer {
            entries = []
            returned = 0
            bytes = 0
            lost = 0
        }
        return lost > 0 ? entries + [.lost(calls: lost)] : entries
    }

    /// A writing has ended; true when another one is to be planned.
    mutating func written(_ taken: [LedgerEntry], _ outcome: StoreFailure?) -> Bool {
        failure = outcome
        if outcome != nil {
            // What was lost stands at the end of what was taken, and is a number again, so that it can grow.
            if case .lost(let calls)? = taken.last { lost += calls }
            let kept = taken.filter { if case .lost = $0 { false } else { true } }
            entries.insert(contentsOf: kept, at: returned)
            returned += kept.count
            bytes += kept.reduce(0) { $0 + Self.bytes(of: $1) }
        }
        isPlanned = !entries.isEmpty || lost > 0
        return isPlanned
    }

    /// Why no further call should begin.
    var refusal: StoreFailure? {
        if let failure, entries.count >= Self.tolerated { return failure }
        guard bytes > limit / 2 else { return nil }
        return failure
            ?? StoreFailure(.refused, "record calls in the ledger: the disk is slower than calls end. Call more slowly.")
    }

    private static func bytes(of entry: LedgerEntry) -> Int {
        guard case .call(let call) = entry else { return entryBytes }
        return entryBytes + (call.recordedPayload?.count ?? 0) + (call.recordedAnswer?.count ?? 0)
    }
}
