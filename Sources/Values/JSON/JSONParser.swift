/// Reads JSON, strictly by RFC 8259: no comments, no trailing commas, no byte order mark, UTF-8 only.
///
/// Invariants (each with a test in JSONParserTests):
/// 1. Any bytes give a value or a `JSONError`; none trap, however deep or long.
/// 2. What is accepted is what the RFC's grammar accepts, less what is nested deeper than `depthLimit`, less
///    escapes that make half a surrogate pair (they stand for no character).
/// 3. Of members with the same name the last one counts, at the place of the first: RFC 8259 section 4 leaves it
///    open, and this is what Go, and with it Kubernetes, does.
package enum JSONParser {
    /// Arrays and objects within each other, at most. RFC 8259 section 9 allows a limit; without one a request of
    /// a few kilobytes of "[" would use up the stack.
    package static let depthLimit = 512

    /// The one value that the bytes hold, with nothing but white space around it.
    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        try bytes.withUnsafeBufferPointer { bytes throws(JSONError) in try parse(bytes) }
    }

    /// The same from text.
    package static func parse(_ text: String) throws(JSONError) -> JSONValue { try parse(Array(text.utf8)) }

    /// The same without a copy.
    package static func parse(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) -> JSONValue {
        var parser = Parser(scanner: JSONScanner(bytes))
        let value = try parser.value(depth: 0)
        parser.scanner.skipSpace()
        guard parser.scanner.isAtEnd else { throw parser.scanner.error(expected: "the end of the text") }
        return value
    }

    /// A value where the scanner stands.
    static func value(_ scanner: inout JSONScanner, depth: Int) throws(JSONError) -> JSONValue {
        var parser = Parser(scanner: scanner)
        defer { scanner = parser.scanner }
        return try parser.value(depth: depth)
    }

    private struct Parser {
        var scanner: JSONScanner

        mutating func value(depth: Int) throws(JSONError) -> JSONValue {
            scanner.skipSpace()
            switch scanner.peek {
            case UInt8(ascii: "{"): return try object(depth: depth + 1)
            case UInt8(ascii: "["): return try array(depth: depth + 1)
            case UInt8(ascii: "\""): return .string(try scanner.string())
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try scanner.number()
            case UInt8(ascii: "t"):
                try scanner.word("true")
                return .bool(true)
            case UInt8(ascii: "f"):
                try scanner.word("false")
                return .bool(false)
            case UInt8(ascii: "n"):
                try scanner.word("null")
                return .null
            default: throw scanner.error(expected: "a value")
            }
        }

        private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
            try open(depth)
            var elements: [JSONValue] = []
            if scanner.take(UInt8(ascii: "]")) { return .array(elements) }
            while true {
                elements.append(try value(depth: depth))
                scanner.skipSpace()
                if scanner.take(UInt8(ascii: ",")) { continue }
                if scanner.take(UInt8(ascii: "]")) { return .array(elements) }
                throw scanner.error(expected: "\",\" or \"]\"")
            }
        }

        private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
            try open(depth)
            var object = JSONObject()
            if scanner.take(UInt8(ascii: "}")) { return .object(object) }
            while true {
                scanner.skipSpace()
                guard scanner.peek == UInt8(ascii: "\"") else {
                    throw scanner.error(expected: object.isEmpty ? "a member's name or \"}\"" : "a member's name")
                }
                let key = try scanner.name()
                scanner.skipSpace()
                guard scanner.take(UInt8(ascii: ":")) else { throw scanner.error(expected: "\":\"") }
                object.set(key.text, mark: key.mark, to: try value(depth: depth))
                scanner.skipSpace()
                if scanner.take(UInt8(ascii: ",")) { continue }
                if scanner.take(UInt8(ascii: "}")) { return .object(object) }
                throw scanner.error(expected: "\",\" or \"}\"")
            }
        }

        private mutating func open(_ depth: Int) throws(JSONError) {
            guard depth <= JSONParser.depthLimit else {
                throw scanner.error(
                    expected: "at most \(JSONParser.depthLimit) levels of arrays and objects", found: "one more")
            }
            scanner.skip(1)
            scanner.skipSpace()
        }
    }
}
