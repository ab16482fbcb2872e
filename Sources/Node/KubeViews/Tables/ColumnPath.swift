import JSON

/// A path to what a column shows: the part of kubectl's JSONPath that printer columns use, such as `.spec.replicas`,
/// `.metadata.annotations.a\.b`, `.spec['a.b']`, `.status.conditions[?(@.type=="Ready")].status`, `.spec.list[0]`,
/// `.spec.list[-1]`, `.spec.list[*].name`.
///
/// Invariants (tests in ColumnPathTests):
/// 1. Any text gives a path or an error, none traps. (`no text traps the reader of paths`)
/// 2. However many values a path names, at most `limit` are taken. (`a path takes so many values and no more`)
struct ColumnPath: Hashable, Sendable {
    enum Step: Hashable, Sendable {
        case name(String)
        /// Counted from the end when it is negative.
        case index(Int)
        case all
        /// Elements in which the value at a path of names is this one.
        case filter([String], isEqual: Bool, JSONValue)
    }

    let steps: [Step]

    static let longest = 64
    static let limit = 100

    /// - Throws: `ColumnPathError`.
    init(_ text: String) throws(ColumnPathError) {
        var reader = ColumnPathReader(text)
        steps = try reader.steps()
    }

    /// The names that the path begins with, for a projection.
    var leadingNames: String {
        var names: [String] = []
        for step in steps {
            // A dot in a name ends what a projection can say.
            guard case .name(let name) = step, !name.contains(".") else { break }
            names.append(name)
        }
        return names.joined(separator: ".")
    }

    func values(in json: JSONValue) -> [JSONValue] {
        var values = [json]
        for step in steps {
            var next: [JSONValue] = []
            for value in values where next.count < Self.limit {
                next += Self.take(step, from: value).prefix(Self.limit - next.count)
            }
            values = next
        }
        return values
    }

    private static func take(_ step: Step, from value: JSONValue) -> [JSONValue] {
        switch step {
        case .name(let name): return value[name].map { [$0] } ?? []
        case .index(let index):
            guard let elements = value.array else { return [] }
            let at = index < 0 ? elements.count + index : index
            return elements.indices.contains(at) ? [elements[at]] : []
        case .all: return value.array ?? value.object?.members.map(\.value) ?? []
        case .filter(let path, let isEqual, let wanted):
            return (value.array ?? []).filter { element in
                guard let found = path.reduce(Optional(element), { $0?[$1] }) else { return false }
                return (found == wanted) == isEqual
            }
        }
    }
}

/// Why a text is no path of a column.
struct ColumnPathError: Error, Hashable, CustomStringConvertible {
    var description: String
}

private struct ColumnPathReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func steps() throws(ColumnPathError) -> [ColumnPath.Step] {
        var steps: [ColumnPath.Step] = []
        guard bytes.first == UInt8(ascii: ".") || bytes.first == UInt8(ascii: "[") else {
            throw ColumnPathError(description: "must start with \".\"")
        }
        while at < bytes.count {
            guard steps.count < ColumnPath.longest else {
                throw ColumnPathError(description: "must have at most \(ColumnPath.longest) steps")
            }
            if take(".") {
                if at < bytes.count, bytes[at] == UInt8(ascii: "[") { continue }
                let name = try plainName()
                if name.isEmpty, at == bytes.count, steps.isEmpty { break }
                guard !name.isEmpty else { throw error("a name") }
                steps.append(name == "*" ? .all : .name(name))
            } else if take("[") {
                steps.append(try bracketed())
                guard take("]") else { throw error("a \"]\"") }
            } else {
                throw error("a \".\" or \"[\"")
            }
        }
        return steps
    }

    /// A name up to a dot or bracket; a backslash takes the next character as it is.
    private mutating func plainName() throws(ColumnPathError) -> String {
        var name: [UInt8] = []
        while at < bytes.count, bytes[at] != UInt8(ascii: "."), bytes[at] != UInt8(ascii: "[") {
            if bytes[at] == UInt8(ascii: "\\") {
                at += 1
                guard at < bytes.count else { throw error("a character behind \"\\\"") }
            } else if " {}()]@?$\"'|,".utf8.contains(bytes[at]) {
                throw error("a name")
            }
            name.append(bytes[at])
            at += 1
        }
        return String(decoding: name, as: UTF8.self)
    }

    private mutating func bracketed() throws(ColumnPathError) -> ColumnPath.Step {
        if take("*") { return .all }
        if let name = try quoted() { return .name(name) }
        if take("?") { return try filter() }
        let start = at
        _ = take("-")
        while at < bytes.count, (0x30...0x39).contains(bytes[at]), at - start < 10 { at += 1 }
        guard let index = Int(String(decoding: bytes[start..<at], as: UTF8.self)) else {
            throw error("an index, a name in quotation marks, \"*\" or a filter")
        }
        return .index(index)
    }

    /// `(@.type=="Ready")`, behind the question mark.
    private mutating func filter() throws(ColumnPathError) -> ColumnPath.Step {
        guard take("("), take("@") else { throw error("\"(@\"") }
        var path: [String] = []
        while take(".") {
            let start = at
            while at < bytes.count, !" =!.<>)".utf8.contains(bytes[at]) { at += 1 }
            guard at > start, path.count < ColumnPath.longest else { throw error("a name") }
            path.append(String(decoding: bytes[start..<at], as: UTF8.self))
        }
        skipSpace()
        let isEqual = take("=")
        guard isEqual || take("!"), take("=") else { throw error("\"==\" or \"!=\"") }
        skipSpace()
        let value: JSONValue
        if let text = try quoted() {
            value = .string(text)
        } else {
            let start = at
            while at < bytes.count, bytes[at] != UInt8(ascii: ")"), bytes[at] != 0x20 { at += 1 }
            switch String(decoding: bytes[start..<at], as: UTF8.self) {
            case "true": value = true
            case "false": value = false
            case let word:
                guard let number = JSONValue(numberText: word) else { throw error("a value") }
                value = number
            }
        }
        skipSpace()
        guard take(")") else { throw error("a \")\"") }
        return .filter(path, isEqual: isEqual, value)
    }

    /// nil when no quotation mark stands here.
    private mutating func quoted() throws(ColumnPathError) -> String? {
        guard at < bytes.count, bytes[at] == UInt8(ascii: "'") || bytes[at] == UInt8(ascii: "\"") else { return nil }
        let mark = bytes[at]
        at += 1
        var text: [UInt8] = []
        while at < bytes.count, bytes[at] != mark {
            if bytes[at] == UInt8(ascii: "\\"), at + 1 < bytes.count { at += 1 }
            text.append(bytes[at])
            at += 1
        }
        guard at < bytes.count else { throw error("a quotation mark") }
        at += 1
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func skipSpace() { while at < bytes.count, bytes[at] == 0x20 { at += 1 } }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private func error(_ expected: String) -> ColumnPathError {
        ColumnPathError(description: "must have \(expected) at byte \(at)")
    }
}
