import Catalog
import Engine
import EventSources
import Functions
import JSON
import Lambda
import LambdaAPI
import Metering
import Store

/// What is served below /forkless/v1/ besides the Lambda API: pools, logs, the ledger and its reports, replays.
enum DoorResources {
    static func all(_ rung: FunctionRung, _ node: NodeSurroundings) throws(NodeFailure) -> [any DoorExtension] {
        let prices = try prices(node.settings)
        let ledger = LedgerResource(rung.ledger, headFile: "\(rung.directory)/ledger.head", prices: prices)
        let (invoker, sources) = (rung.invoker, rung.sources)
        return [
            StatusExtension(name: "pools") { () async throws(LambdaFailure) in await invoker.status().json },
            StatusExtension(name: "events") { () async throws(LambdaFailure) in try await Self.counters(sources) },
            LogsExtension(catalog: rung.catalog, logs: rung.launcher.logs),
            ReplayExtension(
                ReplayResource(
                    Replay(invoker: invoker, functions: CatalogLookup(rung.catalog)), ledger: rung.ledger,
                    account: rung.catalog.settings.account)),
        ] + LedgerExtension.all(ledger)
    }

    /// Read for each report. A book that is wrong when the node starts is an error.
    static func prices(
        _ node: NodeSettings
    ) throws(NodeFailure) -> @Sendable () throws(PriceBookError) -> PriceBook {
        let read: @Sendable () throws(PriceBookError) -> PriceBook = { () throws(PriceBookError) in
            try PriceBook.chosen(node.lambda.prices, state: node.state)
        }
        do { _ = try read() } catch { throw NodeFailure(.badRequest, "\(error)") }
        return read
    }

    private static func counters(_ sources: NodeEvents) async throws(LambdaFailure) -> JSONValue {
        let counters = sources.events.counters
        let pending: (count: Int, problems: [String])
        do { pending = try await sources.outbox.pending() } catch { throw .service("\(error)") }
        var object = JSONObject()
        let numbers = [
            ("Accepted", counters.accepted), ("Waiting", counters.waiting), ("Running", counters.running),
            ("Succeeded", counters.succeeded), ("Retried", counters.retried), ("Postponed", counters.postponed),
            ("Failed", counters.failed), ("TooOld", counters.tooOld), ("Undelivered", pending.count),
        ]
        for (name, number) in numbers { object[name] = .integer(Int64(number)) }
        object["Problems"] = .array(pending.problems.map { .string($0) })
        return .object(object)
    }
}
