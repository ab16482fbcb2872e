package import Store

/// All wanted records as text, a page at a time, up to where the ledger stood when it began.
package actor LedgerExport {
    private let query: LedgerQuery
    private let filter: LedgerFilter
    private let isCSV: Bool
    private var pages: LedgerPages
    private var end: Int?
    private var hasBegun = false

    package init(_ query: LedgerQuery, _ filter: LedgerFilter, isCSV: Bool) {
        self.query = query
        self.filter = filter
        self.isCSV = isCSV
        pages = query.records(filter)
    }

    /// The next lines; nil at the end.
    package func next() async throws(StoreFailure) -> [UInt8]? {
        let last: Int
        if let end { last = end } else {
            last = try await query.range(filter).upperBound
            end = last
        }
        if isCSV, !hasBegun {
            hasBegun = true
            return Array(LedgerCSV.header.utf8)
        }
        var pages = pages
        guard let page = try await pages.next() else { return nil }
        self.pages = pages
        let wanted = page.filter { $0.record.sequence < last }
        guard !wanted.isEmpty else { return nil }
        return isCSV ? wanted.flatMap { Array(LedgerCSV.line($0).utf8) } : wanted.flatMap(\.jsonLine)
    }
}
