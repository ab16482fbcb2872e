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

/// `--since`: a time, or how long ago: Go's "1h30m".
enum SinceFlag {
    static func parse(_ text: String, now: Timestamp) throws(FlagError) -> Timestamp {
        if let time = Timestamp(text) { return time }
        guard let ago = nanoseconds(text) else {
            throw FlagError(
                "--since", text, "neither a time nor a span of time", advice: "Write 2026-11-23T06:00:00Z, or 10m, 1h30m.")
        }
        return Timestamp(nanoseconds: now.nanoseconds - ago)
    }

    private static func nanoseconds(_ text: String) -> Int? {
        let units = ["ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000]
        var total = 0
        var rest = text[...]
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest[digits.endIndex...]
            let unit = rest.prefix { $0.isLetter }
            rest = rest[unit.endIndex...]
            // A million hours is a century: no sum of a few of them overflows.
            guard let number = Int(digits), number <= 1_000_000, let size = units[String(unit)] else { return nil }
            total += number * size
            guard total <= 1 << 62 else { return nil }
        }
        return total
    }
}
