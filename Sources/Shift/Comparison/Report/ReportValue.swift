package import JSON

/// A part of a comparison's report: written as JSON and read again without loss.
///
/// Invariants:
/// 1. What `json` writes is read back equal. Test: `a whole report survives JSON both ways`.
/// 2. A report of a newer Forkless is read as far as it is known: members that nobody asks for are passed over.
///    Test: `a member that is not known is passed over`.
package protocol ReportValue: Hashable, Sendable {
    var json: JSONValue { get }
    /// - Parameter path: where it stands, for errors: "rungs[2].latency".
    init(report json: JSONValue, path: String) throws(JSONShapeError)
}

/// A report value that is an object with named members.
package protocol ReportObject: ReportValue {
    init(reading reader: inout JSONObjectReader) throws(JSONShapeError)
}

extension ReportObject {
    package init(report json: JSONValue, path: String) throws(JSONShapeError) {
        var reader = try JSONObjectReader(json, path: path)
        try self.init(reading: &reader)
    }
}

extension ReportValue where Self: JSONConvertible {
    package init(report json: JSONValue, path: String) throws(JSONShapeError) {
        guard let value = Self(json: json) else {
            throw JSONShapeError(path: path, problem: "expected \(Self.expectation), found \(json.kindName)")
        }
        self = value
    }
}

extension Int: ReportValue {}
extension String: ReportValue {}

/// Several values in their order.
package struct ReportList<Element: ReportValue>: ReportValue {
    package var elements: [Element]

    package init(_ elements: [Element]) { self.elements = elements }

    package var json: JSONValue { .array(elements.map(\.json)) }

    package init(report json: JSONValue, path: String) throws(JSONShapeError) {
        guard case .array(let values) = json else {
            throw JSONShapeError(path: path, problem: "expected an array, found \(json.kindName)")
        }
        elements = []
        for (index, value) in values.enumerated() {
            elements.append(try Element(report: value, path: "\(path)[\(index)]"))
        }
    }
}

extension JSONObjectReader {
    /// A member that must be there.
    mutating func value<Value: ReportValue>(_ key: String, _ type: Value.Type = Value.self) throws(JSONShapeError)
        -> Value
    {
        try Value(report: try required(key), path: path.isEmpty ? key : "\(path).\(key)")
    }

    /// A member that may be missing.
    mutating func valueIfPresent<Value: ReportValue>(
        _ key: String, _ type: Value.Type = Value.self
    ) throws(JSONShapeError) -> Value? {
        guard has(key) else { return nil }
        return try value(key)
    }

    /// A list that may be missing, which is the empty one.
    mutating func values<Value: ReportValue>(_ key: String, of type: Value.Type = Value.self) throws(JSONShapeError)
        -> [Value]
    {
        guard has(key) else { return [] }
        return try value(key, ReportList<Value>.self).elements
    }

    /// One of an enumeration's words.
    mutating func word<Word: RawRepresentable & CaseIterable>(
        _ key: String, _ type: Word.Type = Word.self
    ) throws(JSONShapeError) -> Word where Word.RawValue == String {
        let text: String = try required(key)
        guard let word = Word(rawValue: text) else {
            let words = Word.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw error(key, "expected one of \(words), found \"\(text)\"")
        }
        return word
    }
}

extension Array where Element: ReportValue {
    /// The list as JSON.
    var reportJSON: JSONValue { .array(map(\.json)) }
}
