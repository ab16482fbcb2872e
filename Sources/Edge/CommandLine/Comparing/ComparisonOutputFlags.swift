import ArgumentParser
import Comparison
import JSON
import Linux

/// How a comparison's report is written, and where it is kept.
struct ComparisonOutputFlags: ParsableArguments {
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case table, json, csv, markdown
    }

    @Option(
        help: ArgumentHelp(
            "How to write the report to standard output: table, json, csv or markdown.", valueName: "format"))
    var output = Format.table

    @Option(help: ArgumentHelp("Write a page with plots as well: one file that needs no other.", valueName: "file"))
    var html: String?

    @Option(help: ArgumentHelp("Keep report and page in the node's state under a name.", valueName: "name"))
    var save: String?

    @Flag(help: "List the reports that are kept, and measure nothing.")
    var list = false

    @Option(
        help: ArgumentHelp("Write a report that is kept, in any form, and measure nothing.", valueName: "name"))
    var show: String?

    /// What is kept is asked for, and nothing is to be measured.
    var asksForKept: Bool { list || show != nil }

    /// What can be known to be wrong before anything is measured.
    func check(_ state: String) throws {
        if asksForKept, let save {
            throw FlagError("--save", save, "nothing is measured with \(list ? "--list" : "--show")")
        }
        if list, let other = show.map({ ("--show", $0) }) ?? html.map({ ("--html", $0) }) {
            throw FlagError(other.0, other.1, "a list shows no report", advice: "Leave out --list.")
        }
        if let save {
            if let problem = SavedReports.problem(withName: save) {
                throw FlagError("--save", save, problem, advice: "Write letters, digits, \"-\", \"_\" and \".\".")
            }
            if Files.exists(SavedReports(state: state).directory + "/\(save).json") {
                throw FlagError("--save", save, "there is a report of this name already", advice: "Give another name.")
            }
        }
        if let html {
            let folder = html.contains("/") ? String(html[..<html.lastIndex(of: "/")!]) : "."
            guard folder.isEmpty || Files.exists(folder) else {
                throw FlagError("--html", html, "its directory is not there", advice: "Make it first.")
            }
        }
    }

    func write(_ report: ComparisonReport, _ state: String) throws {
        if let html { try Files.replace(html, with: Array(ReportPage(report).text.utf8), mode: 0o644) }
        if let save { try SavedReports(state: state).save(report, as: save) }
        switch output {
        case .table:
            let isColoured =
                Terminal.isTerminal(StandardStreams.output) && OwnProcess.variable("NO_COLOR")?.isEmpty ?? true
            try StandardStreams.write(ReportText(report, width: StandardStreams.width, isColoured: isColoured).text)
        case .json: try StandardStreams.write(report.json)
        case .csv: try StandardStreams.write(ReportCSV(report).text)
        case .markdown: try StandardStreams.write(ReportMarkdown(report).text)
        }
    }

    /// The report that is asked for, or the list of those that are kept.
    func writeKept(_ state: String) throws {
        guard let show else { return try writeList(state) }
        try write(try SavedReports(state: state).report(show), state)
    }

    /// The reports that are kept, the newest first.
    private func writeList(_ state: String) throws {
        let entries = try SavedReports(state: state).list()
        switch output {
        case .json: try StandardStreams.write(.array(entries.map(\.json)))
        case .csv, .markdown: throw FlagError("--output", output.rawValue, "a list is a table or JSON")
        case .table:
            let rows = entries.map { entry in
                guard let summary = entry.summary else { return [entry.name, "", entry.problem ?? "", ""] }
                return [
                    entry.name, String("\(summary.began)".prefix(16)),
                    summary.workload + (summary.hasFaults ? " (with faults)" : ""),
                    summary.rungs.joined(separator: ", "),
                ]
            }
            let table = TextTable(
                columns: [.init("name"), .init("began"), .init("workload"), .init("rungs")], rows: rows)
            let width = StandardStreams.width
            let lines = table.lines(width: width) ?? rows.map { DisplayWidth.printable($0.joined(separator: "  ")) }
            try StandardStreams.write(lines.map { $0 + "\n" }.joined())
        }
    }
}
