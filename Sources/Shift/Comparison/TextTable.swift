/// A table in columns of text that knows how wide it may be.
///
/// Invariants:
/// 1. No line that `lines(width:)` returns is wider than `width`. Test: `no line is wider than allowed`.
/// 2. A cell never loses text: it is wrapped, or the table does not fit.
///    Test: `a cell too long is wrapped and loses nothing`.
package struct TextTable: Hashable, Sendable {
    package enum Alignment: Hashable, Sendable { case left, right }

    package struct Column: Hashable, Sendable {
        package var title: String
        package var alignment: Alignment
        /// Whether cells may be broken into lines. The title always may.
        package var wraps: Bool

        /// A column; one aligned to the right holds numbers with units, which a line break would tear apart.
        package init(_ title: String, _ alignment: Alignment = .left, wraps: Bool? = nil) {
            self.title = title
            self.alignment = alignment
            self.wraps = wraps ?? (alignment == .left)
        }
    }

    package let columns: [Column]
    /// One text per column in every row.
    package let rows: [[String]]

    /// Cells between two columns.
    private static let gap = 2

    package init(columns: [Column], rows: [[String]]) {
        precondition(!columns.isEmpty, "a table has a column")
        precondition(rows.allSatisfy { $0.count == columns.count }, "a row has one cell per column")
        self.columns = columns.map { Column(DisplayWidth.printable($0.title), $0.alignment, wraps: $0.wraps) }
        self.rows = rows.map { $0.map(DisplayWidth.printable) }
    }

    /// Cells that the table takes when nothing is wrapped.
    package var naturalWidth: Int { total(columns.indices.map(natural)) }

    /// The table in at most `width` cells; nil when it does not fit without breaking words.
    package func lines(width: Int) -> [String]? {
        guard let widths = fit(width) else { return nil }
        let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
        return lines(of: columns.map(\.title), widths) + [rule] + rows.flatMap { lines(of: $0, widths) }
    }

    private func natural(_ column: Int) -> Int {
        max(2, DisplayWidth.of(columns[column].title), rows.map { DisplayWidth.of($0[column]) }.max() ?? 0)
    }

    private func least(_ column: Int) -> Int {
        let ofCell = columns[column].wraps ? DisplayWidth.longestWord : DisplayWidth.of
        return max(2, DisplayWidth.longestWord(columns[column].title), rows.map { ofCell($0[column]) }.max() ?? 0)
    }

    private func total(_ widths: [Int]) -> Int { widths.reduce(0, +) + Self.gap * (widths.count - 1) }

    /// Widths that add up: cell by cell, the widest column that can still give gives one.
    private func fit(_ width: Int) -> [Int]? {
        var widths = columns.indices.map(natural)
        let least = columns.indices.map(least)
        while total(widths) > width {
            guard let giver = widths.indices.filter({ widths[$0] > least[$0] }).max(by: { widths[$0] < widths[$1] })
            else { return nil }
            widths[giver] -= 1
        }
        return widths
    }

    private func lines(of row: [String], _ widths: [Int]) -> [String] {
        let wrapped = zip(row, widths).map { DisplayWidth.wrap($0, to: $1) }
        let height = wrapped.map(\.count).max() ?? 1
        return (0..<height).map { at in
            let texts = columns.indices.map { column in
                pad(at < wrapped[column].count ? wrapped[column][at] : "", widths[column], columns[column].alignment)
            }
            return trimmed(texts.joined(separator: "  "))
        }
    }

    private func pad(_ text: String, _ width: Int, _ alignment: Alignment) -> String {
        let space = String(repeating: " ", count: width - DisplayWidth.of(text))
        return alignment == .left ? text + space : space + text
    }

    private func trimmed(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }
}
