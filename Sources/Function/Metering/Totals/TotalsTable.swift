package import Linux
internal import Store

/// What is added up separately.
package struct TotalsRow: Hashable, Sendable {
    /// Days since 1970-01-01, UTC, of the time at which an entry was recorded.
    package var day: Int
    package var function: String
    package var version: String

    package init(day: Int, function: String, version: String) {
        self.day = day
        self.function = function
        self.version = version
    }

    package init(_ record: LedgerRecord) {
        day = Self.day(of: record.recordedAt)
        switch record.entry {
        case .call(let call): (function, version) = (call.function, call.version)
        case .provisioned(let capacity): (function, version) = (capacity.function, capacity.version)
        case .lost: (function, version) = ("", "")
        }
    }

    package static let nanosecondsOfDay = 86_400_000_000_000

    package static func day(of time: Timestamp) -> Int {
        time.nanoseconds >= 0
            ? time.nanoseconds / nanosecondsOfDay : (time.nanoseconds - nanosecondsOfDay + 1) / nanosecondsOfDay
    }
}

/// The table of totals, changed in the transaction that writes the records.
enum TotalsTable {
    static func add(_ additions: [TotalsRow: CallTotals], _ store: any StoreTransaction) throws(StoreFailure) {
        for (row, addition) in additions {
            let place: [StoreValue] = [StoreValue(row.day), .text(row.function), .text(row.version)]
            let before = try store.first(
                "SELECT totals FROM ledgerTotals WHERE day = ?1 AND function = ?2 AND version = ?3", place)
            var totals = addition
            if let before { totals.merge(try read(before, 0)) }
            try store.execute("INSERT OR REPLACE INTO ledgerTotals VALUES (?1, ?2, ?3, ?4)", place + [.blob(totals.packed)])
        }
    }

    /// All rows of the days `from..<to`, in order.
    static func rows(
        from: Int, to: Int, _ store: any StoreTransaction
    ) throws(StoreFailure) -> [(row: TotalsRow, totals: CallTotals)] {
        var rows: [(TotalsRow, CallTotals)] = []
        let found = try store.query(
            """
            SELECT day, function, version, totals FROM ledgerTotals WHERE day >= ?1 AND day < ?2
            ORDER BY day, function, version
            """, [StoreValue(from), StoreValue(to)])
        for row in found {
            let place = TotalsRow(day: row.integer(0) ?? 0, function: row.text(1) ?? "", version: row.text(2) ?? "")
            rows.append((place, try read(row, 3)))
        }
        return rows
    }

    private static func read(_ row: StoreRow, _ column: Int) throws(StoreFailure) -> CallTotals {
        guard let totals = row.blob(column).flatMap({ CallTotals(packed: $0) }) else {
            throw StoreFailure(.damaged, "add to the totals of the ledger: they are damaged in the database.")
        }
        return totals
    }
}
