/// Attempt by attempt, which rung stopped it: one row per question, one column per rung.
package struct IsolationMatrix: Hashable, Sendable {
    package let columns: [TextTable.Column]
    package let rows: [[String]]
    private let titles: [String]

    /// The findings of every rung that was probed, in the order in which the first rung that has them does.
    package init(_ report: ComparisonReport) {
        self.init(
            report.rungs.compactMap { rung in
                rung.isolation.value.map { (title: ReportText.title(rung.rung), findings: $0.elements) }
            })
    }

    private init(_ probed: [(title: String, findings: [IsolationFinding])]) {
        var order: [(name: String, question: String)] = []
        for finding in probed.flatMap(\.findings) where !order.contains(where: { $0.name == finding.name }) {
            order.append((finding.name, finding.question))
        }
        titles = probed.map(\.title)
        columns = [.init("can a program there")] + titles.map { .init($0) }
        rows = order.map { name, question in
            [ReportText.cut(question, to: 120)] + probed.map { $0.findings.first { $0.name == name }?.outcome.word ?? "not tried" }
        }
    }

    /// The matrix in at most `width` cells; where columns do not fit, one rung after the other.
    package func lines(width: Int) -> [String] {
        if let lines = TextTable(columns: columns, rows: rows).lines(width: width) { return lines }
        var lines: [String] = []
        for (index, title) in titles.enumerated() {
            if index > 0 { lines.append("") }
            lines += DisplayWidth.wrap(DisplayWidth.printable("can a program there: \(title)"), to: width)
            for row in rows {
                let text = DisplayWidth.printable("\(row[index + 1]): \(row[0])")
                lines += DisplayWidth.wrap(text, to: width - 4).enumerated().map { ($0 == 0 ? "  " : "    ") + $1 }
            }
        }
        return lines
    }
}

/// Tables in GitHub's Markdown.
package enum MarkdownTable {
    package static func text(columns: [TextTable.Column], rows: [[String]]) -> String {
        var text = line(columns.map(\.title))
        text += line(columns.map { $0.alignment == .right ? "---:" : "---" }, escape: false)
        for row in rows { text += line(row) }
        return text
    }

    /// The text with what Markdown and HTML would take for theirs made harmless.
    package static func escaped(_ text: String) -> String {
        var result = ""
        for character in DisplayWidth.printable(text) {
            if "\\|*_`<>[]&".contains(character) { result.append("\\") }
            result.append(character)
        }
        return result
    }

    private static func line(_ cells: [String], escape: Bool = true) -> String {
        "| " + cells.map { escape ? escaped($0) : $0 }.joined(separator: " | ") + " |\n"
    }
}
