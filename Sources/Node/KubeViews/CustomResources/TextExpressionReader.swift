/// Reads the text of a regular expression.
struct TextExpressionReader {
    private let pattern: String
    private let text: [Unicode.Scalar]
    private var at = 0
    private var ignoresCase = false
    private var dotTakesLineEnds = false
    private var depth = 0

    /// As many characters as an expression may have, and groups within each other.
    private static let limit = 4096
    private static let depthLimit = 100
    /// As often as something may be repeated by number.
    private static let repeatLimit = 1000

    init(_ pattern: String) {
        self.pattern = pattern
        text = Array(pattern.unicodeScalars)
    }

    mutating func whole() throws(TextExpressionError) -> TextNode {
        guard text.count <= Self.limit else { throw error("expression too large") }
        let node = try alternatives()
        guard at == text.count else { throw error("unexpected )") }
        return node
    }

    private func error(_ problem: String) -> TextExpressionError {
        TextExpressionError(description: "error parsing regexp: \(problem): `\(pattern.prefix(100))`")
    }

    private var next: Unicode.Scalar? { at < text.count ? text[at] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        at += 1
        return true
    }

    private mutating func take(_ word: String) -> Bool {
        let scalars = Array(word.unicodeScalars)
        guard text[at...].starts(with: scalars) else { return false }
        at += scalars.count
        return true
    }

    // MARK: Structure

    private mutating func alternatives() throws(TextExpressionError) -> TextNode {
        var nodes = [try sequence()]
        while take("|" as Unicode.Scalar) { nodes.append(try sequence()) }
        return nodes.count == 1 ? nodes[0] : .alternatives(nodes)
    }

    private mutating func sequence() throws(TextExpressionError) -> TextNode {
        var nodes: [TextNode] = []
        while let next, next != "|", next != ")" {
            guard let atom = try atom() else { continue }
            nodes.append(try repeated(atom))
        }
        return .sequence(nodes)
    }

    /// nil for a group that only sets flags.
    private mutating func atom() throws(TextExpressionError) -> TextNode? {
        let scalar = text[at]
        at += 1
        switch scalar {
        case "(": return try group()
        case "[": return .scalar(try characterClass())
        case ".": return .scalar(dotTakesLineEnds ? Ranges(isNegated: true) : .any)
        case "^": return .condition(.textStart)
        case "$": return .condition(.textEnd)
        case "\\": return try escape()
        case "*", "+", "?": throw error("missing argument to repetition operator")
        default: return .scalar(cased(.one(scalar)))
        }
    }

    private func cased(_ ranges: Ranges) -> Ranges { ignoresCase ? ranges.ignoringCase : ranges }

    private mutating func group() throws(TextExpressionError) -> TextNode? {
        let before = (ignoresCase, dotTakesLineEnds)
        if take("?" as Unicode.Scalar) {
            if take("P<") || take("<") {
                while let next, next != ">" {
                    guard Ranges.word.contains(next) else { throw error("invalid named capture") }
                    at += 1
                }
                guard take(">" as Unicode.Scalar) else { throw error("invalid named capture") }
            } else {
                // Flags up to a ")" hold for the rest of the group around, up to a ":" for this one.
                if try flags() { return nil }
            }
        }
        depth += 1
        guard depth <= Self.depthLimit else { throw error("expression nests too deeply") }
        let node = try alternatives()
        depth -= 1
        guard take(")" as Unicode.Scalar) else { throw error("missing closing )") }
        (ignoresCase, dotTakesLineEnds) = before
        return node
    }

    /// - Returns: whether the group has ended with them.
    private mutating func flags() throws(TextExpressionError) -> Bool {
        var value = true
        while let next {
            at += 1
            switch next {
            case "i": ignoresCase = value
            case "s": dotTakesLineEnds = value
            case "-" where value: value = false
            case ":": return false
            case ")": return true
            default: throw error("invalid or unsupported Perl syntax")
            }
        }
        throw error("missing closing )")
    }

    private mutating func repeated(_ atom: TextNode) throws(TextExpressionError) -> TextNode {
        var node = atom
        if take("*" as Unicode.Scalar) {
            node = .repeated(atom, least: 0, most: nil)
        } else if take("+" as Unicode.Scalar) {
            node = .repeated(atom, least: 1, most: nil)
        } else if take("?" as Unicode.Scalar) {
            node = .repeated(atom, least: 0, most: 1)
        } else if let (least, most) = try counts() {
            node = .repeated(atom, least: least, most: most)
        } else {
            return atom
        }
        // Lazy or not: there is a match or there is none.
        _ = take("?" as Unicode.Scalar)
        if let next, "*+?".unicodeScalars.contains(next) { throw error("invalid nested repetition operator") }
        return node
    }

    /// `{n}`, `{n,}`, `{n,m}`; nil for a brace that is only itself.
    private mutating func counts() throws(TextExpressionError) -> (Int, Int?)? {
        let start = at
        guard take("{" as Unicode.Scalar) else { return nil }
        let least = number()
        var most = least
        if take("," as Unicode.Scalar) { most = number() }
        guard let least, take("}" as Unicode.Scalar) else {
            at = start
            return nil
        }
        guard least <= Self.repeatLimit, (most ?? 0) <= Self.repeatLimit, most.map({ $0 >= least }) ?? true else {
            throw error("invalid repeat count")
        }
        return (least, most)
    }

    private mutating func number() -> Int? {
        let start = at
        while let next, ("0"..."9").contains(next), at - start < 6 { at += 1 }
        return Int(String(String.UnicodeScalarView(text[start..<at])))
    }

    // MARK: Characters

    private mutating func escape() throws(TextExpressionError) -> TextNode {
        guard let scalar = next else { throw error("trailing backslash at end of expression") }
        switch scalar {
        case "A", "z", "b", "B":
            at += 1
            let conditions: [Unicode.Scalar: TextExpression.Condition] = [
                "A": .textStart, "z": .textEnd, "b": .wordBoundary, "B": .noWordBoundary,
            ]
            return .condition(conditions[scalar]!)
        case "Q":
            at += 1
            var nodes: [TextNode] = []
            while at < text.count, !take("\\E") {
                nodes.append(.scalar(cased(.one(text[at]))))
                at += 1
            }
            return .sequence(nodes)
        default:
            if let ranges = perlClass() { return .scalar(ranges) }
            return .scalar(cased(.one(try escapedScalar())))
        }
    }

    /// `\d`, `\w`, `\s` and their opposites, behind the backslash.
    private mutating func perlClass() -> Ranges? {
        let classes: [Unicode.Scalar: Ranges] = [
            "d": .digit, "D": Ranges.digit.inverted, "w": .word, "W": Ranges.word.inverted, "s": .space,
            "S": Ranges.space.inverted,
        ]
        guard let next, let ranges = classes[next] else { return nil }
        at += 1
        return ranges
    }

    /// A character behind a backslash.
    private mutating func escapedScalar() throws(TextExpressionError) -> Unicode.Scalar {
        guard let scalar = next else { throw error("trailing backslash at end of expression") }
        at += 1
        switch scalar {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "f": return "\u{C}"
        case "v": return "\u{B}"
        case "a": return "\u{7}"
        case "x": return try hexadecimal()
        default:
            // Letters and digits that mean nothing are kept for later by RE2.
            guard scalar.isASCII, !Ranges.word.contains(scalar) || scalar == "_" else {
                throw error("invalid escape sequence")
            }
            return scalar
        }
    }

    private mutating func hexadecimal() throws(TextExpressionError) -> Unicode.Scalar {
        var digits = ""
        if take("{" as Unicode.Scalar) {
            while let next, next != "}", digits.utf8.count < 6 {
                digits.unicodeScalars.append(next)
                at += 1
            }
            guard take("}" as Unicode.Scalar) else { throw error("invalid escape sequence") }
        } else {
            while let next, digits.utf8.count < 2 {
                digits.unicodeScalars.append(next)
                at += 1
            }
        }
        guard let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value) else {
            throw error("invalid escape sequence")
        }
        return scalar
    }

    /// Behind "[".
    private mutating func characterClass() throws(TextExpressionError) -> Ranges {
        var ranges = Ranges()
        let isNegated = take("^" as Unicode.Scalar)
        var isFirst = true
        while let scalar = next, scalar != "]" || isFirst {
            isFirst = false
            if take("[:") {
                ranges.list += try posixClass().positive
                continue
            }
            let low = try classScalar(&ranges)
            guard let low else { continue }
            guard next == "-", at + 1 < text.count, text[at + 1] != "]" else {
                ranges.list.append(low.value...low.value)
                continue
            }
            at += 1
            var other = Ranges()
            guard let high = try classScalar(&other), high >= low else { throw error("invalid character class range") }
            ranges.list.append(low.value...high.value)
        }
        guard take("]" as Unicode.Scalar) else { throw error("missing closing ]") }
        ranges = cased(ranges)
        ranges.isNegated = isNegated
        return ranges
    }

    /// A character of a class; nil when a named class stood there, which goes into `ranges`.
    private mutating func classScalar(_ ranges: inout Ranges) throws(TextExpressionError) -> Unicode.Scalar? {
        guard let scalar = next else { throw error("missing closing ]") }
        at += 1
        guard scalar == "\\" else { return scalar }
        if let named = perlClass() {
            ranges.list += named.positive
            return nil
        }
        return try escapedScalar()
    }

    private mutating func posixClass() throws(TextExpressionError) -> Ranges {
        let names: [(String, Ranges)] = [
            ("alnum", Ranges(list: [0x30...0x39, 0x41...0x5A, 0x61...0x7A])),
            ("alpha", Ranges(list: [0x41...0x5A, 0x61...0x7A])), ("digit", .digit),
            ("lower", Ranges(list: [0x61...0x7A])),
            ("upper", Ranges(list: [0x41...0x5A])), ("space", Ranges(list: [0x09...0x0D, 0x20...0x20])),
            ("word", .word),
            ("xdigit", Ranges(list: [0x30...0x39, 0x41...0x46, 0x61...0x66])), ("print", Ranges(list: [0x20...0x7E])),
            ("graph", Ranges(list: [0x21...0x7E])), ("blank", Ranges(list: [0x09...0x09, 0x20...0x20])),
            ("cntrl", Ranges(list: [0...0x1F, 0x7F...0x7F])), ("ascii", Ranges(list: [0...0x7F])),
            ("punct", Ranges(list: [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E])),
        ]
        let isNegated = take("^" as Unicode.Scalar)
        for (name, ranges) in names where take(name + ":]") { return isNegated ? ranges.inverted : ranges }
        throw error("invalid character class range")
    }
}
