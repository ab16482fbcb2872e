/// One place in which two runs of a call differ.
package struct Difference: Hashable, Sendable {
    package var part: ComparedPart
    /// Names the place in the same way for every call: "stdout line 3 word 2", "stdout $.trades[*].price".
    package var site: String
    /// What the original has there, for people: a line at most `textLimit` characters long.
    package var original: String
    package var target: String
    /// The column, from 0, at which both texts begin to differ.
    package var column: Int

    /// Longest text kept of either side.
    static let textLimit = 160

    package init(part: ComparedPart, site: String, original: String, target: String, column: Int) {
        self.part = part
        self.site = site
        self.original = original
        self.target = target
        self.column = column
    }

    /// Where, and below it both sides with a mark at the first character that differs.
    package var text: String {
        "\(site)\n  original  \(original)\n  target    \(target)\n"
            + String(repeating: " ", count: 12 + column) + "^\n"
    }

    /// Two texts, cut so that the first difference shows.
    static func between(_ one: [UInt8], _ other: [UInt8], of part: ComparedPart, at site: String) -> Difference {
        let (one, other) = (printable(one), printable(other))
        let common = zip(one, other).prefix { $0 == $1 }.count
        // What stands before gives the eye its bearings; what is behind gets the rest.
        let start = max(0, common - textLimit / 2)
        func cut(_ text: [Character]) -> String {
            var piece = String(text.dropFirst(start).prefix(textLimit))
            if start > 0 { piece = "…" + piece.dropFirst() }
            if text.count - start > textLimit { piece = piece.dropLast() + "…" }
            return piece
        }
        return Difference(part: part, site: site, original: cut(one), target: cut(other), column: common - start)
    }

    /// Control characters and bytes that are no UTF-8 as the terminal can show them.
    private static func printable(_ bytes: [UInt8]) -> [Character] {
        String(decoding: bytes, as: UTF8.self).flatMap { character -> [Character] in
            guard let scalar = character.unicodeScalars.first, scalar.value < 0x20 || scalar.value == 0x7F else {
                return [character]
            }
            switch scalar {
            case "\t": return ["\\", "t"]
            case "\r": return ["\\", "r"]
            default: return Array("\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16))
            }
        }
    }
}
