package import JSON
package import Lambda
internal import Linux
package import Metering
internal import Store

/// What is served at POST /forkless/v1/replay, without HTTP: recorded calls of a function are run again and compared.
///
/// The body is an object:
/// - `function`: its name; needed.
/// - `against`: the version or alias that is run instead; needed.
/// - `version`, `order`, `from`, `to`: which recorded calls; times are RFC 3339 or days, as for the ledger, and all are meant when they
///   are missing.
/// - `concurrency`: order keys that run beside each other, 1 to 64; 8 when it is missing.
///
/// The answer is the report. Calls that are recorded while it runs are not run again.
package struct ReplayResource: Sendable {
    private let replay: Replay
    private let ledger: Ledger
    private let account: LambdaAccount

    package init(_ replay: Replay, ledger: Ledger, account: LambdaAccount) {
        self.replay = replay
        self.ledger = ledger
        self.account = account
    }

    private struct Wish {
        var target: String
        var filter: LedgerFilter
        var concurrency: Int
    }

    package func answer(_ body: [UInt8]) async throws(LambdaFailure) -> JSONValue {
        var wish = try wish(body)
        // What has ended before the question is run again. A ledger that cannot be written can still be read.
        try? await ledger.flush()
        // What this replay records must not become its own input.
        if wish.filter.to == nil { wish.filter.to = Clock.now() }
        var recorded = LedgerQuery(ledger.database).recordedCalls(wish.filter).makeAsyncIterator()
        let report = try await replay.run(against: wish.target, concurrency: wish.concurrency) { () throws(LambdaFailure) in
            var page: [MeteredCall] = []
            do throws(StoreFailure) {
                while page.count < Replay.pageLimit, let element = try await recorded.next() { page.append(element.call) }
            } catch { throw .service("replay calls of \(wish.filter.function ?? ""): \(error)") }
            return page
        }
        return report.json
    }

    private func wish(_ body: [UInt8]) throws(LambdaFailure) -> Wish {
        do {
            var reader = try JSONObjectReader(try JSONParser.parse(body))
            var filter = LedgerFilter()
            let function = try reader.required("function", as: String.self)
            let against = try reader.required("against", as: String.self)
            filter.version = try reader.optional("version")
            filter.orderKey = try reader.optional("order")
            filter.from = try Self.time("from", .from, &reader)
            filter.to = try Self.time("to", .to, &reader)
            let concurrency = try reader.optional("concurrency", as: Int.self) ?? 8
            guard (1...64).contains(concurrency) else { throw reader.error("concurrency", "expected 1 to 64, found \(concurrency)") }
            try reader.refuseUnknown()
            let reference = try FunctionReference(function + ":" + against)
            filter.function = reference.name
            return Wish(
                target: account.function(reference.name, reference.qualifier), filter: filter, concurrency: concurrency)
        } catch let failure as LambdaFailure {
            throw failure
        } catch {
            throw .invalidParameter("POST /forkless/v1/replay: \(error)")
        }
    }

    private static func time(
        _ key: String, _ bound: LedgerFilter.Bound, _ reader: inout JSONObjectReader
    ) throws(JSONShapeError) -> Timestamp? {
        guard let text: String = try reader.optional(key) else { return nil }
        guard let time = LedgerFilter.time(text, as: bound) else {
            throw reader.error(key, "expected a day such as 2026-11-23 or a time such as 2026-11-23T06:47:29Z, found \(text)")
        }
        return time
    }
}
