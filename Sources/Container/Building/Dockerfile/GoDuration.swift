/// Durations as Dockerfiles write them: `1m30s`, `500ms`, `1.5h` (the grammar of Go's time.ParseDuration).
enum GoDuration {
    private static let units: [(name: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ]

    /// Nanoseconds; nil if it is no duration, negative, or more than 292 years.
    static func nanoseconds(_ text: String) -> Int? {
        if text == "0" { return 0 }
        var rest = Array(text.utf8)[...]
        guard !rest.isEmpty else { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isDigit || $0 == UInt8(ascii: ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { !$0.isDigit && $0 != UInt8(ascii: ".") }
            rest = rest.dropFirst(unit.count)
            guard number.contains(where: \.isDigit), let value = Double(number.text),
                let scale = units.first(where: { $0.name == unit.text })
            else { return nil }
            total += value * scale.nanoseconds
        }
        return total < 9.2e18 ? Int(total.rounded()) : nil
    }
}
