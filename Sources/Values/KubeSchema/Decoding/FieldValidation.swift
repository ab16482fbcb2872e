package import JSON

/// What is done with fields that the schema does not know (`fieldValidation` in requests).
package enum FieldValidation: String, Hashable, Sendable {
    /// They are dropped in silence.
    case ignore = "Ignore"
    /// They are dropped, and the answer has a warning for each.
    case warn = "Warn"
    /// The request fails.
    case strict = "Strict"
}

/// Why a body is no object of its kind. The server answers 400 with this sentence.
package struct DecodingFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    init(_ description: String) { self.description = description }

    /// As a server says it of an object whose kind is known.
    init(_ problem: String, of kind: GroupVersionKind) {
        description = "\(kind.kind) in version \"\(kind.version)\" cannot be handled as a \(kind.kind): \(problem)"
    }
}

/// An object as the server keeps it.
package struct DecodedObject: Hashable, Sendable {
    /// Without fields that the schema does not know, without nulls, with quantities and times in their canonical form.
    package var json: JSONValue
    /// What `fieldValidation=Warn` puts into the answer's Warning headers.
    package var warnings: [String]
}
