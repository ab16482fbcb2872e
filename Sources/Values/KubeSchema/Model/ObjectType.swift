package import JSON

/// One field of an object type.
package struct Field: Hashable, Sendable {
    package let name: String
    /// The field's number in the protobuf message; nil where the message has none.
    package let number: Int?
    package let type: FieldType
    /// Whether OpenAPI lists it as required. What the server refuses for want of a field is `Validation`'s.
    package let isRequired: Bool
    /// Whether zero (an empty string, an empty object) is told from a missing value: a pointer in Go.
    package let tellsZero: Bool
    /// What stands for a missing value, where that depends on nothing else.
    package let fallback: JSONValue?
    /// The only values of a string; nil when there are others.
    package let allowed: [String]?
    /// nil when the field is no list. A list without a type of its own is atomic (KEP-555).
    package let listType: ListType?
    /// Whether server-side apply owns the field as a whole, also when it is an object or a map.
    package let isAtomic: Bool
    package let patch: PatchStrategy
    package let documentation: String

    package init(
        name: String, number: Int? = nil, type: FieldType, isRequired: Bool = false, tellsZero: Bool = false,
        fallback: JSONValue? = nil, allowed: [String]? = nil, listType: ListType? = nil, isAtomic: Bool = false,
        patch: PatchStrategy = PatchStrategy(), documentation: String = ""
    ) {
        self.name = name
        self.number = number
        self.type = type
        self.isRequired = isRequired
        self.tellsZero = tellsZero
        self.fallback = fallback
        self.allowed = allowed
        self.listType = listType
        self.isAtomic = isAtomic
        self.patch = patch
        self.documentation = documentation
    }
}

/// A type of objects, such as a Container: what Go has as a struct and protobuf as a message.
package struct ObjectType: Hashable, Sendable {
    /// A place in its `Schema`.
    package struct ID: Hashable, Sendable {
        let index: Int
    }

    /// What is done with what the type does not say.
    package enum Openness: Hashable, Sendable {
        /// Unknown fields are dropped or refused, and so are values of a wrong type.
        case closed
        /// Of a custom resource: what a value may be is checked later, by its schema, with other words. Until then it
        /// stays as it is.
        case structural(keepsUnknownFields: Bool)
    }

    /// A field of the protobuf message.
    package enum Part: Hashable, Sendable {
        case field(Field)
        /// A message whose fields stand in the JSON of this object (Go's embedded structs).
        case inlined(number: Int, type: ID)

        var number: Int? {
            switch self {
            case .field(let field): field.number
            case .inlined(let number, _): number
            }
        }
    }

    /// The package and the name: "core/v1.Container".
    package let name: String
    package let documentation: String
    package let isAtomic: Bool
    package let openness: Openness
    /// As the protobuf message has them.
    package let parts: [Part]
    /// As JSON has them: those of inlined objects stand in their place.
    package let fields: [Field]
    private let index: [String: Int]
    private let numbers: [Int: Int]

    /// A type that no protobuf message has.
    package init(
        name: String, documentation: String = "", isAtomic: Bool = false, openness: Openness, fields: [Field]
    ) {
        self.init(
            name: name, documentation: documentation, isAtomic: isAtomic, openness: openness,
            parts: fields.map { .field($0) }, fields: fields)
    }

    init(
        name: String, documentation: String, isAtomic: Bool, openness: Openness = .closed, parts: [Part],
        fields: [Field]
    ) {
        self.name = name
        self.documentation = documentation
        self.isAtomic = isAtomic
        self.openness = openness
        self.parts = parts
        self.fields = fields
        index = Dictionary(fields.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        numbers = Dictionary(
            parts.enumerated().compactMap { index, part in part.number.map { ($0, index) } },
            uniquingKeysWith: { first, _ in first })
    }

    var leavesTypesToChecks: Bool { openness != .closed }
    var keepsUnknownFields: Bool { openness == .structural(keepsUnknownFields: true) }

    /// The part of the message with that number.
    package func part(_ number: Int) -> Part? { numbers[number].map { parts[$0] } }

    /// The field of that JSON name. Names are told apart by case, as the server does.
    package func field(_ name: String) -> Field? { index[name].map { fields[$0] } }

    /// The name without the package, which is Go's.
    package var shortName: String { String(name[name.index(after: name.lastIndex(of: ".") ?? name.startIndex)...]) }
}
