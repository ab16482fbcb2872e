internal import Linux
package import Store
internal import JSON

/// An answer of the ledger's resource, without HTTP: whoever serves it puts it on the wire.
package enum LedgerAnswer: Sendable {
    /// A status from 400 on, with a sentence.
    case refused(status: Int, sentence: String)
    case whole(contentType: String, body: [UInt8])
    case parts(contentType: String, LedgerParts)
}

/// The parts of a long answer, made when they are asked for.
package final class LedgerParts: Sendable {
    private let make: @Sendable () async throws(StoreFailure) -> [UInt8]?

    init(_ make: @escaping @Sendable () async throws(StoreFailure) -> [UInt8]?) { self.make = make }

    /// The next part, never empty; nil at the end. One call at a time.
    package func next() async throws(StoreFailure) -> [UInt8]? { try await make() }
}

/// What is served below `/forkless/v1/`: `ledger`, `ledger/verify`, `ledger/export` and `report`.
///
/// - `ledger?function=&version=&request=&key=&order=&outcome=&source=&from=&to=&limit=&follow=`: lines of JSON, the newest
///   `limit` (100) records in their order; with `follow=true` those that come, until the client goes.
/// - `ledger/export?format=json|csv` and the same filters without a limit: all of them.
/// - `ledger/verify?noted=SEQUENCE:HASH`: an object with `good`, `head`, `anchors` and, when something is wrong, `fault`.
/// - `report?from=&to=&by=&format=json|csv`: `by` is a list of function, version, day, key, order; days are 2026-11-23.
///
/// Times are RFC 3339, or days: `from` begins with the day, `to` ends with it.
package struct LedgerResource: Sendable {
    package static let prefix = "/forkless/v1/"
    /// Records that are shown without a limit.
    static let shownByDefault = 100
    static let limit = 10_000
    /// How often a follower looks for new records.
    private static let followPause = Duration.milliseconds(200)

    private let ledger: Ledger
    private let headFile: String
    private let prices: @Sendable () throws(PriceBookError) -> PriceBook

    /// - Parameter prices: asked for each report, so that a price book may change while the node runs.
    package init(
        _ ledger: Ledger, headFile: String, prices: @escaping @Sendable () throws(PriceBookError) -> PriceBook
    ) {
        self.ledger = ledger
        self.headFile = headFile
        self.prices = prices
    }

    /// Whether a path, as it came, is one of this resource.
    package static func serves(_ path: some StringProtocol) -> Bool { Page(path) != nil }

    /// Answers GET of one of its paths; both as they came, percent-encoded.
    package func answer(path: some StringProtocol, query: some StringProtocol) async -> LedgerAnswer {
        guard let page = Page(path) else { return .refused(status: 404, sentence: "GET \(path): there is no such resource.") }
        do {
            var query = try LedgerParameters(String(query))
            switch page {
            case .show: return try await show(&query)
            case .export: return try await export(&query)
            case .verify: return try await verify(&query)
            case .report: return try await report(&query)
            }
        } catch let error as LedgerParameters.Problem {
            return .refused(status: 400, sentence: "GET \(path): \(error.sentence)")
        } catch let error as StoreFailure {
            return .refused(status: error.kind == .refused ? 400 : 500, sentence: "\(error)")
        } catch { return .refused(status: 500, sentence: "\(error)") }
    }

    private enum Page: String {
        case show = "ledger"
        case export = "ledger/export"
        case verify = "ledger/verify"
        case report

        init?(_ path: some StringProtocol) {
            guard path.hasPrefix(LedgerResource.prefix) else { return nil }
            self.init(rawValue: String(path.dropFirst(LedgerResource.prefix.count)))
        }
    }

    /// What has ended before the question is in the answer. A ledger that cannot be written can still be read.
    private func settle() async { try? await ledger.flush() }

    private func show(_ query: inout LedgerParameters) async throws -> LedgerAnswer {
        let filter = try query.filter()
        let limit = try query.number("limit", 0...Self.limit) ?? Self.shownByDefault
        let follows = try query.flag("follow")
        try query.end()
        if follows, filter.to != nil { throw LedgerParameters.Problem("follow=true and to exclude each other: leave one out") }
        await settle()
        let records = LedgerQuery(ledger.database)
        let end = try await records.range(LedgerFilter()).upperBound - 1
        let newest = try await records.newest(limit, filter)
        let lines = newest.flatMap(\.jsonLine)
        guard follows else { return .whole(contentType: Self.lines, body: lines) }
        // What was shown may have come while this looked.
        let pages = records.records(filter, after: max(end, newest.last?.record.sequence ?? 0))
        let following = Following(pages, first: lines)
        return .parts(
            contentType: Self.lines,
            LedgerParts { () async throws(StoreFailure) -> [UInt8]? in
                while !Task.isCancelled {
                    if let part = try await following.next() { return part }
                    try? await Task.sleep(for: Self.followPause)
                }
                return nil
            })
    }

    /// Pages and what was found before, handed out one after the other.
    private actor Following {
        private var pages: LedgerPages
        private var first: [UInt8]

        init(_ pages: LedgerPages, first: [UInt8]) {
            self.pages = pages
            self.first = first
        }

        func next() async throws(StoreFailure) -> [UInt8]? {
            if !first.isEmpty {
                defer { first = [] }
                return first
            }
            var pages = pages
            let page = try await pages.next()
            self.pages = pages
            return page?.flatMap(\.jsonLine)
        }
    }

    private static let lines = "application/x-ndjson"
    private static let csv = "text/csv; charset=utf-8; header=present"

    private func export(_ query: inout LedgerParameters) async throws -> LedgerAnswer {
        let filter = try query.filter()
        let isCSV = try query.choice("format", ["json", "csv"]) == "csv"
        try query.end()
        await settle()
        let export = LedgerExport(LedgerQuery(ledger.database), filter, isCSV: isCSV)
        return .parts(
            contentType: isCSV ? Self.csv : Self.lines,
            LedgerParts { () async throws(StoreFailure) -> [UInt8]? in try await export.next() })
    }

    private func verify(_ query: inout LedgerParameters) async throws -> LedgerAnswer {
        let noted = try query.all("noted").map { text in
            guard let anchor = LedgerHeads.Anchor(text) else {
                throw LedgerParameters.Problem("noted=\(text): expected SEQUENCE:HASH, as a verification has printed it")
            }
            return anchor
        }
        try query.end()
        let verification = try await ledger.verify(headFile: headFile, noted: noted)
        return .whole(contentType: "application/json", body: JSONWriter.bytes(verification.json))
    }

    private func report(_ query: inout LedgerParameters) async throws -> LedgerAnswer {
        let from = try query.day("from")
        let to = try query.day("to")
        let dimensions = try query.dimensions("by") ?? [.function]
        let isCSV = try query.choice("format", ["json", "csv"]) == "csv"
        try query.end()
        await settle()
        let report = try await Report.make(ledger.database, from: from, to: to, by: dimensions, prices: try prices())
        return isCSV
            ? .whole(contentType: Self.csv, body: Array(report.csv.utf8))
            : .whole(contentType: "application/json", body: JSONWriter.bytes(report.json))
    }
}
