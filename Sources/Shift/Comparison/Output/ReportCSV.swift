/// A report as CSV, RFC 4180: a line for each rung and quantity, for spreadsheets and for programs.
///
/// Invariants:
/// 1. Every line has the same number of fields, whatever the texts hold. Test: `every line of the CSV has its fields`.
/// 2. No text is taken for a formula by a spreadsheet: one that begins like a formula gets an apostrophe before it, which
///    spreadsheets show as text. Test: `a text that looks like a formula is text`.
package struct ReportCSV: Sendable {
    private let report: ComparisonReport

    package init(_ report: ComparisonReport) { self.report = report }

    /// The heading: `at` is the offered rate of a point of the load curve, the instances of a point of the density curve.
    package static let columns = [
        "rung", "title", "quantity", "at", "unit", "value", "low", "high", "confidence", "repetitions", "origin",
        "explanation",
    ]

    package var text: String {
        var lines = [Self.line(Self.columns)]
        let table = ReportTable(report)
        for (index, rung) in report.rungs.enumerated() {
            for row in table.groups.flatMap(\.rows) { lines.append(line(rung, row, row.figures[index])) }
            for point in rung.curve { lines += self.lines(rung, point) }
            for point in rung.density.value?.points ?? [] {
                lines.append(
                    line(
                        rung, "density.bytes", at: "\(point.instances)", "bytes", "\(point.bytes)",
                        rung.density.explanation))
            }
            for finding in rung.isolation.value?.elements ?? [] {
                lines.append(
                    line(
                        rung, "isolation.\(finding.name)", at: "", "", finding.outcome.word,
                        "\(finding.question): \(finding.detail)"))
            }
        }
        return lines.joined()
    }

    private func line(_ rung: RungReport, _ row: ReportTable.Row, _ figure: ReportFigure) -> String {
        // A row without numbers has words: "identical".
        let value = figure.value.map(Self.number) ?? (figure.origin == .unavailable ? "" : Self.safe(figure.text))
        return Self.line([
            Self.safe(rung.rung.name), Self.safe(rung.rung.title), row.name, "", Self.safe(row.unit.name), value,
            figure.interval.map { Self.number($0.low) } ?? "", figure.interval.map { Self.number($0.high) } ?? "",
            figure.interval.map { Self.number($0.confidence) } ?? "",
            figure.repetitions > 0 ? "\(figure.repetitions)" : "",
            figure.origin.rawValue,
            Self.safe([figure.explanation, figure.caveat ?? ""].filter { !$0.isEmpty }.joined(separator: "; ")),
        ])
    }

    private func lines(_ rung: RungReport, _ point: LoadPoint) -> [String] {
        let at = Self.number(point.offeredPerSecond)
        return [
            line(rung, "curve.achieved", at: at, "1/s", Self.number(point.achievedPerSecond), point.saturation),
            line(rung, "curve.failures", at: at, "", "\(point.failures.total)", ""),
        ]
            + [("p50", 50.0), ("p99", 99), ("p99.9", 99.9)].map { name, percentile in
                line(
                    rung, "curve.\(name)", at: at, "ns", "\(point.latency.value(atPercentile: percentile))",
                    point.saturation)
            }
    }

    private func line(
        _ rung: RungReport, _ name: String, at: String, _ unit: String, _ value: String, _ explanation: String
    ) -> String {
        Self.line([
            Self.safe(rung.rung.name), Self.safe(rung.rung.title), Self.safe(name), at, unit, value, "", "", "", "",
            "measured",
            Self.safe(explanation),
        ])
    }

    /// Swift's own text of a number reads back as the same number, and knows no locale.
    private static func number(_ value: Double) -> String {
        value == value.rounded() && value.magnitude < 1e15 ? "\(Int(value))" : "\(value)"
    }

    /// A text that no spreadsheet takes for a formula (OWASP, "CSV Injection"), without control characters.
    static func safe(_ text: String) -> String {
        let text = DisplayWidth.printable(ReportText.cut(text, to: 2000))
        guard let first = text.unicodeScalars.first(where: { $0 != " " && $0 != "\u{FFFD}" }) else { return text }
        return "=+-@|%".unicodeScalars.contains(first) || (0xFF01...0xFF5E).contains(first.value) ? "'" + text : text
    }

    static func line(_ fields: [String]) -> String {
        fields.map { field in
            guard field.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else { return field }
            return "\"" + String(field.flatMap { $0 == "\"" ? ["\"", "\""] : [$0] }) + "\""
        }.joined(separator: ",") + "\r\n"
    }
}
