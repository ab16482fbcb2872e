/// The measurements of one program on several rungs, side by side: one row per quantity, one column per rung.
///
/// The first measurement is what the others are compared with ("×0.8" is 0.8 times as much). Where the table
/// does not fit, the ratios go first, then the rungs come one below the other.
///
/// Invariants:
/// 1. No line of `text(width:)` is wider than `width`. Test: `no line is wider than allowed`.
/// 2. A quantity that was not measured shows a dash and, below the table, the reason; never a number.
///    Test: `what was not measured says why`.
package struct ComparisonTable: Hashable, Sendable {
    package let measurements: [Measurement]

    /// Below this many cells even a wrapped note is unreadable; narrower terminals get this width.
    package static let narrowest = 24

    package init(_ measurements: [Measurement]) { self.measurements = measurements }

    /// The table, the isolation matrix and the notes, for a terminal of `width` cells.
    package func text(width: Int) -> String {
        let width = max(width, Self.narrowest)
        var notes = ComparisonNotes()
        let quantities = ComparisonQuantity.rows(of: measurements, notes: &notes)
        var lines = sideBySide(quantities, width) ?? stacked(quantities, width)
        let isolation = IsolationMatrix(measurements)
        if !isolation.rows.isEmpty { lines += [""] + isolation.lines(width: width) }
        if !notes.texts.isEmpty { lines.append("") }
        for (index, note) in notes.texts.enumerated() {
            let mark = ComparisonNotes.mark(index) + " "
            let wrapped = DisplayWidth.wrap(DisplayWidth.printable(note), to: width - mark.count)
            lines += wrapped.enumerated().map { ($0 == 0 ? mark : String(repeating: " ", count: mark.count)) + $1 }
        }
        if lines.contains(where: { $0.contains("(×") }) {
            lines += [""] + DisplayWidth.wrap(DisplayWidth.printable(legend), to: width)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The same for a document: tables in GitHub's Markdown, notes below.
    package func markdown() -> String {
        var notes = ComparisonNotes()
        let quantities = ComparisonQuantity.rows(of: measurements, notes: &notes)
        let table = table(quantities, withRatios: true)
        var text = MarkdownTable.text(columns: table.columns, rows: table.rows)
        let isolation = IsolationMatrix(measurements)
        if !isolation.rows.isEmpty {
            text += "\n" + MarkdownTable.text(columns: isolation.columns, rows: isolation.rows)
        }
        if !notes.texts.isEmpty { text += "\n" }
        for (index, note) in notes.texts.enumerated() {
            text += "\(ComparisonNotes.mark(index)) \(MarkdownTable.escaped(note))  \n"
        }
        if text.contains("(×") { text += "\n\(MarkdownTable.escaped(legend))\n" }
        return text
    }

    private var legend: String { "×: times the value of \"\(measurements.first?.rung.title ?? "")\"" }

    private func sideBySide(_ quantities: [ComparisonQuantity], _ width: Int) -> [String]? {
        table(quantities, withRatios: true).lines(width: width)
            ?? table(quantities, withRatios: false).lines(width: width)
    }

    private func table(_ quantities: [ComparisonQuantity], withRatios: Bool) -> TextTable {
        TextTable(
            columns: [.init("", wraps: false)] + measurements.map { .init($0.rung.title, .right) },
            rows: quantities.map { [$0.label] + $0.cells.map { $0.text(withRatio: withRatios) } })
    }

    /// One rung after the other, for terminals that have no room for columns.
    private func stacked(_ quantities: [ComparisonQuantity], _ width: Int) -> [String] {
        var lines: [String] = []
        for (index, measurement) in measurements.enumerated() {
            if index > 0 { lines.append("") }
            lines += DisplayWidth.wrap(DisplayWidth.printable(measurement.rung.title), to: width)
            for quantity in quantities {
                lines += pair(quantity.label, quantity.cells[index].text(withRatio: true), width)
            }
        }
        return lines
    }

    /// A label on the left and its value on the right, on two lines where one is too short.
    private func pair(_ label: String, _ value: String, _ width: Int) -> [String] {
        let value = DisplayWidth.printable(value)
        let room = width - 2 - DisplayWidth.of(label) - DisplayWidth.of(value)
        if room >= 1 { return ["  " + label + String(repeating: " ", count: room) + value] }
        return DisplayWidth.wrap(label, to: width - 2).map { "  " + $0 }
            + DisplayWidth.wrap(value, to: width - 4).map { "    " + $0 }
    }
}

/// Notes below a table, each with the mark that cells carry.
package struct ComparisonNotes: Hashable, Sendable {
    package private(set) var texts: [String] = []

    package init() {}

    /// The mark of a note; the same text gets the same mark.
    package mutating func mark(for text: String) -> String {
        if let index = texts.firstIndex(of: text) { return Self.mark(index) }
        texts.append(text)
        return Self.mark(texts.count - 1)
    }

    /// "¹", "²" ... "¹⁰".
    package static func mark(_ index: Int) -> String {
        let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
        return String(String(index + 1).map { digits[$0.wholeNumberValue ?? 0] })
    }
}
