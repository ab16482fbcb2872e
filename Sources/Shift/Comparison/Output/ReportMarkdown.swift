/// A report for a README: tables in GitHub's Markdown.
package struct ReportMarkdown: Sendable {
    private let report: ComparisonReport

    package init(_ report: ComparisonReport) { self.report = report }

    package var text: String {
        let table = ReportTable(report)
        var text = ""
        for sentence in ReportFaults(report).sentences { text += "- **\(MarkdownTable.escaped(sentence))**\n" }
        if !text.isEmpty { text += "\n" }
        var notes = ComparisonNotes()
        let columns = [TextTable.Column("")] + table.rungs.map { .init(ReportText.title($0), .right) }
        var rows: [[String]] = []
        for group in table.groups {
            rows.append([group.title] + table.rungs.map { _ in "" })
            for row in group.rows { rows.append([row.label] + row.figures.indices.map { cell(row, $0, &notes) }) }
        }
        text += MarkdownTable.text(columns: columns, rows: rows)
        let isolation = IsolationMatrix(report)
        if !isolation.rows.isEmpty {
            text += "\n" + MarkdownTable.text(columns: isolation.columns, rows: isolation.rows)
        }
        if !notes.texts.isEmpty { text += "\n" }
        for (index, note) in notes.texts.enumerated() {
            text += "\(ComparisonNotes.mark(index)) \(MarkdownTable.escaped(note))  \n"
        }
        if let first = table.rungs.first {
            text += "\n×: times the value of \"\(MarkdownTable.escaped(ReportText.title(first)))\". \(statement)\n"
        }
        return text
    }

    private func cell(_ row: ReportTable.Row, _ index: Int, _ notes: inout ComparisonNotes) -> String {
        let figure = row.figures[index]
        var text = figure.text
        if figure.origin == .unavailable {
            text += notes.mark(for: ReportText.cut(figure.explanation, to: 300))
        } else if let caveat = figure.caveat {
            text += notes.mark(for: ReportText.cut(caveat, to: 300))
        }
        let ratio = row.ratio(index)
        return ratio.isEmpty ? text : "\(text) (\(ratio))"
    }

    private var statement: String {
        let machine = report.machine
        let known = [
            machine.processor, machine.processors > 0 ? "\(machine.processors) processors" : "",
            machine.memoryBytes > 0 ? FloatingText.bytes(machine.memoryBytes) : "",
            machine.kernel.isEmpty ? "" : "Linux \(machine.kernel)",
        ].filter { !$0.isEmpty }.joined(separator: ", ")
        let day = "\(report.began)".prefix(10)
        return MarkdownTable.escaped("Measured on \(day)\(known.isEmpty ? "" : ": \(known)").")
    }
}
