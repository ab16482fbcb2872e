import Comparison
import JSON

/// What was called and what it cost, as a table.
struct FunctionReport {
    /// What `/forkless/v1/report` has answered.
    var report: JSONValue

    func text(width: Int) -> String {
        let dimensions = (report["by"]?.array ?? []).compactMap(\.string)
        let currency = report["prices", "currency"]?.string ?? ""
        let columns =
            dimensions.map { TextTable.Column($0.uppercased()) }
            + ["CALLS", "ERRORS", "THROTTLED", "COLD", "GB-S", "CPU S", "PEAK", "P50", "P99", "COST \(currency)"].map {
                TextTable.Column($0, .right)
            }
        let rows = (report["rows"]?.array ?? []).map { row in dimensions.map { row[$0]?.string ?? "" } + Self.figures(row) }
        let total = report["total"] ?? .null
        let words = dimensions.isEmpty ? [] : ["total"] + Array(repeating: "", count: dimensions.count - 1)
        let listing = Listing(columns: columns, rows: rows + [words + Self.figures(total)])
        var text = listing.text(width: width)
        if let lost = total["lost"]?.integer, lost > 0 { text += "\(lost) calls could not be recorded and are in none of these.\n" }
        let name = report["prices", "name"]?.string ?? ""
        let source = report["prices", "source"]?.string ?? ""
        return text + "\nPrices: \(name) (\(source)). Percentiles are within 6.25 %.\n"
    }

    private static func figures(_ row: JSONValue) -> [String] {
        [
            number(row["calls"]), number(row["errors"]), number(row["throttles"]), number(row["coldStarts"]),
            row["gbSeconds"]?.string ?? "", row["cpuSeconds"]?.string ?? "",
            DecimalSize.text(Int(row["peakMemoryBytes"]?.integer ?? 0)), LedgerText.milliseconds(row["p50Microseconds"]),
            LedgerText.milliseconds(row["p99Microseconds"]), row["cost"]?.string ?? "",
        ]
    }

    private static func number(_ value: JSONValue?) -> String { "\(value?.integer ?? 0)" }
}
