import ArgumentParser

/// Which records of the ledger are wanted. The node knows what the values may be.
struct LedgerFlags: ParsableArguments {
    @Option(name: .customLong("function"), help: ArgumentHelp("Only calls of this function.", valueName: "name"))
    var function: String?

    @Option(name: .customLong("function-version"), help: ArgumentHelp("Only calls of this version.", valueName: "version"))
    var version: String?

    @Option(name: .customLong("request"), help: ArgumentHelp("Only the call with this request id.", valueName: "id"))
    var request: String?

    @Option(name: .customLong("key"), help: ArgumentHelp("Only calls with this key.", valueName: "key"))
    var key: String?

    @Option(name: .customLong("order"), help: ArgumentHelp("Only calls that were ordered by this key.", valueName: "key"))
    var order: String?

    @Option(
        name: .customLong("outcome"),
        help: ArgumentHelp(
            "Only calls that ended so: success, function-error, timed-out, out-of-memory, refused, replayed.",
            valueName: "outcome"))
    var outcome: String?

    @Option(
        name: .customLong("source"),
        help: ArgumentHelp("Only calls from there: invoke, async, url, sqs, schedule, directory, ...", valueName: "source"))
    var source: String?

    @Option(
        name: .customLong("from"),
        help: ArgumentHelp("Only what was recorded since then: a day (2026-11-23, UTC) or a time (RFC 3339).", valueName: "time"))
    var from: String?

    @Option(
        name: .customLong("to"),
        help: ArgumentHelp("Only what was recorded before then, or up to the end of that day.", valueName: "time"))
    var to: String?

    /// As the node reads them.
    func query() throws(FlagError) -> [(String, String)] {
        var query: [(String, String)] = []
        // `--version` alone is that of forkless.
        if let version = try nonempty(version, "--function-version") { query.append(("version", version)) }
        for (name, value) in [
            ("function", function), ("request", request), ("key", key), ("order", order),
            ("outcome", outcome), ("source", source), ("from", from), ("to", to),
        ] {
            if let value = try nonempty(value, "--" + name) { query.append((name, value)) }
        }
        return query
    }
}
