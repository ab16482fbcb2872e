// Reading and writing inside a value. Reading the wrong kind gives nil; errors that name the path are
// JSONObjectReader's.
extension JSONValue {
    /// Whether it is null.
    package var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The boolean, if it is one.
    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The integer, if it is one. 1.0 and 1e3 are none, as in Go and Kubernetes.
    package var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// The number, if it is one, to the nearest Double.
    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let number): number.double
        default: nil
        }
    }

    /// The text, if it is a string.
    package var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The elements, if it is an array. Writing nil into an array makes it null, into anything else changes nothing.
    package var array: [JSONValue]? {
        get { if case .array(let elements) = self { elements } else { nil } }
        _modify {
            var elements = array
            // Moved out while it changes, so that appending copies nothing.
            if elements != nil { self = .null }
            defer {
                if let elements { self = .array(elements) }
            }
            yield &elements
        }
    }

    /// The members, if it is an object. Writing nil works as for `array`.
    package var object: JSONObject? {
        get { if case .object(let members) = self { members } else { nil } }
        _modify {
            var members = object
            // Moved out while it changes, so that appending copies nothing.
            if members != nil { self = .null }
            defer {
                if let members { self = .object(members) }
            }
            yield &members
        }
    }

    /// A member of an object; nil when there is none, or this is no object.
    ///
    /// Writing makes an object of whatever was there before, so that `value["spec", "replicas"] = 3` works on an
    /// empty value; writing nil removes the member and otherwise changes nothing.
    package subscript(key: String) -> JSONValue? {
        get {
            if case .object(let object) = self { object[key] } else { nil }
        }
        _modify {
            var object = JSONObject()
            let before = takeObject(into: &object)
            defer {
                if before || !object.isEmpty { self = .object(object) }
            }
            yield &object[key]
        }
    }

    /// The value at a path of member names.
    package subscript(first: String, second: String, rest: String...) -> JSONValue? {
        get { rest.reduce(self[first]?[second]) { $0?[$1] } }
        set { set(newValue, at: [first, second] + rest) }
    }

    private mutating func set(_ value: JSONValue?, at path: ArraySlice<String>) {
        guard let first = path.first else { return }
        if path.count == 1 {
            self[first] = value
        } else if value != nil || self[first] != nil {
            self[first, default: .object([:])].set(value, at: path.dropFirst())
        }
    }

    private mutating func set(_ value: JSONValue?, at path: [String]) { set(value, at: path[...]) }

    /// A member of an object, or `fallback` where there is none.
    package subscript(key: String, default fallback: @autoclosure () -> JSONValue) -> JSONValue {
        get { self[key] ?? fallback() }
        _modify {
            var object = JSONObject()
            _ = takeObject(into: &object)
            defer { self = .object(object) }
            if !object.contains(key) { object[key] = fallback() }
            yield &object[key]!
        }
    }

    /// An element of an array; nil when there is none, or this is no array. For writing use `array`.
    package subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    /// Moves the members out, so that changing them copies nothing; false when this is no object.
    private mutating func takeObject(into object: inout JSONObject) -> Bool {
        guard case .object(let members) = self else { return false }
        object = members
        self = .null
        return true
    }
}
