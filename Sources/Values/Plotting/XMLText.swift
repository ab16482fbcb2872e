/// Text from anywhere, made fit to stand in XML and in HTML: as content and, in quotes, as an attribute.
///
/// Invariants:
/// 1. No text ends the element or the attribute that it stands in. Test: `no text leaves its element`.
/// 2. The result is well-formed XML 1.0 and shows in the order in which it is stored: characters that XML forbids
///    (https://www.w3.org/TR/xml/#charsets) and those that turn the direction of writing become U+FFFD.
///    Test: `characters that XML forbids or that turn the text around become visible`.
package enum XMLText {
    /// The text, escaped.
    package static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(isFit(scalar) ? scalar : "\u{FFFD}")
            }
        }
        return result
    }

    /// At most so many characters, of which the last says that there were more.
    package static func shortened(_ text: String, to limit: Int) -> String {
        precondition(limit > 1, "there is room for a character and the sign of more")
        guard text.index(text.startIndex, offsetBy: limit, limitedBy: text.endIndex) ?? text.endIndex != text.endIndex
        else { return text }
        return String(text.prefix(limit - 1)) + "…"
    }

    private static func isFit(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A: true
        case 0...0x1F, 0x7F...0x9F, 0xFFFE, 0xFFFF: false
        // The marks, embeddings, overrides and isolates of Unicode's annex 9.
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: false
        default: true
        }
    }
}
