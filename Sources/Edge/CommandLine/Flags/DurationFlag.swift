/// Spans of time on the command line: a whole number and a unit, ms, s, m, h or d; without a unit it is seconds.
enum DurationFlag {
    private static let units: [(name: String, milliseconds: Int)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// The span that `flag` gives; more than nothing.
    static func parse(_ text: String, flag: String) throws(FlagError) -> Duration {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = digits.endIndex == text.endIndex ? "s" : String(text[digits.endIndex...])
        guard let count = Int(digits), count > 0, let size = units.first(where: { $0.name == unit })?.milliseconds,
            count <= Int.max / 1_000_000 / size
        else {
            throw FlagError(
                flag, text, "not a span of time",
                advice: "Write a whole number above 0 and a unit: 500ms, 30s, 5m, 2h, 1d.")
        }
        return .milliseconds(count * size)
    }
}
