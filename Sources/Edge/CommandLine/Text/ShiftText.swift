import Comparison
import ExecDoor
import JSON

/// Shifts for people.
enum ShiftText {
    /// One line for each shift.
    static func table(_ shifts: [JSONValue]) -> Listing {
        let columns: [TextTable.Column] = [
            .init("SHIFT"), .init("PROGRAM"), .init("TO"), .init("MODE"), .init("CALLS", .right),
            .init("BY TARGET", .right),
            .init("DETOURS", .right), .init("COMPARED", .right), .init("DIFFERENT", .right),
            .init("P95 BEFORE", .right),
            .init("P95 AFTER", .right), .init("STATE"),
        ]
        return Listing(columns: columns, rows: shifts.map(row))
    }

    private static func row(_ shift: JSONValue) -> [String] {
        let original = shift["original", "runs"]?.integer ?? 0
        let target = shift["target", "runs"]?.integer ?? 0
        let after = target > 0 ? shift["target"] : shift["shadow"]
        return [
            shift["id"]?.string ?? "", shift["program"]?.string ?? "", shift["spec", "to"]?.string ?? "", stage(shift),
            "\(original + target)", "\(target)", "\(shift["detours"]?.integer ?? 0)",
            "\(shift["compared"]?.integer ?? 0)",
            "\(shift["differing"]?.integer ?? 0)", LedgerText.milliseconds(shift["original", "p95Microseconds"]),
            LedgerText.milliseconds(after?["p95Microseconds"]), shift["phase"]?.string ?? "",
        ]
    }

    static func stage(_ shift: JSONValue) -> String {
        let mode = shift["mode"]?.string ?? ""
        return mode == "canary" ? "canary \(shift["percent"]?.integer ?? 0) %" : mode
    }

    /// What a table has no room for: why a shift stands still, and its first difference.
    static func remarks(_ shifts: [JSONValue]) -> String {
        shifts.map { shift in
            var text = ""
            let id = shift["id"]?.string ?? ""
            if let why = shift["why"]?.string { text += "\n\(id) is \(shift["phase"]?.string ?? ""): \(why)\n" }
            if let difference = shift["firstDifference"]?.string {
                text += "\n\(id): the first difference\n\(difference)\n"
            }
            if let problem = shift["unwritten"]?.string { text += "\n\(id) could not be written down: \(problem)\n" }
            return text
        }.joined()
    }

    static func history(_ entries: [JSONValue]) -> Listing {
        let columns: [TextTable.Column] = [.init("AT"), .init("WHAT"), .init("MODE"), .init("WORDS")]
        return Listing(
            columns: columns,
            rows: entries.map { entry in
                let time = entry["at"]?.string ?? ""
                let words = (entry["text"]?.string ?? "").split(separator: "\n").first.map(String.init) ?? ""
                return [
                    String(time.prefix(19)) + "Z", entry["kind"]?.string ?? "", entry["stage"]?.string ?? "", words,
                ]
            })
    }

    /// What calls took, by who ran them: before and after.
    static func report(_ report: JSONValue) -> Listing {
        let dimensions = (report["by"]?.array ?? []).compactMap(\.string).filter { $0 != "function" }
        let currency = report["prices", "currency"]?.string ?? ""
        let columns =
            dimensions.map { TextTable.Column($0 == "version" ? "BY" : $0.uppercased()) }
            + ["CALLS", "ERRORS", "P50", "P99", "CPU S", "PEAK", "COST \(currency)"].map {
                TextTable.Column($0, .right)
            }
        return Listing(
            columns: columns,
            rows: (report["rows"]?.array ?? []).map { row in
                dimensions.map { row[$0]?.string ?? "" } + [
                    "\(row["calls"]?.integer ?? 0)", "\(row["errors"]?.integer ?? 0)",
                    LedgerText.milliseconds(row["p50Microseconds"]),
                    LedgerText.milliseconds(row["p99Microseconds"]), row["cpuSeconds"]?.string ?? "",
                    DecimalSize.text(Int(row["peakMemoryBytes"]?.integer ?? 0)), row["cost"]?.string ?? "",
                ]
            })
    }
}
