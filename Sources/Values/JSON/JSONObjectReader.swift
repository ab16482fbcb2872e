/// Reads the fields of an object that came from outside, with errors that name the path.
///
///     var reader = try JSONObjectReader(body)
///     let name: String = try reader.required("name")
///     let memory: Int? = try reader.optional("memory")
///     let binds = try reader.array("binds") { bind throws(JSONShapeError) in Bind(from: try bind.required("from")) }
///     try reader.refuseUnknown()
///
/// null counts as missing, as in Go and Kubernetes.
///
/// What is generic is inlinable: a program that reads one document and ends would spend more on making the generic types
/// at run time than on reading.
package struct JSONObjectReader {
    /// Where the object stands in what was sent: "containers[0]"; empty for the whole.
    package let path: String
    @usableFromInline let object: JSONObject
    @usableFromInline var known: [String] = []

    /// - Throws: `JSONShapeError` when `value` is no object.
    package init(_ value: JSONValue, path: String = "") throws(JSONShapeError) {
        guard case .object(let object) = value else {
            throw JSONShapeError(path: path, problem: "expected an object, found \(value.kindName)")
        }
        self.object = object
        self.path = path
    }

    /// A field that must be there.
    @inlinable package mutating func required<Field: JSONConvertible>(
        _ key: String, as type: Field.Type = Field.self
    ) throws(JSONShapeError) -> Field {
        guard let field: Field = try optional(key) else {
            throw JSONShapeError(path: path(of: key), problem: "expected \(Field.expectation), found nothing")
        }
        return field
    }

    /// A field that may be missing.
    @inlinable package mutating func optional<Field: JSONConvertible>(
        _ key: String, as type: Field.Type = Field.self
    ) throws(JSONShapeError) -> Field? {
        guard let value = value(key) else { return nil }
        if let field = Field(json: value) { return field }
        throw mismatch(value, Field.expectation, path: path(of: key))
    }

    /// A list of simple elements that may be missing, which is the empty list. Errors name the element.
    @inlinable package mutating func list<Element: JSONConvertible>(
        _ key: String, of type: Element.Type = Element.self
    ) throws(JSONShapeError) -> [Element] {
        var result: [Element] = []
        for (index, value) in try elements(key).enumerated() {
            guard let element = Element(json: value) else {
                throw mismatch(value, Element.expectation, path: "\(path(of: key))[\(index)]")
            }
            result.append(element)
        }
        return result
    }

    /// A list of objects that may be missing, which is the empty list.
    @inlinable package mutating func array<Element>(
        _ key: String, _ read: (inout JSONObjectReader) throws(JSONShapeError) -> Element
    ) throws(JSONShapeError) -> [Element] {
        var result: [Element] = []
        for (index, value) in try elements(key).enumerated() {
            var reader = try JSONObjectReader(value, path: "\(path(of: key))[\(index)]")
            result.append(try read(&reader))
        }
        return result
    }

    /// An object within this one, which may be missing.
    @inlinable package mutating func object<Field>(
        _ key: String, _ read: (inout JSONObjectReader) throws(JSONShapeError) -> Field
    ) throws(JSONShapeError) -> Field? {
        guard let value = value(key) else { return nil }
        var reader = try JSONObjectReader(value, path: path(of: key))
        return try read(&reader)
    }

    /// An object whose names are data, which may be missing, which is the empty one. Errors name the member.
    @inlinable package mutating func dictionary<Value: JSONConvertible>(
        _ key: String, of type: Value.Type = Value.self
    ) throws(JSONShapeError) -> [String: Value] {
        guard let members: JSONObject = try optional(key) else { return [:] }
        var result: [String: Value] = [:]
        for member in members.members {
            guard let value = Value(json: member.value) else {
                throw mismatch(member.value, Value.expectation, path: "\(path(of: key)).\(member.key)")
            }
            result[member.key] = value
        }
        return result
    }

    /// Whether the field is there with a value: for those where nothing and an empty value differ.
    package func has(_ key: String) -> Bool { object[key].map { !$0.isNull } ?? false }

    /// Refuses the fields that none of the calls before asked for: a misspelt option must not be ignored.
    package func refuseUnknown() throws(JSONShapeError) {
        guard let stranger = object.members.first(where: { member in !known.contains(member.key) }) else { return }
        let names = known.isEmpty ? "none" : known.sorted().joined(separator: ", ")
        throw JSONShapeError(path: path(of: stranger.key), problem: "not a known field; known here: \(names)")
    }

    /// An error about a field that is of the right kind and still wrong.
    package func error(_ key: String, _ problem: String) -> JSONShapeError {
        JSONShapeError(path: path(of: key), problem: problem)
    }

    @usableFromInline mutating func value(_ key: String) -> JSONValue? {
        known.append(key)
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    @usableFromInline mutating func elements(_ key: String) throws(JSONShapeError) -> [JSONValue] {
        guard let value = value(key) else { return [] }
        guard case .array(let elements) = value else { throw mismatch(value, "an array", path: path(of: key)) }
        return elements
    }

    @usableFromInline func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// Says the number itself where a number was found: "found a number" helps nobody who wrote 70000 for a port.
    @usableFromInline func mismatch(_ value: JSONValue, _ expectation: String, path: String) -> JSONShapeError {
        let isNumber = value.double != nil && expectation.contains("number")
        return JSONShapeError(
            path: path, problem: "expected \(expectation), found \(isNumber ? value.description : value.kindName)")
    }
}

/// JSON that is well formed and not what was asked for.
///
/// Reads `containers[0].name: expected a string, found a number`.
package struct JSONShapeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where; empty for the whole value.
    package var path: String
    package var problem: String

    package init(path: String, problem: String) {
        self.path = path
        self.problem = problem
    }

    package var description: String { path.isEmpty ? problem : "\(path): \(problem)" }
}
