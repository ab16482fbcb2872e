import ArgumentParser
import ExecDoor
import JSON
import Linux

/// `forkless shift history`
struct ShiftHistoryCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Shows what has happened to a shift, the newest last.")

    @Argument(help: ArgumentHelp("Its name, or the path of its program.", valueName: "shift"))
    var shift: String

    @Option(
        name: [.customShort("n"), .customLong("last")],
        help: ArgumentHelp("How many entries; 100 by default.", valueName: "number"))
    var last: Int?

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        let query = last.map { [("limit", "\($0)")] } ?? []
        let answer = try await ShiftDoor(try node.directories()).call(
            "GET", ShiftDoor.path(ShiftedProgram.shift(shift), "history"), query: query)
        switch output.output {
        case .json: try StandardStreams.write(answer)
        case .text:
            try StandardStreams.write(
                ShiftText.history(answer["history"]?.array ?? []).text(width: StandardStreams.width))
        }
    }
}

/// `forkless shift report`
struct ShiftReportCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Adds up what calls took before and after, from the ledger.",
        discussion: """
            The cost is what functions of the size that calls really had would have been billed for at the node's prices. \
            Percentiles are within 6.25 %.
            """)

    @Argument(help: ArgumentHelp("Its name, or the path of its program.", valueName: "shift"))
    var shift: String

    @Option(name: .customLong("from"), help: ArgumentHelp("The first day, such as 2026-11-01.", valueName: "day"))
    var from: String?

    @Option(name: .customLong("to"), help: ArgumentHelp("The last day.", valueName: "day"))
    var to: String?

    @Flag(name: .customLong("by-day"), help: "A row for each day.")
    var byDay = false

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        var query: [(String, String)] = []
        if let from = try nonempty(from, "--from") { query.append(("from", from)) }
        if let to = try nonempty(to, "--to") { query.append(("to", to)) }
        if byDay { query.append(("by", "day")) }
        let answer = try await ShiftDoor(try node.directories()).call(
            "GET", ShiftDoor.path(ShiftedProgram.shift(shift), "report"), query: query)
        guard output.output == .text else { return try StandardStreams.write(answer) }
        let shift = answer["shift"] ?? .null
        let name = answer["prices", "name"]?.string ?? ""
        try StandardStreams.write(
            ShiftText.report(answer).text(width: StandardStreams.width)
                + "\n\(shift["compared"]?.integer ?? 0) calls were compared, \(shift["differing"]?.integer ?? 0) differed. Prices: \(name).\n"
                + ShiftText.remarks([shift]))
    }
}
