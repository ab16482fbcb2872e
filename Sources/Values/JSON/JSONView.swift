/// A typed lens over a JSON value: named fields read and write the value in place, and every field that the
/// type does not know stays as it was.
///
///     struct Container: JSONView {
///         var json: JSONValue
///         init(json: JSONValue) { self.json = json }
///
///         var name: String? { get { self["name"] } set { self["name"] = newValue } }
///         var resources: Resources { get { self[view: "resources"] } set { self[view: "resources"] = newValue } }
///     }
///
/// Invariant (test in JSONViewTests): reading a view changes nothing, and writing a field changes that field only.
package protocol JSONView: JSONConvertible, Hashable, Sendable {
    var json: JSONValue { get set }
    init(json: JSONValue)
}

extension JSONView {
    package static var expectation: String { "an object" }

    /// A view of an empty object.
    package init() { self.init(json: .object([:])) }

    /// A field; nil when it is missing, null, or of another kind. Writing nil removes it.
    package subscript<Field: JSONConvertible>(key: String) -> Field? {
        get { json[key].flatMap { Field(json: $0) } }
        set { json[key] = newValue?.json }
    }

    /// A field with a default for when it is missing, null, or of another kind.
    package subscript<Field: JSONConvertible>(key: String, default fallback: @autoclosure () -> Field) -> Field {
        get { self[key] ?? fallback() }
        set { json[key] = newValue.json }
    }

    /// A field that is a view itself, empty when it is missing.
    ///
    /// Writing back an empty view does not create the field: reading through `_modify` leaves no trace.
    package subscript<View: JSONView>(view key: String) -> View {
        get { View(json: json[key] ?? .object([:])) }
        set {
            guard newValue.json != .object([:]) || json[key] != nil else { return }
            json[key] = newValue.json
        }
    }
}
