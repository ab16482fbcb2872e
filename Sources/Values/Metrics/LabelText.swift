/// A label's value as it is written out: any text may have come, since names of workloads are chosen by others.
///
/// Invariants
/// 1. What is written has at most so many bytes, and shows where something was cut off; two long values that differ only
///    behind the cut stay apart. (test: `a long value is cut, marked, and stays itself`)
/// 2. No character that a terminal obeys, or that turns the direction of text, is written as itself.
///    (test: `what a terminal would obey is shown and not sent`)
package enum LabelText {
    /// Longest value, UTF-8 bytes.
    package static let limit = 256

    /// The value with what cannot be shown as `\xNN` or `\u{NNNN}`, and cut. Line feeds stay: every format escapes them.
    package static func shown(_ value: String) -> String {
        var text = value
        if !isPlain(value) { text = spelled(value) }
        guard text.utf8.count > limit else { return text }
        let mark = "…#" + hexadecimal(digest(value))
        var kept = ""
        var bytes = limit - mark.utf8.count
        for scalar in text.unicodeScalars {
            bytes -= UTF8.width(scalar)
            if bytes < 0 { break }
            kept.unicodeScalars.append(scalar)
        }
        return kept + mark
    }

    private static func isPlain(_ value: String) -> Bool {
        value.utf8.allSatisfy { ($0 >= 0x20 && $0 < 0x7F) || $0 == 0x0A }
    }

    private static func spelled(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar.value {
            case 0x0A: text.unicodeScalars.append(scalar)
            case 0..<0x20, 0x7F..<0xA0:
                let digits = String(scalar.value, radix: 16)
                text += "\\x" + (digits.count < 2 ? "0" : "") + digits
            // Marks and overrides of direction, separators of lines, and what is nothing to see.
            case 0x061C, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x2069, 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE007F:
                text += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// FNV-1a of 64 bits, http://www.isthe.com/chongo/tech/comp/fnv: the same in every run.
    private static func digest(_ value: String) -> UInt64 {
        value.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
