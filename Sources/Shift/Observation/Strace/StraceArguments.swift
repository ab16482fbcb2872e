/// The arguments of a call as strace writes them.
enum StraceArguments {
    /// Whether a place in the text is within a string, a comment, or brackets.
    struct Position {
        private var depth = 0
        private var isInString = false
        private var isEscaped = false
        /// "<" of -y, behind a descriptor: up to its ">" nothing counts. Paths are written with ">" escaped.
        private var isInPath = false
        private var before: UInt8 = 0

        var isOutside: Bool { depth == 0 && !isInString && !isInPath }

        mutating func pass(_ byte: UInt8) {
            defer { before = byte }
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                return
            }
            if isInPath {
                if byte == UInt8(ascii: ">"), before != UInt8(ascii: "-"), before != UInt8(ascii: "=") {
                    isInPath = false
                }
                return
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "<"):
                // Shifts and arrows have a space before them.
                let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(before)
                if isDigit || before == UInt8(ascii: "D") { isInPath = true }
            case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "("): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth = max(0, depth - 1)
            case UInt8(ascii: ")"): depth = max(0, depth - 1)
            default: break
            }
        }
    }

    /// The arguments one by one.
    static func split(_ text: String) -> [Substring] {
        var parts: [Substring] = []
        var position = Position()
        var start = text.utf8.startIndex
        var at = start
        while at < text.utf8.endIndex {
            let byte = text.utf8[at]
            if byte == UInt8(ascii: ","), position.isOutside {
                parts.append(trimmed(text[start..<at]))
                start = text.utf8.index(after: at)
            }
            position.pass(byte)
            at = text.utf8.index(after: at)
        }
        let last = trimmed(text[start...])
        if !last.isEmpty || !parts.isEmpty { parts.append(last) }
        return parts
    }

    static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }

    /// A string with its escapes undone; nil: it is none. `isCut`: strace wrote only its beginning ("abc"...).
    static func string(_ text: Substring) -> (text: String, isCut: Bool)? {
        guard text.utf8.first == UInt8(ascii: "\"") else { return nil }
        var bytes: [UInt8] = []
        var rest = text.utf8.dropFirst()
        while let byte = rest.first {
            rest = rest.dropFirst()
            if byte == UInt8(ascii: "\"") { return (RecordedText.text(bytes), rest.starts(with: "...".utf8)) }
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let escape = rest.first else { return nil }
            rest = rest.dropFirst()
            switch escape {
            case UInt8(ascii: "n"): bytes.append(10)
            case UInt8(ascii: "t"): bytes.append(9)
            case UInt8(ascii: "r"): bytes.append(13)
            case UInt8(ascii: "v"): bytes.append(11)
            case UInt8(ascii: "f"): bytes.append(12)
            case UInt8(ascii: "x"):
                let digits = rest.prefix(2)
                guard digits.count == 2, let value = UInt8(Substring(digits), radix: 16) else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                var value = Int(escape - 48)
                var count = 1
                while count < 3, let digit = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit) {
                    value = value * 8 + Int(digit - 48)
                    rest = rest.dropFirst()
                    count += 1
                }
                bytes.append(UInt8(truncatingIfNeeded: value))
            default: bytes.append(escape)
            }
        }
        return nil
    }

    /// The strings of an array: ["sh", "-c", ...]; nil: it is none, or was cut.
    static func array(_ text: Substring) -> [String]? {
        guard text.first == "[", text.last == "]" else { return nil }
        var result: [String] = []
        for part in split(String(text.dropFirst().dropLast())) {
            guard let (element, isCut) = string(part), !isCut else { return nil }
            result.append(element)
        }
        return result
    }

    /// A descriptor with what -y says of it: "3</etc/hosts>", "AT_FDCWD</tmp>".
    static func descriptor(_ text: Substring) -> (number: Int, path: String?)? {
        let isHere = text.hasPrefix("AT_FDCWD")
        let digits = isHere ? text.prefix(8) : text.prefix { $0.isASCII && ($0.isNumber || $0 == "-") }
        guard let number = isHere ? -100 : Int(digits) else { return nil }
        let rest = text[digits.endIndex...]
        guard rest.first == "<", rest.last == ">" else { return rest.isEmpty ? (number, nil) : nil }
        let inner = rest.dropFirst().dropLast()
        guard let (path, _) = string("\"" + inner + "\"") else { return (number, nil) }
        let deleted = "(deleted)"
        return (number, path.hasSuffix(deleted) ? String(path.dropLast(deleted.count)) : path)
    }

    /// The value at the beginning of a result, and the errno's name where it failed.
    static func result(_ text: String) -> (value: Int, path: String?)? {
        let word = text.prefix { $0 != " " && $0 != "<" }
        if word == "?" { return nil }
        if word == "-1" {
            let rest = trimmed(text[word.endIndex...])
            let name = rest.prefix { $0 != " " }
            return (-(ErrnoNames.numbers[String(name)] ?? 1), nil)
        }
        let value = word.hasPrefix("0x") ? UInt64(word.dropFirst(2), radix: 16).map { Int(clamping: $0) } : Int(word)
        guard let value else { return nil }
        let rest = text[word.endIndex...]
        guard rest.first == "<", let end = rest.lastIndex(of: ">") else { return (value, nil) }
        return (value, descriptor(word + rest[...end])?.path)
    }
}
