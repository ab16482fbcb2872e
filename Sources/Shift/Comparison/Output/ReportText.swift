/// A report for a terminal.
///
/// Rungs stand side by side as far as they fit: first with intervals and ratios, then without the one, then without both,
/// then in several tables one below the other, and on the narrowest terminals rung by rung.
///
/// Invariants:
/// 1. No line is wider than the width. Test: `no line of a report is wider than the terminal`.
/// 2. Nothing that a program or a user wrote moves the cursor or colours anything: only this file writes escapes, and only
///    when it is told to. Test: `hostile texts in a report are harmless on a terminal`.
/// 3. A figure that is not there has its reason below the table. Test: `what is missing has its reason in every output`.
package struct ReportText: Sendable {
    /// Below this many cells even a wrapped note is unreadable; narrower terminals get this width.
    package static let narrowest = 24

    private let report: ComparisonReport
    private let table: ReportTable
    private let width: Int
    private let isColoured: Bool

    /// - Parameters:
    ///   - width: cells of the terminal.
    ///   - isColoured: whether headings and faults stand out by escape sequences: on terminals that show them.
    package init(_ report: ComparisonReport, width: Int, isColoured: Bool) {
        self.report = report
        table = ReportTable(report)
        self.width = max(width, Self.narrowest)
        self.isColoured = isColoured
    }

    package var text: String {
        var lines = heading()
        let faults = ReportFaults(report).sentences
        if !faults.isEmpty {
            lines.append("")
            for sentence in faults { lines += wrapped(sentence, first: "! ", then: "  ").map { ink($0, .fault) } }
        }
        var notes = ComparisonNotes()
        for part in parts(&notes) { lines += [""] + part }
        lines += isolation()
        if !notes.texts.isEmpty { lines.append("") }
        for (index, note) in notes.texts.enumerated() {
            let mark = ComparisonNotes.mark(index) + " "
            let indent = String(repeating: " ", count: mark.count)
            lines += wrapped(note, first: mark, then: indent).map { ink($0, .quiet) }
        }
        if let first = table.rungs.first, table.rungs.count > 1 {
            lines +=
                [""]
                + wrapped("×: times the value of \"\(Self.title(first))\"", first: "", then: "").map { ink($0, .quiet) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func heading() -> [String] {
        let machine = report.machine
        let known = [
            machine.processor, machine.processors > 0 ? "\(machine.processors) processors" : "",
            machine.memoryBytes > 0 ? FloatingText.bytes(machine.memoryBytes) : "",
            machine.kernel.isEmpty ? "" : "Linux \(machine.kernel)",
            machine.virtualisation == "none" ? "" : machine.virtualisation,
        ].filter { !$0.isEmpty }
        let arrivals = report.workload.arrivals.isEmpty ? "" : "; \(report.workload.arrivals)"
        return wrapped("\(Self.cut(report.workload.name, to: 120))\(arrivals)", first: "", then: "").map {
            ink($0, .heading)
        }
            + (known.isEmpty ? [] : wrapped(known.joined(separator: ", "), first: "", then: "").map { ink($0, .quiet) })
    }

    // Tables.

    private enum Detail: CaseIterable { case everything, ratios, values }

    private func parts(_ notes: inout ComparisonNotes) -> [[String]] {
        guard !table.rungs.isEmpty else { return [["No rung was measured."]] }
        let marks = marks(&notes)
        let all = Array(table.rungs.indices)
        for detail in Detail.allCases {
            if let lines = lines(of: all, detail, marks) { return [lines] }
        }
        // As few tables as possible, of about as many rungs each.
        for count in stride(from: all.count - 1, through: 1, by: -1) {
            let tables = (all.count + count - 1) / count
            let each = (all.count + tables - 1) / tables
            let chunks = stride(from: 0, to: all.count, by: each).map { Array(all[$0..<min($0 + each, all.count)]) }
            for detail in [Detail.ratios, .values] {
                let parts = chunks.map { lines(of: $0, detail, marks) }
                if parts.allSatisfy({ $0 != nil }) { return parts.compactMap(\.self) }
            }
        }
        return all.map { stacked($0, marks) }
    }

    /// The marks of each figure's notes, by row and rung.
    private func marks(_ notes: inout ComparisonNotes) -> [[String]] {
        table.groups.flatMap(\.rows).map { row in
            row.figures.map { figure in
                if figure.origin == .unavailable {
                    return notes.mark(for: Self.cut(figure.explanation, to: 300))
                }
                return figure.caveat.map { notes.mark(for: Self.cut($0, to: 300)) } ?? ""
            }
        }
    }

    private func lines(of rungs: [Int], _ detail: Detail, _ marks: [[String]]) -> [String]? {
        var rows: [[String]] = []
        var headings: Set<String> = []
        var index = 0
        for group in table.groups {
            rows.append([group.title] + rungs.map { _ in "" })
            headings.insert(group.title)
            for row in group.rows {
                // No-break spaces, since a line is wrapped at others.
                rows.append(["\u{A0}\u{A0}" + row.label] + rungs.map { cell(row, $0, marks[index][$0], detail) })
                index += 1
            }
        }
        let columns =
            [TextTable.Column("", wraps: false)] + rungs.map { TextTable.Column(Self.title(table.rungs[$0]), .right) }
        guard let lines = TextTable(columns: columns, rows: rows).lines(width: width) else { return nil }
        return lines.map { line in
            if headings.contains(line) { return ink(line, .heading) }
            return line.hasPrefix("\u{A0}\u{A0}") ? "  " + line.dropFirst(2) : line
        }
    }

    private func cell(_ row: ReportTable.Row, _ rung: Int, _ marks: String, _ detail: Detail) -> String {
        let figure = row.figures[rung]
        var text = figure.text + marks
        let interval = figure.intervalText(row.unit)
        if detail == .everything, !interval.isEmpty { text += " [\(interval)]" }
        let ratio = row.ratio(rung)
        if detail != .values, !ratio.isEmpty { text += " (\(ratio))" }
        return text
    }

    private func stacked(_ rung: Int, _ marks: [[String]]) -> [String] {
        var lines = wrapped(Self.title(table.rungs[rung]), first: "", then: "").map { ink($0, .heading) }
        for (index, row) in table.groups.flatMap({ group in group.rows.map { (group, $0) } }).enumerated() {
            let value = cell(row.1, rung, marks[index][rung], .ratios)
            // Percentiles are told apart by what they are of.
            let label =
                row.1.label.hasPrefix("p") && row.1.label.dropFirst().first?.isNumber == true
                ? "\(row.1.name.split(separator: ".").first ?? "") \(row.1.label)" : row.1.label
            lines += wrapped("\(label): \(value)", first: "  ", then: "    ")
        }
        return lines
    }

    private func isolation() -> [String] {
        let matrix = IsolationMatrix(report)
        guard !matrix.rows.isEmpty else { return [] }
        return [""] + matrix.lines(width: width)
    }

    // Texts.

    private enum Ink { case heading, quiet, fault }

    private func ink(_ line: String, _ ink: Ink) -> String {
        guard isColoured else { return line }
        switch ink {
        case .heading: return "\u{1B}[1m\(line)\u{1B}[0m"
        case .quiet: return "\u{1B}[2m\(line)\u{1B}[0m"
        case .fault: return "\u{1B}[1;31m\(line)\u{1B}[0m"
        }
    }

    private func wrapped(_ text: String, first: String, then: String) -> [String] {
        DisplayWidth.wrap(
            DisplayWidth.printable(text), to: max(2, width - max(DisplayWidth.of(first), DisplayWidth.of(then)))
        )
        .enumerated().map { ($0 == 0 ? first : then) + $1 }
    }

    /// A rung's title, short enough to head a column; its words too, since a column is at least as wide as the longest.
    static func title(_ rung: RungLabel) -> String {
        cut(rung.title, to: 60).split(separator: " ").map { cut(String($0), to: 24) }.joined(separator: " ")
    }

    /// At most so many characters, of which the last says that there were more.
    static func cut(_ text: String, to limit: Int) -> String {
        let prefix = text.prefix(limit + 1)
        return prefix.count <= limit ? text : String(prefix.dropLast(2)) + "…"
    }
}
