internal import JSON

/// Records as comma-separated values, RFC 4180: one header line, lines ended by CR LF, quotation marks where they are needed.
enum LedgerCSV {
    /// The members of a record, of whatever kind, in the order of the canonical bytes.
    static let columns = [
        "sequence", "recordedAt", "kind", "requestId", "function", "version", "invokedArn", "source", "arrivedAt", "attempt",
        "key", "orderKey", "outcome", "error", "start", "instance", "codeSha256", "revision", "queueMicroseconds",
        "initMicroseconds", "durationMicroseconds", "billedMilliseconds", "cpuMicroseconds", "memoryMB", "ephemeralMB",
        "peakMemoryBytes", "payloadBytes", "payloadSha256", "answerBytes", "answerSha256", "payloadIsKept", "answerIsKept",
        "instances", "from", "to", "calls",
    ]

    static var header: String { CSV.line(columns + ["previous", "hash"]) }

    static func line(_ stored: StoredRecord) -> String {
        // It was read as a record from these bytes, so they are JSON.
        let record = try? JSONParser.parse(stored.canonicalBytes)
        let fields = columns.map { column -> String in
            switch record?[column] {
            case .string(let text)?: text
            case let value?: JSONWriter.text(value)
            case nil: ""
            }
        }
        return CSV.line(fields + [Hexadecimal.text(stored.previousHash), Hexadecimal.text(stored.hash)])
    }
}

enum CSV {
    static func line(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") + "\r\n" }

    private static func field(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }) else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
