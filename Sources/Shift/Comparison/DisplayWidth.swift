/// How many terminal cells a text takes.
///
/// Enough for what tables show: Latin, Greek, the symbols of FloatingText, wide East Asian letters and emoji.
/// After Unicode's East Asian Width (UAX #11) in the ranges that matter.
package enum DisplayWidth {
    package static func of(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + of($1) }
    }

    /// The cells of one scalar: 0, 1 or 2.
    package static func of(_ scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x300 { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: return wide.contains { $0.contains(scalar.value) } ? 2 : 1
        }
    }

    /// The text with control characters replaced, those of the direction of writing too: what a program wrote must not move a
    /// user's cursor, nor turn around what stands beside it.
    package static func printable(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = scalar.properties.generalCategory == .control || scalar.properties.isBidiControl
            result.append(isControl ? "\u{FFFD}" : scalar)
        }
        return String(result)
    }

    /// The words of a text in lines of at most `width` cells. A word that is longer is broken.
    package static func wrap(_ text: String, to width: Int) -> [String] {
        precondition(width >= 2, "a wide letter needs two cells")
        var lines: [String] = []
        var line = ""
        var used = 0
        for word in text.split(separator: " ").flatMap({ pieces(of: $0, width: width) }) {
            let cells = of(word)
            if used > 0, used + 1 + cells > width {
                lines.append(line)
                (line, used) = ("", 0)
            }
            line += used > 0 ? " " + word : word
            used += (used > 0 ? 1 : 0) + cells
        }
        return line.isEmpty && !lines.isEmpty ? lines : lines + [line]
    }

    /// The cells of the longest word, below which wrapping breaks words.
    package static func longestWord(_ text: String) -> Int {
        text.split(separator: " ").map { of(String($0)) }.max() ?? 0
    }

    private static func pieces(of word: Substring, width: Int) -> [String] {
        if of(String(word)) <= width { return [String(word)] }
        var pieces = [""]
        var used = 0
        for character in word {
            let cells = of(String(character))
            if used + cells > width {
                pieces.append("")
                used = 0
            }
            pieces[pieces.count - 1].append(character)
            used += cells
        }
        return pieces
    }

    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF,
        0x20000...0x3FFFD,
    ]
}
