import ArgumentParser
import Deploying
import JSON
import Linux
import Metering
import Store

/// `forkless ledger`: what was called, chained by hash.
struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Shows, checks and exports the ledger of function calls, and runs recorded calls again.",
        discussion: """
            Every call of a function is a record that carries the hash of the record before it, so that a record that was \
            changed, removed or slipped in shows.
            """,
        subcommands: [LedgerShowCommand.self, LedgerVerifyCommand.self, LedgerExportCommand.self, LedgerReplayCommand.self])
}

/// `forkless ledger show`
struct LedgerShowCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows the newest records, the oldest of them first.")

    @Flag(name: [.customShort("f"), .customLong("follow")], help: "Go on with those that come.")
    var follow = false

    @Option(name: [.customShort("n"), .customLong("last")], help: ArgumentHelp("How many; 100 by default.", valueName: "number"))
    var last: Int?

    @OptionGroup(title: "Which records") var filter: LedgerFlags
    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        var query = try filter.query()
        if let last { query.append(("limit", "\(last)")) }
        let format = output.output
        guard follow else {
            let request = LambdaRequest.page("ledger", query)
            var waiting = WaitingLines()
            let lines = waiting.take(try await withLambda(node) { try await $0.bytes(request) })
            guard format == .text else {
                return try StandardStreams.write(lines.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined())
            }
            let listing = Listing(columns: LedgerText.columns, rows: try lines.map(LedgerText.cells))
            return try StandardStreams.write(listing.text(width: StandardStreams.width))
        }
        let request = LambdaRequest.page("ledger", query + [("follow", "true")])
        try await withLambda(node) { client in
            var waiting = WaitingLines()
            try await client.stream(request) { part in
                for line in waiting.take(part) {
                    let text = try format == .json ? String(decoding: line, as: UTF8.self) + "\n" : LedgerText.line(LedgerText.cells(line))
                    try StandardStreams.write(text)
                }
            }
        }
    }
}

/// `forkless ledger export`
struct LedgerExportCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes records to standard output, with their hashes.",
        discussion: """
            JSON: a line for each record with `record`, `previous` and `hash`, where `hash` is the SHA-256 of the 32 bytes of \
            `previous` followed by the bytes of `record` as they stand there. CSV: as RFC 4180 has it.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case json, csv }

    @Option(name: .customLong("format"), help: "How to write them.")
    var format = Format.json

    @OptionGroup(title: "Which records") var filter: LedgerFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        let query = try filter.query() + [("format", format.rawValue)]
        try await withLambda(node) { client in
            try await client.stream(.page("ledger/export", query)) { part in
                try Files.writeAll(part, to: StandardStreams.output, name: "standard output")
            }
        }
    }
}

/// `forkless ledger verify`
struct LedgerVerifyCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Checks every record of the ledger, and says which is the first that is wrong.",
        discussion: """
            The status is 1 when something is wrong. Note the head that it prints elsewhere from time to time, and name it \
            with --noted: against a head that was noted, not even a whole new chain passes.
            """)

    @Option(
        name: .customLong("noted"),
        help: ArgumentHelp("A head that an earlier verification printed; can be repeated.", valueName: "record:hash"))
    var noted: [String] = []

    @OptionGroup var output: OutputFlags

    @Option(
        name: .customLong("state"),
        help: ArgumentHelp(
            "Read the files in this state directory instead of asking the node; a node may be running there or not.",
            valueName: "dir"))
    var state: String?

    @Option(
        name: .customLong("run"), help: ArgumentHelp("Where the node's sockets are (or FORKLESS_RUN).", valueName: "dir"))
    var run: String?

    func run() async throws {
        let anchors = try noted.map { text throws(FlagError) in
            guard let anchor = LedgerHeads.Anchor(text) else {
                throw FlagError("--noted", text, "not RECORD:HASH", advice: "Write a head as a verification printed it.")
            }
            return anchor
        }
        let verification: LedgerVerification
        if let state = try nonempty(state, "--state") {
            verification = try await LedgerVerification.verify(state: state, noted: anchors)
        } else {
            let directories = try NodeDirectories(
                state: nil, run: run, isRoot: OwnProcess.effectiveUser == 0, variable: OwnProcess.variable)
            let request = LambdaRequest.page("ledger/verify", anchors.map { ("noted", "\($0)") })
            let answer = try await withLambda(directories) { try await $0.call(request) }
            verification = try LedgerVerification(json: answer)
        }
        switch output.output {
        case .json: try StandardStreams.write(verification.json)
        case .text: try StandardStreams.write(Self.text(verification))
        }
        if let fault = verification.fault { throw CommandFailure("The ledger is not what was written: \(fault).") }
    }

    static func text(_ verification: LedgerVerification) -> String {
        let good = "\(verification.good) \(verification.good == 1 ? "record is" : "records are") good"
        let heads = verification.anchors == 1 ? "1 noted head" : "\(verification.anchors) noted heads"
        return verification.fault == nil
            ? "\(good), and \(heads) with them.\nHead: \(verification.head)\n" : "\(good), up to \(verification.head).\n"
    }
}
