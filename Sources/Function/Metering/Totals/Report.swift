internal import JSON
package import Linux
package import Store

/// What is added up in one row of a report.
package enum ReportDimension: String, Hashable, Sendable, CaseIterable {
    case function, version, day
    /// The keys and the order's keys that calls carried; both need a walk through the ledger.
    case key, order
}

/// What was called and what it cost, added up.
package struct Report: Hashable, Sendable {
    /// Different values in one row that are added up in memory, for `key` and `order`.
    package static let rowLimit = 100_000

    package struct Row: Hashable, Sendable {
        /// One for each dimension.
        package var labels: [String]
        package var totals: CallTotals
        package var cost: Money
    }

    package var from: Day?
    package var to: Day?
    package var dimensions: [ReportDimension]
    package var prices: PriceBook
    package var rows: [Row]
    package var sum: Row

    /// Adds up the days `from...to`; nil: without an end.
    package static func make(
        _ database: StateDatabase, from: Day?, to: Day?, by dimensions: [ReportDimension], prices: PriceBook
    ) async throws(StoreFailure) -> Report {
        let groups =
            dimensions.contains(.key) || dimensions.contains(.order)
            ? try await walk(database, from, to, dimensions) : try await read(database, from, to, dimensions)
        var all = CallTotals()
        for totals in groups.values { all.merge(totals) }
        let rows = groups.map { Row(labels: $0.key, totals: $0.value, cost: prices.cost(of: $0.value)) }
        return Report(
            from: from, to: to, dimensions: dimensions, prices: prices,
            rows: rows.sorted { $0.labels.lexicographicallyPrecedes($1.labels) },
            sum: Row(labels: [], totals: all, cost: prices.cost(of: all)))
    }

    /// From the totals that are kept for each day, function and version.
    private static func read(
        _ database: StateDatabase, _ from: Day?, _ to: Day?, _ dimensions: [ReportDimension]
    ) async throws(StoreFailure) -> [[String]: CallTotals] {
        try await database.read { store throws(StoreFailure) in
            let days = try TotalsTable.rows(from: from?.number ?? .min, to: to.map { $0.number + 1 } ?? .max, store)
            var groups: [[String]: CallTotals] = [:]
            for (row, totals) in days {
                let labels = dimensions.map { dimension in
                    switch dimension {
                    case .function: row.function
                    case .version: row.version
                    case .day: Day(number: row.day).description
                    case .key, .order: ""
                    }
                }
                groups[labels, default: CallTotals()].merge(totals)
            }
            return groups
        }
    }

    /// From the records themselves.
    private static func walk(
        _ database: StateDatabase, _ from: Day?, _ to: Day?, _ dimensions: [ReportDimension]
    ) async throws(StoreFailure) -> [[String]: CallTotals] {
        var filter = LedgerFilter()
        filter.from = from?.start
        filter.to = to?.end
        var groups: [[String]: CallTotals] = [:]
        var pages = LedgerQuery(database).records(filter)
        // Up to where the ledger stands now: it may grow faster than it is read.
        let end = try await LedgerQuery(database).range(filter).upperBound
        while let page = try await pages.next() {
            for stored in page where stored.record.sequence < end {
                let row = TotalsRow(stored.record)
                let labels = dimensions.map { dimension in
                    switch dimension {
                    case .function: row.function
                    case .version: row.version
                    case .day: Day(number: row.day).description
                    case .key: stored.record.entry.call?.key ?? ""
                    case .order: stored.record.entry.call?.orderKey ?? ""
                    }
                }
                groups[labels, default: CallTotals()].add(stored.record.entry)
            }
            guard groups.count <= rowLimit else {
                throw StoreFailure(
                    .refused, "add up the ledger: there are more than \(rowLimit) rows. Name fewer days with --from and --to.")
            }
            if page.last.map({ $0.record.sequence >= end }) == true { break }
        }
        return groups
    }
}

/// A day of the calendar, in UTC.
package struct Day: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Days since 1970-01-01.
    package var number: Int

    package init(number: Int) { self.number = number }

    /// Reads "2026-11-23"; nil for anything else.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == 10, let time = Timestamp("\(text)T00:00:00Z") else { return nil }
        number = TotalsRow.day(of: time)
    }

    package static func < (a: Day, b: Day) -> Bool { a.number < b.number }

    package var start: Timestamp { Timestamp(nanoseconds: number * TotalsRow.nanosecondsOfDay) }
    /// The first moment of the next one.
    package var end: Timestamp { Timestamp(nanoseconds: (number + 1).clampedMultiplying(by: TotalsRow.nanosecondsOfDay)) }

    package var description: String { String("\(start)".prefix(10)) }
}
