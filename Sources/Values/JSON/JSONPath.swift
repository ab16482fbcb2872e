/// A path to one value inside a JSON text: `$.order.items[0]['account id']`.
///
/// A subset of RFC 9535 in which every path names at most one value: `$`, then `.name`, `['name']` or `["name"]`, and
/// `[index]`. What names several (`*`, `..`, slices, filters, lists) or counts from the end is refused.
///
/// Invariants (with their tests in JSONPathTests):
/// 1. Any text gives a path or an error, none traps. (`no text traps the parser of paths`)
/// 2. What a path describes as reads back as the same path. (`a path is written as it is read`)
package struct JSONPath: Hashable, Sendable {
    package enum Step: Hashable, Sendable {
        case name(String)
        case index(Int)
    }

    package var steps: [Step]

    /// As many steps as JSON that is read may be deep.
    package static let longest = JSONParser.depthLimit

    /// - Throws: `JSONPathError`, which says what is wrong where.
    package init(_ text: String) throws(JSONPathError) {
        var reader = JSONPathReader(text)
        steps = try reader.steps()
    }

    /// The value at the path; nil when there is none.
    package func value(in json: JSONValue) -> JSONValue? {
        var value = json
        for step in steps {
            switch step {
            case .name(let name):
                guard let found = value.object?[name] else { return nil }
                value = found
            case .index(let index):
                guard let array = value.array, index < array.count else { return nil }
                value = array[index]
            }
        }
        return value
    }
}

extension JSONPath: CustomStringConvertible {
    package var description: String {
        steps.reduce(into: "$") { text, step in
            switch step {
            case .index(let index): text += "[\(index)]"
            case .name(let name) where !name.isEmpty && name.utf8.allSatisfy(JSONPathReader.isNameByte):
                text += ".\(name)"
            case .name(let name):
                text += "['"
                for character in name.unicodeScalars {
                    if character == "'" || character == "\\" { text += "\\" }
                    text.unicodeScalars.append(character)
                }
                text += "']"
            }
        }
    }
}

/// Why a text is no path that names one value.
package struct JSONPathError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
}

struct JSONPathReader {
    private let text: String
    private let bytes: [UInt8]
    private var at = 0

    init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }

    /// What a name may hold without quotation marks: letters, digits, "_", "-", and all that is not ASCII.
    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), 0x80...:
            true
        default: false
        }
    }

    mutating func steps() throws(JSONPathError) -> [JSONPath.Step] {
        guard take("$") else { throw error("begin with \"$\"") }
        var steps: [JSONPath.Step] = []
        while at < bytes.count {
            guard steps.count < JSONPath.longest else { throw error("have at most \(JSONPath.longest) steps") }
            if take(".") {
                steps.append(.name(try plainName()))
            } else if take("[") {
                steps.append(try bracketed())
                guard take("]") else { throw error("have a \"]\" here") }
            } else {
                throw error("go on with \".\" or \"[\" here")
            }
        }
        return steps
    }

    private mutating func plainName() throws(JSONPathError) -> String {
        let start = at
        while at < bytes.count, Self.isNameByte(bytes[at]) { at += 1 }
        guard at > start else {
            throw error("have a name here (others than letters, digits, \"_\" and \"-\" go into ['...'])")
        }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private mutating func bracketed() throws(JSONPathError) -> JSONPath.Step {
        if take("'") { return .name(try quoted(until: UInt8(ascii: "'"))) }
        if take("\"") { return .name(try quoted(until: UInt8(ascii: "\""))) }
        let start = at
        while at < bytes.count, (0x30...0x39).contains(bytes[at]), at - start < 10 { at += 1 }
        guard at > start, bytes[start] != 0x30 || at == start + 1,
            let index = Int(String(decoding: bytes[start..<at], as: UTF8.self))
        else { throw error("have an index or a name in quotation marks here") }
        return .index(index)
    }

    private mutating func quoted(until mark: UInt8) throws(JSONPathError) -> String {
        var name: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == mark { return String(decoding: name, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") {
                guard at < bytes.count, [UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\"")].contains(bytes[at])
                else {
                    throw error("have a quotation mark or \"\\\" after \"\\\"")
                }
                name.append(bytes[at])
                at += 1
            } else {
                name.append(byte)
            }
        }
        throw error("close its quotation mark")
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private func error(_ what: String) -> JSONPathError {
        JSONPathError(description: "read the path \"\(text)\": at byte \(at) it has to \(what)")
    }
}
