import ArgumentParser
import Deploying
import JSON
import Linux

/// `forkless fn report`
struct FnReportCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Adds up calls, resources and cost of functions.",
        discussion: """
            Days are days in UTC at which calls ended. Costs follow the price book of the node (--prices of `forkless node`, \
            or STATE/functions/prices.json); without one they are what AWS would ask for.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, csv }

    @Option(name: .customLong("from"), help: ArgumentHelp("The first day, such as 2026-11-01.", valueName: "day"))
    var from: String?

    @Option(name: .customLong("to"), help: ArgumentHelp("The last day.", valueName: "day"))
    var to: String?

    @Option(
        name: .customLong("by"),
        help: ArgumentHelp("What has a row of its own: function, version, day, key, order, or several.", valueName: "word,..."))
    var by = "function"

    @Option(name: .customLong("format"), help: "How to write it.")
    var format = Format.table

    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        var query = [("by", by)]
        if let from = try nonempty(from, "--from") { query.append(("from", from)) }
        if let to = try nonempty(to, "--to") { query.append(("to", to)) }
        query.append(("format", format == .csv ? "csv" : "json"))
        let request = LambdaRequest.page("report", query)
        let answer = try await withLambda(node) { try await $0.bytes(request) }
        switch format {
        case .csv: try Files.writeAll(answer, to: StandardStreams.output, name: "standard output")
        case .json: try StandardStreams.write(try JSONParser.parse(answer))
        case .table:
            let report = FunctionReport(report: try JSONParser.parse(answer))
            try StandardStreams.write(report.text(width: StandardStreams.width))
        }
    }
}
