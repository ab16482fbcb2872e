import Engine
import EventSources
import Functions
import JSON
import Lambda
import LambdaAPI
import Linux
import Metering
import Synchronization

/// What is served below /forkless/v1/ besides the Lambda API: pools, logs, the ledger and its reports, replays.
enum DoorResources {
    static func all(_ rung: FunctionRung, _ node: NodeSurroundings) throws(NodeFailure) -> [any DoorExtension] {
        let prices = try prices(rung, node.settings.lambda)
        let ledger = LedgerResource(rung.ledger, headFile: "\(rung.directory)/ledger.head", prices: prices)
        let (invoker, sources) = (rung.invoker, rung.sources)
        return [
            StatusExtension(name: "pools") { () async throws(LambdaFailure) in await invoker.status().json },
            StatusExtension(name: "events") { () async throws(LambdaFailure) in try await Self.counters(sources) },
            LogsExtension(catalog: rung.catalog, logs: rung.launcher.logs),
        ] + LedgerExtension.all(ledger)
    }

    /// The price book that was named, or STATE/functions/prices.json if there is one, read for each report; else AWS's
    /// prices. A book that was named has to be right when the node starts.
    private static func prices(
        _ rung: FunctionRung, _ settings: LambdaSettings
    ) throws(NodeFailure) -> @Sendable () throws(PriceBookError) -> PriceBook {
        let named = settings.prices
        let usual = "\(rung.directory)/prices.json"
        let read: @Sendable () throws(PriceBookError) -> PriceBook = { () throws(PriceBookError) in
            if let named { return try PriceBook.read(named) }
            return Files.exists(usual) ? try PriceBook.read(usual) : .usual
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
