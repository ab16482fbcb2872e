import Comparison
import JSON

/// Records of the ledger for people, a line each.
enum LedgerText {
    static let columns: [TextTable.Column] = [
        .init("RECORD", .right), .init("RECORDED"), .init("FUNCTION"), .init("OUTCOME"), .init("START"), .init("DURATION", .right),
        .init("BILLED", .right), .init("PEAK", .right), .init("REQUEST"), .init("KEY"),
    ]

    /// The cells of a line of JSON, as the node serves it.
    static func cells(_ line: [UInt8]) throws -> [String] {
        let record = try JSONParser.parse(line)["record"] ?? .null
        let number = "\(record["sequence"]?.integer ?? 0)"
        let time = shortened(record["recordedAt"]?.string ?? "")
        let function = record["function"]?.string ?? ""
        let version = record["version"]?.string ?? ""
        switch record["kind"]?.string {
        case "call":
            let outcome = [record["outcome"]?.string, record["error"]?.string].compactMap { $0 }.joined(separator: " ")
            return [
                number, time, "\(function):\(version)", outcome, record["start"]?.string ?? "",
                milliseconds(record["durationMicroseconds"]), "\(record["billedMilliseconds"]?.integer ?? 0) ms",
                DecimalSize.text(Int(record["peakMemoryBytes"]?.integer ?? 0)), record["requestId"]?.string ?? "",
                record["key"]?.string ?? "",
            ]
        case "provisioned":
            let instances = record["instances"]?.integer ?? 0
            return [number, time, "\(function):\(version)", "\(instances) instances kept ready", "", "", "", "", "", ""]
        case "lost":
            return [number, time, "", "\(record["calls"]?.integer ?? 0) calls lost", "", "", "", "", "", ""]
        default: return [number, time, "", record["kind"]?.string ?? "", "", "", "", "", "", ""]
        }
    }

    /// A line on its own, for records that come one by one: columns as wide as usual contents.
    static func line(_ cells: [String]) -> String {
        let widths = [8, 24, 24, 16, 11, 11, 9, 8, 36, 0]
        let padded = zip(zip(cells, columns), widths).map { pair, width in
            let cell = DisplayWidth.printable(pair.0)
            let gap = String(repeating: " ", count: max(0, width - DisplayWidth.of(cell)))
            return pair.1.alignment == .right ? gap + cell : cell + gap
        }.joined(separator: "  ")
        return String(padded.reversed().drop { $0 == " " }.reversed()) + "\n"
    }

    /// To the millisecond: "2026-11-23T06:47:29.123Z".
    private static func shortened(_ time: String) -> String { time.count == 30 ? time.prefix(23) + "Z" : time }

    /// "1.23 ms"
    static func milliseconds(_ microseconds: JSONValue?) -> String {
        guard let microseconds = microseconds?.integer else { return "" }
        let hundredths = (microseconds + 5) / 10
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) ms"
    }
}
