import Comparison

/// A table for the terminal: in columns where they fit, otherwise one record below the other.
struct Listing {
    var columns: [TextTable.Column]
    var rows: [[String]]

    /// Lines of at most `width` cells, unless a single word is longer.
    func text(width: Int) -> String {
        if let lines = TextTable(columns: columns, rows: rows).lines(width: width) {
            return lines.map { $0 + "\n" }.joined()
        }
        let longest = columns.map { DisplayWidth.of($0.title) }.max() ?? 0
        let records = rows.map { row in
            zip(columns, row).map { column, cell in
                let gap = String(repeating: " ", count: longest - DisplayWidth.of(column.title) + 2)
                return column.title + gap + DisplayWidth.printable(cell) + "\n"
            }.joined()
        }
        return records.joined(separator: "\n")
    }
}

/// Text in a cell that has room for a beginning only.
enum Shortened {
    /// The first `limit` characters, the last of them an ellipsis where more would follow.
    static func text(_ text: String, to limit: Int) -> String {
        text.count <= limit ? text : text.prefix(limit - 1) + "…"
    }
}
