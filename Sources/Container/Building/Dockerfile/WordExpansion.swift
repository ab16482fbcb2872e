/// Docker's rules for words: quotes, escapes and variables (`$NAME`, `${NAME}` and the operators
/// `-`, `:-`, `+`, `:+`, `?` and `:?`), as the Dockerfile reference describes them under "Environment replacement".
///
/// Invariants
/// 1. A result is at most `lengthLimit` bytes, whatever variables stand for each other.
///    (test: `variables that double each other are stopped`)
/// 2. Nesting is at most `depthLimit` deep. (test: `nesting without end is an error`)
package struct WordExpansion {
    /// Linux passes no longer string to a program (execve(2), MAX_ARG_STRLEN): a longer one could not be used.
    package static let lengthLimit = 131_072
    /// `${a:-${b:-...}}`: each level takes a few frames of the stack.
    package static let depthLimit = 64

    /// What takes the meaning from the next character: `\` or, by the escape directive, a backquote.
    private let escape: UInt8
    /// `$NAME` stays as it is.
    private let keepsVariables: Bool
    private let lookup: (String) -> String?

    package init(escape: UInt8, keepsVariables: Bool = false, lookup: @escaping (String) -> String?) {
        self.escape = escape
        self.keepsVariables = keepsVariables
        self.lookup = lookup
    }

    /// The text as one word, however many spaces its variables bring along.
    package func word(_ text: String) throws(WordError) -> String {
        var scanner = scanner(text)
        return try scanner.scan(until: nil).text
    }

    /// The words of the text: white space outside quotes separates, also what comes from a variable.
    package func words(_ text: String) throws(WordError) -> [String] {
        var scanner = scanner(text)
        scanner.words = Words()
        _ = try scanner.scan(until: nil)
        return scanner.words?.finished.map(\.text) ?? []
    }

    /// Only the variables of the text; quotes stay (heredocs of COPY and ADD).
    package func content(_ text: String) throws(WordError) -> String {
        var scanner = scanner(text)
        scanner.keepsQuotes = true
        return try scanner.scan(until: nil).text
    }

    private func scanner(_ text: String) -> Scanner {
        Scanner(bytes: Array(text.utf8), escape: escape, keepsVariables: keepsVariables, lookup: lookup)
    }

    private static let tooLong = WordError(
        "a value is longer than \(lengthLimit) bytes once its variables are replaced")

    /// Splits what passes by.
    private struct Words {
        private(set) var finished: [[UInt8]] = []
        private var isOpen = false

        mutating func add(_ bytes: [UInt8], quoted: Bool) {
            // Quotes around nothing are a word, too.
            if quoted { openWord() }
            for byte in bytes {
                if !quoted, byte.isDockerSpace {
                    isOpen = false
                } else {
                    openWord()
                    finished[finished.endIndex - 1].append(byte)
                }
            }
        }

        private mutating func openWord() {
            if !isOpen { finished.append([]) }
            isOpen = true
        }
    }

    private struct Scanner {
        let bytes: [UInt8]
        let escape: UInt8
        let keepsVariables: Bool
        let lookup: (String) -> String?
        var position = 0
        var depth = 0
        var keepsQuotes = false
        var words: Words?

        init(bytes: [UInt8], escape: UInt8, keepsVariables: Bool, lookup: @escaping (String) -> String?) {
            self.bytes = bytes
            self.escape = escape
            self.keepsVariables = keepsVariables
            self.lookup = lookup
        }

        /// Up to the end, or up to and without `stop`, which has to come.
        mutating func scan(until stop: UInt8?) throws(WordError) -> [UInt8] {
            var result: [UInt8] = []
            while position < bytes.count {
                let byte = bytes[position]
                if byte == stop {
                    position += 1
                    return result
                }
                let (piece, quoted) = try piece(byte)
                if depth == 0 { words?.add(piece, quoted: quoted) }
                result += piece
                guard result.count <= WordExpansion.lengthLimit else {
                    throw WordExpansion.tooLong
                }
            }
            if stop != nil { throw WordError("\"${\" without its \"}\"") }
            return result
        }

        private mutating func piece(_ byte: UInt8) throws(WordError) -> (bytes: [UInt8], quoted: Bool) {
            switch byte {
            case UInt8(ascii: "'") where !keepsQuotes: return (try singleQuoted(), true)
            case UInt8(ascii: "\"") where !keepsQuotes: return (try doubleQuoted(), true)
            case UInt8(ascii: "$"): return (try variable(), false)
            case escape: return (escaped(), true)
            default:
                position += 1
                return ([byte], false)
            }
        }

        /// An escape at the end stands for nothing, as in Docker.
        private mutating func escaped() -> [UInt8] {
            position += 1
            guard position < bytes.count else { return [] }
            let next = bytes[position]
            position += 1
            // In a heredoc only the dollar sign and the escape itself have a meaning to take away.
            if keepsQuotes, next != UInt8(ascii: "$"), next != escape { return [escape, next] }
            return [next]
        }

        private mutating func singleQuoted() throws(WordError) -> [UInt8] {
            position += 1
            guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "'")) else {
                throw WordError("a single quotation mark is never closed")
            }
            defer { position = end + 1 }
            return Array(bytes[position..<end])
        }

        private mutating func doubleQuoted() throws(WordError) -> [UInt8] {
            position += 1
            var result: [UInt8] = []
            while position < bytes.count {
                let byte = bytes[position]
                switch byte {
                case UInt8(ascii: "\""):
                    position += 1
                    return result
                case UInt8(ascii: "$"): result += try variable()
                case escape where position + 1 < bytes.count:
                    let next = bytes[position + 1]
                    let isSpecial = next == UInt8(ascii: "\"") || next == UInt8(ascii: "$") || next == escape
                    result += isSpecial ? [next] : [byte, next]
                    position += 2
                default:
                    result.append(byte)
                    position += 1
                }
                guard result.count <= WordExpansion.lengthLimit else {
                    throw WordExpansion.tooLong
                }
            }
            throw WordError("a double quotation mark is never closed")
        }

        private mutating func name() -> [UInt8] {
            let start = position
            guard position < bytes.count else { return [] }
            if bytes[position].beginsName {
                while position < bytes.count, bytes[position].beginsName || bytes[position].isDigit { position += 1 }
            } else {
                while position < bytes.count, bytes[position].isDigit { position += 1 }
            }
            return Array(bytes[start..<position])
        }

        private mutating func variable() throws(WordError) -> [UInt8] {
            position += 1
            if keepsVariables { return [UInt8(ascii: "$")] }
            guard position < bytes.count, bytes[position] == UInt8(ascii: "{") else {
                let name = name()
                // A dollar sign that begins no name stands for itself.
                if name.isEmpty { return [UInt8(ascii: "$")] }
                return lookup(name.text).map { Array($0.utf8) } ?? []
            }
            position += 1
            let name = name()
            guard !name.isEmpty else { throw WordError("\"${\" is not followed by a name") }
            return try modified(name.text, value: lookup(name.text).map { Array($0.utf8) })
        }

        /// After the name in `${NAME`.
        private mutating func modified(_ name: String, value: [UInt8]?) throws(WordError) -> [UInt8] {
            guard position < bytes.count else { throw WordError("\"${\(name)\" without its \"}\"") }
            var mark = bytes[position]
            position += 1
            if mark == UInt8(ascii: "}") { return value ?? [] }
            let colon = mark == UInt8(ascii: ":")
            if colon {
                guard position < bytes.count else { throw WordError("\"${\(name)\" without its \"}\"") }
                mark = bytes[position]
                position += 1
            }
            guard [UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "?")].contains(mark) else {
                let operation = (colon ? ":" : "") + [mark].text
                throw WordError("\"${\(name)\(operation)\" is not supported: only -, :-, +, :+, ? and :? are")
            }
            let other = try nested()
            let isSet = colon ? value?.isEmpty == false : value != nil
            switch mark {
            case UInt8(ascii: "-"): return isSet ? value ?? [] : other
            case UInt8(ascii: "+"): return isSet ? other : []
            default:
                if isSet { return value ?? [] }
                throw WordError("\(name) is not set\(other.isEmpty ? "" : ": " + other.text)")
            }
        }

        private mutating func nested() throws(WordError) -> [UInt8] {
            guard depth < WordExpansion.depthLimit else {
                throw WordError("variables within each other more than \(WordExpansion.depthLimit) deep")
            }
            depth += 1
            defer { depth -= 1 }
            return try scan(until: UInt8(ascii: "}"))
        }
    }
}
