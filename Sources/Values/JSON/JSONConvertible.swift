/// A Swift type that a JSON value can be read as, and that can be written as one.
package protocol JSONConvertible {
    /// What a value must be, in the words of an error message: "a string".
    static var expectation: String { get }
    /// nil when `json` is something else.
    init?(json: JSONValue)
    var json: JSONValue { get }
}

extension JSONValue: JSONConvertible {
    package static var expectation: String { "a value" }
    package init?(json: JSONValue) { self = json }
    package var json: JSONValue { self }
}

extension Bool: JSONConvertible {
    package static var expectation: String { "a boolean" }
    package init?(json: JSONValue) {
        guard case .bool(let value) = json else { return nil }
        self = value
    }
    package var json: JSONValue { .bool(self) }
}

extension String: JSONConvertible {
    package static var expectation: String { "a string" }
    package init?(json: JSONValue) {
        guard case .string(let value) = json else { return nil }
        self = value
    }
    package var json: JSONValue { .string(self) }
}

extension Double: JSONConvertible {
    package static var expectation: String { "a number" }
    package init?(json: JSONValue) {
        guard let value = json.double, value.isFinite else { return nil }
        self = value
    }
    package var json: JSONValue { .number(JSONNumber(self)) }
}

extension JSONConvertible where Self: FixedWidthInteger {
    package static var expectation: String { "a whole number from \(Self.min) to \(Self.max)" }
    package init?(json: JSONValue) {
        guard case .integer(let value) = json, let exact = Self(exactly: value) else { return nil }
        self = exact
    }
    package var json: JSONValue { .integer(Int64(self)) }
}

// UInt and UInt64 are left out: their upper half is no Int64.
extension Int: JSONConvertible {}
extension Int64: JSONConvertible {}
extension Int32: JSONConvertible {}
extension UInt32: JSONConvertible {}
extension UInt16: JSONConvertible {}
extension UInt8: JSONConvertible {}

extension JSONObject: JSONConvertible {
    package static var expectation: String { "an object" }
    package init?(json: JSONValue) {
        guard case .object(let object) = json else { return nil }
        self = object
    }
    package var json: JSONValue { .object(self) }
}

extension Array: JSONConvertible where Element: JSONConvertible {
    package static var expectation: String { "an array, each element \(Element.expectation)" }
    package init?(json: JSONValue) {
        guard case .array(let elements) = json else { return nil }
        self = []
        reserveCapacity(elements.count)
        for element in elements {
            guard let element = Element(json: element) else { return nil }
            append(element)
        }
    }
    package var json: JSONValue { .array(map(\.json)) }
}

/// Members whose names are data (labels, environment variables); written sorted by name, so that equal
/// dictionaries give equal text.
extension Dictionary: JSONConvertible where Key == String, Value: JSONConvertible {
    package static var expectation: String { "an object, each value \(Value.expectation)" }
    package init?(json: JSONValue) {
        guard case .object(let object) = json else { return nil }
        self = [:]
        for member in object.members {
            guard let value = Value(json: member.value) else { return nil }
            self[member.key] = value
        }
    }
    package var json: JSONValue {
        var object = JSONObject()
        for (key, value) in sorted(by: { $0.key < $1.key }) { object[key] = value.json }
        return .object(object)
    }
}
