internal import Linux
package import Store

/// Reads the ledger, a page at a time, on the readers' threads.
package struct LedgerQuery: Sendable {
    /// Records looked at in one go: what reading needs of memory.
    static let pageSize = 512

    package let database: StateDatabase

    package init(_ database: StateDatabase) { self.database = database }

    /// The newest records that are wanted, at most `count`, in their order.
    package func newest(_ count: Int, _ filter: LedgerFilter) async throws(StoreFailure) -> [StoredRecord] {
        var found: [StoredRecord] = []
        var range = try await range(filter)
        while found.count < count, !range.isEmpty {
            let page = try await page(filter, range, isDescending: true)
            found += page.records.prefix(count - found.count)
            range = range.lowerBound..<min(page.lastSeen ?? range.lowerBound, range.upperBound)
        }
        return found.reversed()
    }

    /// All records that are wanted, from the first on.
    package func records(_ filter: LedgerFilter) -> LedgerPages { LedgerPages(query: self, filter: filter) }

    /// Those that come after a number; none of them need be there yet.
    package func records(_ filter: LedgerFilter, after sequence: Int) -> LedgerPages {
        LedgerPages(query: self, filter: filter, rest: (sequence + 1)..<(sequence + 1))
    }

    /// The sequence numbers that the filter's times leave: records stand in the order of their times, so that they are
    /// found by halving.
    func range(_ filter: LedgerFilter) async throws(StoreFailure) -> Range<Int> {
        try await database.read { store throws(StoreFailure) in
            let end = (try store.first("SELECT max(sequence) FROM ledger")?.integer(0) ?? 0) + 1
            let from = try filter.from.map { time throws(StoreFailure) in try Self.first(notBefore: time, end, store) } ?? 1
            let to = try filter.to.map { time throws(StoreFailure) in try Self.first(notBefore: time, end, store) } ?? end
            return from..<max(from, to)
        }
    }

    private static func first(
        notBefore time: Timestamp, _ end: Int, _ store: any StoreTransaction
    ) throws(StoreFailure) -> Int {
        var (low, high) = (1, end)
        while low < high {
            let middle = low + (high - low) / 2
            let row = try store.first(
                "SELECT recorded FROM ledger WHERE sequence >= ?1 ORDER BY sequence LIMIT 1", [StoreValue(middle)])
            if let recorded = row?.integer(0), recorded < time.nanoseconds { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// What a page has given: the records that are wanted, and the number of the last row that was looked at; nil when no
    /// more follow.
    struct Page: Sendable {
        var records: [StoredRecord]
        var lastSeen: Int?
    }

    func page(
        _ filter: LedgerFilter, _ range: Range<Int>, isDescending: Bool
    ) async throws(StoreFailure) -> Page {
        try await database.read { store throws(StoreFailure) in
            // The narrowest index that the filter allows.
            let (condition, values): (String, [StoreValue]) =
                if let request = filter.requestID { ("request = ?4 AND request <> '' AND", [.text(request)]) } else if let key = filter.key {
                    ("key = ?4 AND", [.text(key)])
                } else if let function = filter.function { ("function = ?4 AND", [.text(function)]) } else { ("", []) }
            let rows = try store.query(
                """
                SELECT sequence, record, hash,
                    (SELECT hash FROM ledger before WHERE before.sequence = ledger.sequence - 1)
                FROM ledger WHERE \(condition) sequence >= ?1 AND sequence < ?2
                ORDER BY sequence \(isDescending ? "DESC" : "ASC") LIMIT ?3
                """, [StoreValue(range.lowerBound), StoreValue(range.upperBound), StoreValue(Self.pageSize)] + values)
            let records = try rows.map { row throws(StoreFailure) in try Self.record(row) }
            return Page(
                records: records.filter { filter.wants($0.record) },
                lastSeen: rows.count < Self.pageSize ? nil : rows.last?.integer(0))
        }
    }

    private static func record(_ row: StoreRow) throws(StoreFailure) -> StoredRecord {
        let bytes = row.blob(1) ?? []
        do throws(RecordDamage) {
            return StoredRecord(
                record: try LedgerRecord(canonicalBytes: bytes), canonicalBytes: bytes,
                previousHash: row.blob(3) ?? ChainHead.start.hash, hash: row.blob(2) ?? [])
        } catch {
            throw StoreFailure(
                .damaged,
                "read record \(row.integer(0) ?? 0) of the ledger: \(error). `forkless ledger verify` says where it is damaged.")
        }
    }
}

/// The records of a query, page after page: at most so many at once are in memory.
package struct LedgerPages: Sendable {
    let query: LedgerQuery
    let filter: LedgerFilter
    private var rest: Range<Int>?

    /// - Parameter rest: numbers that have not been looked at; nil: all that the filter's times leave.
    init(query: LedgerQuery, filter: LedgerFilter, rest: Range<Int>? = nil) {
        self.query = query
        self.filter = filter
        self.rest = rest
    }

    /// The next records, never none; nil when there are no more now. Asking again later finds those that have come since, unless the
    /// filter has an end.
    package mutating func next() async throws(StoreFailure) -> [StoredRecord]? {
        var range = try await current()
        while !range.isEmpty {
            let page = try await query.page(filter, range, isDescending: false)
            range = (page.lastSeen.map { $0 + 1 } ?? range.upperBound)..<range.upperBound
            rest = range
            if !page.records.isEmpty { return page.records }
        }
        rest = range
        return nil
    }

    private func current() async throws(StoreFailure) -> Range<Int> {
        guard let rest else { return try await query.range(filter) }
        guard rest.isEmpty, filter.to == nil else { return rest }
        var later = filter
        later.from = nil
        let end = try await query.range(later).upperBound
        return rest.lowerBound..<max(rest.lowerBound, end)
    }
}
