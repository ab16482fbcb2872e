/// Puts a word in the place of what may differ in a line.
struct ByteMask: Sendable {
    private struct Replacement: Sendable {
        var pattern: BytePattern
        var word: [UInt8]
        /// Whether what matched is really meant: regular expressions cannot say everything.
        var isMeant: @Sendable (ArraySlice<UInt8>) -> Bool = { _ in true }
    }

    private var replacements: [Replacement] = []

    var isEmpty: Bool { replacements.isEmpty }

    init(_ rules: [DifferenceRule]) {
        for rule in rules {
            switch rule.kind {
            case .times: replacements += Self.times.map { Replacement(pattern: $0, word: Array("<time>".utf8)) }
            case .identifiers:
                replacements += Self.identifiers.map { Replacement(pattern: $0, word: Array("<id>".utf8)) }
                replacements.append(
                    Replacement(pattern: Self.hexadecimal, word: Array("<id>".utf8), isMeant: Self.isHexadecimalName))
            case .pattern(let text):
                replacements.append(Replacement(pattern: Self.pattern(text), word: Array("<any>".utf8)))
            case .everything, .json, .unordered, .numbers: break
            }
        }
    }

    func apply(to line: [UInt8]) -> [UInt8] {
        var line = line
        for replacement in replacements {
            for range in replacement.pattern.matches(in: line).reversed() where replacement.isMeant(line[range]) {
                line.replaceSubrange(range, with: replacement.word)
            }
        }
        return line
    }

    /// Of a rule, which has been compiled once already to be one.
    private static func pattern(_ text: String) -> BytePattern {
        do { return try BytePattern(text) } catch { preconditionFailure("\(error)") }
    }

    private static let times = [
        // 2026-11-29T06:47:36.5+01:00 and its parts
        "[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?)?(Z| ?[+-][0-9]{2}:?[0-9]{2})?",
        // Sun Nov 29 06:47:36 UTC 2026; Sun, 29 Nov 2026
        "((Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? +)?((Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +[0-9]{1,2}"
            + "|[0-9]{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec))(,? +[0-9]{4})?\\b",
        "\\b[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( ?[AP]M)?( [A-Z]{3,4}( [0-9]{4})?)?\\b",
        // 12.5 ms
        "\\b[0-9]+([.][0-9]+)? ?(ns|us|µs|ms|s|sec|secs|seconds?|minutes?)\\b",
        // seconds or milliseconds since 1970, from 2001 to 2033
        "\\b1[0-9]{9}([0-9]{3})?([.][0-9]+)?\\b",
    ].map(pattern)

    private static let identifiers = [
        "[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
        "\\b0x[0-9a-fA-F]+\\b",
        "\\b(pid|PID|Pid)[ =:]*[0-9]+\\b",
        "\\[[0-9]{1,7}\\]",
        "/tmp/[^] \"',;:)]+",
    ].map(pattern)

    private static let hexadecimal = pattern("\\b[0-9a-fA-F]{12,}\\b")

    /// A long decimal number may be an amount: only one with digits and letters is taken for a name.
    private static func isHexadecimalName(_ text: ArraySlice<UInt8>) -> Bool {
        let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        return text.contains(where: isDigit) && !text.allSatisfy(isDigit)
    }
}
