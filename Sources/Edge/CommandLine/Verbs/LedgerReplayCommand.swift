import ArgumentParser
import Deploying
import JSON

/// `forkless ledger replay`
struct LedgerReplayCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Runs recorded calls again against another version, in order, and compares the answers.",
        discussion: """
            forkless ledger replay scorer --against 8
            forkless ledger replay booking --against next --from 2026-11-23 --order account-7

            Calls are recorded with payload and answer while the function is deployed with --record. The function sees in \
            its client context that a call is a replay ({"custom":{"forkless:replay":"REQUEST-ID"}}), so that it can leave \
            out its effects. The status is 1 when an answer differs, or when nothing could be compared.
            """)

    @Option(
        name: .customLong("against"),
        help: ArgumentHelp("The version or alias that runs them now.", valueName: "version|alias"))
    var against: String

    @Option(
        name: .customLong("function-version"),
        help: ArgumentHelp("Only calls that this version had.", valueName: "version"))
    var version: String?

    @Option(
        name: .customLong("order"), help: ArgumentHelp("Only calls that were ordered by this key.", valueName: "key"))
    var order: String?

    @Option(
        name: .customLong("from"),
        help: ArgumentHelp(
            "Only what was recorded since then: a day (2026-11-23, UTC) or a time (RFC 3339).", valueName: "time"))
    var from: String?

    @Option(
        name: .customLong("to"),
        help: ArgumentHelp("Only what was recorded before then, or up to the end of that day.", valueName: "time"))
    var to: String?

    @Option(
        name: .customLong("concurrency"),
        help: ArgumentHelp(
            "Calls that run beside each other, 1 to 64; those of one order key never do (default: 8).", valueName: "n"))
    var concurrency: Int?

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The function, by name.") var function: String

    func run() async throws {
        let request = LambdaRequest("POST", "/forkless/v1/replay", json: try wish())
        let report = ReplayText(report: try await withLambda(node) { try await $0.call(request) })
        switch output.output {
        case .json: try StandardStreams.write(report.report)
        case .text: try StandardStreams.write(report.text(width: StandardStreams.width))
        }
        if let failure = report.failure(function: function) { throw CommandFailure(failure) }
    }

    private func wish() throws(FlagError) -> JSONObject {
        var wish: JSONObject = [
            "function": .string(function), "against": .string(try nonempty(against, "--against") ?? ""),
        ]
        for (name, flag, value) in [
            ("version", "--function-version", version), ("order", "--order", order), ("from", "--from", from),
            ("to", "--to", to),
        ] {
            if let value = try nonempty(value, flag) { wish[name] = .string(value) }
        }
        if let concurrency { wish["concurrency"] = .integer(Int64(concurrency)) }
        return wish
    }
}
