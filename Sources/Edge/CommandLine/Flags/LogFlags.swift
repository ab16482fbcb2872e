import Linux

/// `--tail 10`, `--tail all`.
enum TailFlag {
    /// nil: all of them.
    static func parse(_ text: String) throws(FlagError) -> Int? {
        if text == "all" { return nil }
        guard text.allSatisfy({ $0.isASCII && $0.isNumber }), let lines = Int(text) else {
            throw FlagError("--tail", text, "not a number of lines", advice: "Write a number, or all.")
        }
        return lines
    }
}

/// `--since`, `--until`: a time, seconds since 1970, or how long ago: Go's "1h30m".
enum TimeFlag {
    static func parse(_ text: String, flag: String, now: Timestamp) throws(FlagError) -> Timestamp {
        if let time = Timestamp(text) ?? unix(text) { return time }
        guard let ago = DurationAmount.nanoseconds(text) else {
            throw FlagError(
                flag, text, "neither a time nor a span of time", advice: "Write 2026-11-23T06:00:00Z, or 10m, 1h30m.")
        }
        return Timestamp(nanoseconds: now.nanoseconds - ago)
    }

    /// "1700000000", with a fraction if need be.
    private static func unix(_ text: String) -> Timestamp? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isNumber } }),
            let seconds = Int(parts[0]), seconds < 1 << 33
        else { return nil }
        let digits = parts.count == 2 ? String(parts[1].prefix(9)) : ""
        let padded = digits + String(repeating: "0", count: 9 - digits.count)
        return Timestamp(nanoseconds: seconds * 1_000_000_000 + (Int(padded) ?? 0))
    }
}

/// A span of time as Go writes it: "500ms", "1m30s", "2h".
enum DurationAmount {
    /// nil for what is no such span, and beyond a century.
    static func nanoseconds(_ text: String) -> Int? {
        let units = ["ns": 1, "us": 1000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000]
        var total = 0
        var rest = text[...]
        guard !rest.isEmpty else { return nil }
        if text == "0" { return 0 }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest[digits.endIndex...]
            var fraction: Substring = ""
            if rest.first == "." {
                rest.removeFirst()
                fraction = rest.prefix { $0.isASCII && $0.isNumber }
                rest = rest[fraction.endIndex...]
            }
            let unit = rest.prefix { $0.isLetter }
            rest = rest[unit.endIndex...]
            // A million hours is a century: no sum of a few of them overflows.
            guard !(digits.isEmpty && fraction.isEmpty), let number = digits.isEmpty ? 0 : Int(digits),
                number <= 1_000_000 || unit.hasSuffix("s"), let size = units[String(unit)]
            else { return nil }
            let (whole, overflow) = number.multipliedReportingOverflow(by: size)
            guard !overflow, whole <= 1 << 62 else { return nil }
            total += whole + Int((Double("0.\(fraction)0") ?? 0) * Double(size))
            guard total <= 1 << 62 else { return nil }
        }
        return total
    }

    static func parse(_ text: String, flag: String) throws(FlagError) -> Int {
        guard let span = nanoseconds(text) else {
            throw FlagError(flag, text, "not a span of time", advice: "Write a number and a unit: 500ms, 10s, 1m30s.")
        }
        return span
    }
}
