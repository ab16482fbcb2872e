import JSON
import KubeSchema

/// A JSON schema of a CustomResourceDefinition, read once for all objects that are checked by it.
///
/// Invariant: any JSON gives a node or nil, none traps; what is no schema says nothing. What is wrong with it is for
/// `StructuralRules` to say. (test: `any schema is read, and checked against anything`)
final class SchemaNode: Sendable {
    let type: String
    let isNullable: Bool
    let isIntOrString: Bool
    let isEmbedded: Bool
    let keepsUnknownFields: Bool
    let fallback: JSONValue?
    let documentation: String

    let properties: [(name: String, node: SchemaNode)]
    /// The schema of members whose names are data.
    let additional: SchemaNode?
    /// Whether there may be such members, of anything.
    let allowsAdditional: Bool
    let items: SchemaNode?
    let required: [String]
    let listType: ListType?
    let isAtomicMap: Bool

    let format: String
    let pattern: String
    let expression: TextExpression?
    let minimum: (value: Double, isExclusive: Bool)?
    let maximum: (value: Double, isExclusive: Bool)?
    let multipleOf: Double?
    let lengths: Bounds
    let itemCounts: Bounds
    let memberCounts: Bounds
    let values: [JSONValue]?

    let allOf: [SchemaNode]
    let anyOf: [SchemaNode]
    let oneOf: [SchemaNode]
    let not: SchemaNode?
    /// Whether there are rules in CEL here or below, which nobody evaluates.
    let hasExpressions: Bool

    struct Bounds: Sendable {
        var least: Int64?
        var most: Int64?

        init(_ json: JSONObject, _ least: String, _ most: String) {
            self.least = json[least]?.integer
            self.most = json[most]?.integer
        }
    }

    /// As deep as schemas may be.
    static let depthLimit = 64

    /// nil for what is no object, or deeper than any schema may be.
    init?(_ json: JSONValue?, depth: Int = 0) {
        guard case .object(let members)? = json, depth < Self.depthLimit else { return nil }
        func node(_ name: String) -> SchemaNode? { SchemaNode(members[name], depth: depth + 1) }
        func nodes(_ name: String) -> [SchemaNode] {
            (members[name]?.array ?? []).compactMap { SchemaNode($0, depth: depth + 1) }
        }
        func isTrue(_ name: String) -> Bool { members[name]?.bool == true }
        func limit(_ name: String, _ exclusive: String) -> (value: Double, isExclusive: Bool)? {
            members[name]?.double.map { ($0, isTrue(exclusive)) }
        }
        type = members["type"]?.string ?? ""
        isNullable = isTrue("nullable")
        isIntOrString = isTrue("x-kubernetes-int-or-string")
        isEmbedded = isTrue("x-kubernetes-embedded-resource")
        keepsUnknownFields = isTrue("x-kubernetes-preserve-unknown-fields")
        fallback = members["default"]
        documentation = members["description"]?.string ?? ""
        properties = (members["properties"]?.object?.members ?? []).compactMap { member in
            SchemaNode(member.value, depth: depth + 1).map { (member.key, $0) }
        }
        additional = node("additionalProperties")
        allowsAdditional = isTrue("additionalProperties")
        items = node("items")
        required = (members["required"]?.array ?? []).compactMap(\.string)
        listType = Self.listType(members)
        isAtomicMap = members["x-kubernetes-map-type"]?.string == "atomic"
        format = members["format"]?.string ?? ""
        pattern = members["pattern"]?.string ?? ""
        expression = pattern.isEmpty ? nil : try? TextExpression(pattern)
        minimum = limit("minimum", "exclusiveMinimum")
        maximum = limit("maximum", "exclusiveMaximum")
        multipleOf = members["multipleOf"]?.double
        lengths = Bounds(members, "minLength", "maxLength")
        itemCounts = Bounds(members, "minItems", "maxItems")
        memberCounts = Bounds(members, "minProperties", "maxProperties")
        values = members["enum"]?.array
        allOf = nodes("allOf")
        anyOf = nodes("anyOf")
        oneOf = nodes("oneOf")
        not = node("not")
        let below = properties.map(\.node) + [additional, items].compactMap { $0 }
        hasExpressions =
            members["x-kubernetes-validations"]?.array?.isEmpty == false || below.contains(where: \.hasExpressions)
    }

    private static func listType(_ members: JSONObject) -> ListType? {
        switch members["x-kubernetes-list-type"]?.string {
        case "set": .set
        case "map": .map(keys: (members["x-kubernetes-list-map-keys"]?.array ?? []).compactMap(\.string))
        case "atomic": .atomic
        default: nil
        }
    }

    func property(_ name: String) -> SchemaNode? { properties.first { $0.name == name }?.node }
}
