/// How events are written: a line for each.
///
/// Invariants (tests in LogFormatTests)
/// 1. An event is one line, whatever its texts hold. (`hostile text makes no line and no terminal escape`)
/// 2. A line of the form `json` is one JSON object with `time`, `level`, `part` and `message`. (`a line of JSON is one object`)
/// 3. A line is bounded. (`a text of a megabyte makes a bounded line`)
package enum LogFormat: String, Hashable, Sendable, CaseIterable {
    /// `TIME LEVEL PART: MESSAGE NAME=VALUE ...`: for people, and for what reads logfmt.
    case text
    /// One JSON object on each line.
    case json

    /// Of one text, bytes; what is longer ends with "…".
    static let textLimit = 4096

    /// The line with its end.
    ///
    /// - Parameter time: RFC 3339.
    package func line(_ event: LogEvent, time: String) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(640 + event.message.utf8.count)
        switch self {
        case .text: Self.text(event, time, &line)
        case .json: Self.json(event, time, &line)
        }
        line.append(0x0A)
        return line
    }

    // MARK: Text

    private static func text(_ event: LogEvent, _ time: String, _ line: inout [UInt8]) {
        line += time.utf8
        line.append(0x20)
        line += event.level.rawValue.utf8
        line.append(0x20)
        escape(event.part, &line)
        line += ": ".utf8
        escape(event.message, &line)
        func add(_ name: String, _ text: String) {
            line.append(0x20)
            line += name.utf8
            line.append(UInt8(ascii: "="))
            let isWord = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
            if isWord, text.utf8.count <= textLimit {
                line += text.utf8
            } else {
                line.append(UInt8(ascii: "\""))
                escape(text, &line, quote: true)
                line.append(UInt8(ascii: "\""))
            }
        }
        withIDs(event) { add($0, $1) }
        for field in event.fields {
            switch field.value {
            case .text(let text): add(field.name, text)
            case .number(let number): add(field.name, String(number))
            case .flag(let flag): add(field.name, flag ? "true" : "false")
            }
        }
    }

    // MARK: JSON

    private static func json(_ event: LogEvent, _ time: String, _ line: inout [UInt8]) {
        func add(_ name: String, _ text: String) {
            line.append(line.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            line.append(UInt8(ascii: "\""))
            line += name.utf8
            line += "\":\"".utf8
            escape(text, &line, quote: true)
            line.append(UInt8(ascii: "\""))
        }
        func add(_ name: String, bare text: String) {
            line += ",\"".utf8
            line += name.utf8
            line += "\":".utf8
            line += text.utf8
        }
        add("time", time)
        add("level", event.level.rawValue)
        add("part", event.part)
        add("message", event.message)
        withIDs(event) { add($0, $1) }
        for field in event.fields {
            switch field.value {
            case .text(let text): add(field.name, text)
            case .number(let number): add(field.name, bare: String(number))
            case .flag(let flag): add(field.name, bare: flag ? "true" : "false")
            }
        }
        line.append(UInt8(ascii: "}"))
    }

    private static func withIDs(_ event: LogEvent, _ add: (String, String) -> Void) {
        if let id = event.requestID { add("request_id", id) }
        if let id = event.traceID { add("trace_id", id) }
        if let id = event.spanID { add("span_id", id) }
    }

    // MARK: Escapes

    /// Control characters of ASCII and of C1, and what changes lines or their direction, as \uXXXX; what is no such is left.
    private static func escape(_ text: String, _ line: inout [UInt8], quote: Bool = false) {
        // Nearly every text is plain: copied as it is.
        let isPlain = text.utf8.withContiguousStorageIfAvailable { bytes in
            guard bytes.count <= textLimit else { return false }
            for byte in bytes where byte < 0x20 || byte >= 0x7F || byte == 0x22 || byte == 0x5C { return false }
            line.append(contentsOf: bytes)
            return true
        }
        if isPlain == true { return }
        var count = 0
        for scalar in text.unicodeScalars {
            count += scalar.utf8.count
            if count > textLimit {
                line += "…".utf8
                return
            }
            switch scalar {
            case "\"" where quote, "\\": line += [UInt8(ascii: "\\"), UInt8(scalar.value)]
            case "\n": line += "\\n".utf8
            case "\t": line += "\\t".utf8
            case "\r": line += "\\r".utf8
            case _ where isUnsafe(scalar): hexadecimal(scalar.value, &line)
            default: line += scalar.utf8
            }
        }
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0: true
        // Line and paragraph ends, marks and overrides of direction, isolates, the mark of byte order.
        case 0x2028...0x202E, 0x200E...0x200F, 0x061C, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }

    private static func hexadecimal(_ value: UInt32, _ line: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        line += "\\u".utf8
        for shift in [12, 8, 4, 0] as [UInt32] { line.append(digits[Int(value >> shift & 15)]) }
    }
}
