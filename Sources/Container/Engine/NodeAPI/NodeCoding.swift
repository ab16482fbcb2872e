package import JSON
package import Linux

/// A value of the local API: it can be written as a JSON object and read back from one.
package protocol NodeValue: Hashable, Sendable {
    var json: JSONValue { get }
    init(reading reader: inout JSONObjectReader) throws(JSONShapeError)
}

extension NodeValue {
    /// Reads a value that we wrote, or that a newer Forkless did: fields that are not known are passed over.
    package init(lenient json: JSONValue) throws(JSONShapeError) {
        var reader = try JSONObjectReader(json)
        try self.init(reading: &reader)
    }

    /// Reads what somebody asks for: a field that is not known is an error.
    package init(strict json: JSONValue) throws(JSONShapeError) {
        var reader = try JSONObjectReader(json)
        try self.init(reading: &reader)
        try reader.refuseUnknown()
    }
}

/// Nothing: the item of operations that stream none, the answer of those that only succeed.
package struct NoValue: NodeValue {
    package init() {}
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {}
    package var json: JSONValue { .object([:]) }
}

extension JSONValue {
    /// An object of the members that have a value.
    static func members(_ members: (String, JSONValue?)...) -> JSONValue { .members(members) }

    static func members(_ members: [(String, JSONValue?)]) -> JSONValue {
        var object = JSONObject()
        for (key, value) in members { object[key] = value }
        return .object(object)
    }
}

extension JSONObjectReader {
    /// A truth value that is false when it is missing.
    mutating func flag(_ key: String) throws(JSONShapeError) -> Bool { try optional(key) ?? false }

    /// A value of the API within this object that must be there.
    mutating func nested<Value: NodeValue>(
        _ key: String, as type: Value.Type = Value.self
    ) throws(JSONShapeError) -> Value {
        guard let value: Value = try nestedIfThere(key) else {
            throw error(key, "expected an object, found nothing")
        }
        return value
    }

    /// A value of the API within this object that may be missing.
    mutating func nestedIfThere<Value: NodeValue>(
        _ key: String, as type: Value.Type = Value.self
    ) throws(JSONShapeError) -> Value? {
        try object(key) { reader throws(JSONShapeError) in
            let value = try Value(reading: &reader)
            try reader.refuseUnknown()
            return value
        }
    }

    /// Values of the API in a list that may be missing.
    mutating func nestedList<Value: NodeValue>(
        _ key: String, of type: Value.Type = Value.self
    ) throws(JSONShapeError) -> [Value] {
        try array(key) { reader throws(JSONShapeError) in
            let value = try Value(reading: &reader)
            try reader.refuseUnknown()
            return value
        }
    }

    /// One of the words of an enumeration, or what it is when the field is missing.
    mutating func word<Word: RawRepresentable & CaseIterable>(
        _ key: String, default fallback: Word? = nil
    ) throws(JSONShapeError) -> Word where Word.RawValue == String {
        if let word: Word = try wordIfThere(key) ?? fallback { return word }
        throw error(key, "expected one of \(Self.words(Word.self)), found nothing")
    }

    /// One of the words of an enumeration, which may be missing.
    mutating func wordIfThere<Word: RawRepresentable & CaseIterable>(
        _ key: String
    ) throws(JSONShapeError) -> Word? where Word.RawValue == String {
        guard let text: String = try optional(key) else { return nil }
        guard let word = Word(rawValue: text) else {
            throw error(key, "\"\(text)\" is none of \(Self.words(Word.self))")
        }
        return word
    }

    /// Texts that may be missing, which is not the same as none.
    mutating func listIfThere(_ key: String) throws(JSONShapeError) -> [String]? {
        let texts: [String] = try list(key)
        return has(key) ? texts : nil
    }

    /// A value with a notation of its own, which may be missing.
    mutating func parsed<Value>(
        _ key: String, _ expectation: String, _ parse: (String) -> Value?
    ) throws(JSONShapeError) -> Value? {
        guard let text: String = try optional(key) else { return nil }
        guard let value = parse(text) else { throw error(key, "\"\(text)\" is not \(expectation)") }
        return value
    }

    /// Values with a notation of their own.
    mutating func parsedList<Value>(
        _ key: String, _ expectation: String, _ parse: (String) -> Value?
    ) throws(JSONShapeError) -> [Value] {
        let texts: [String] = try list(key)
        var values: [Value] = []
        for text in texts {
            guard let value = parse(text) else { throw error(key, "\"\(text)\" is not \(expectation)") }
            values.append(value)
        }
        return values
    }

    private static func words<Word: RawRepresentable & CaseIterable>(_ type: Word.Type) -> String
    where Word.RawValue == String {
        Word.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    }
}

/// RFC 3339, as people read it.
extension Timestamp: JSONConvertible {
    package static var expectation: String { "a time as RFC 3339 writes it" }
    package init?(json: JSONValue) {
        guard case .string(let text) = json else { return nil }
        self.init(text)
    }
    package var json: JSONValue { .string(description) }
}

extension Terminal.Size: NodeValue {
    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(rows: try reader.required("rows"), columns: try reader.required("columns"))
    }

    package var json: JSONValue { ["rows": rows.json, "columns": columns.json] }
}
