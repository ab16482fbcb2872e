import JSON
import KubeSchema

/// Says what keeps a schema from being structural (KEP-20190602-crd-structural) or cannot be had here, with the
/// sentences of apiextensions-apiserver.
///
/// Invariants (tests in CustomResourceTests and CustomDefinitionTests):
/// 1. Any JSON gives causes, at most `limit`, none traps. (`any schema is read, and checked against anything`)
/// 2. Schemas as people write them have no causes. (`the definition of the documentation has nothing wrong`)
struct StructuralRules {
    private(set) var causes: [Cause] = []
    static let limit = 100

    /// - Parameter schema: `openAPIV3Schema`; nil when there is none.
    static func causes(_ schema: JSONValue?, _ path: FieldPath) -> [Cause] {
        var rules = StructuralRules()
        guard let schema, !schema.isNull else { return [Cause(.required, path, "schemas are required")] }
        if schema["type"]?.string != "object" {
            rules.add(.invalid, path.child("type"), schema["type"] ?? "", "must be object at the root")
        }
        rules.structural(schema, path, isRoot: true, depth: 0)
        if rules.causes.isEmpty { rules.defaults(schema, path) }
        return rules.causes
    }

    private mutating func add(_ reason: Cause.Reason, _ path: FieldPath, _ value: JSONValue = "", _ detail: String = "")
    {
        guard causes.count < Self.limit else { return }
        causes.append(Cause(reason, path, value: value, detail))
    }

    private static let types = ["array", "boolean", "integer", "number", "object", "string"]
    private static let absent = [
        "id", "$schema", "$ref", "definitions", "dependencies", "patternProperties", "additionalItems",
    ]

    // MARK: Structure

    private mutating func structural(
        _ schema: JSONValue, _ path: FieldPath, isRoot: Bool = false, isItem: Bool = false, depth: Int
    ) {
        guard depth < SchemaNode.depthLimit, causes.count < Self.limit else {
            add(.invalid, path, "", "must have at most \(SchemaNode.depthLimit) levels")
            return
        }
        type(schema, path, isRoot: isRoot, isItem: isItem)
        common(schema, path)
        lists(schema, path)
        for name in ["allOf", "anyOf", "oneOf"] {
            for (index, one) in (schema[name]?.array ?? []).enumerated() {
                nested(one, path.child(name).index(index), depth: depth + 1)
            }
        }
        if let not = schema["not"] { nested(not, path.child("not"), depth: depth + 1) }
        let properties = schema["properties"]?.object
        for member in properties?.members ?? [] {
            if isRoot, member.key == "metadata" {
                metadata(member.value, path.child("properties").key("metadata"))
                continue
            }
            structural(member.value, path.child("properties").key(member.key), depth: depth + 1)
        }
        switch schema["additionalProperties"] {
        case .bool(false)?: add(.forbidden, path.child("additionalProperties"), "", "cannot be set to false")
        case .object?:
            if properties?.isEmpty == false {
                add(
                    .forbidden, path.child("additionalProperties"), "",
                    "additionalProperties and properties are mutual exclusive")
            }
            structural(schema["additionalProperties"]!, path.child("additionalProperties"), depth: depth + 1)
        case .bool(true)?, nil: break
        default: add(.invalid, path.child("additionalProperties"), "", "must be a schema or true")
        }
        if let items = schema["items"] { structural(items, path.child("items"), isItem: true, depth: depth + 1) }
    }

    private mutating func type(_ schema: JSONValue, _ path: FieldPath, isRoot: Bool, isItem: Bool) {
        let type = schema.text("type")
        let isIntOrString = schema["x-kubernetes-int-or-string"]?.bool == true
        let isOpen = schema["x-kubernetes-preserve-unknown-fields"]?.bool == true
        if type.isEmpty {
            guard !isIntOrString, !isOpen, !isRoot else { return }
            let words =
                isItem
                ? "must not be empty for specified array items" : "must not be empty for specified object fields"
            add(.required, path.child("type"), "", words)
        } else if !Self.types.contains(type) {
            let list = Self.types.map(quoted).joined(separator: ", ")
            add(.notSupported, path.child("type"), .string(type), "supported values: \(list)")
        } else if isIntOrString {
            add(.invalid, path.child("type"), .string(type), "must be empty if x-kubernetes-int-or-string is true")
        } else if isOpen, type != "object" {
            add(
                .invalid, path.child("type"), .string(type),
                "must be object if x-kubernetes-preserve-unknown-fields is true")
        } else if type == "array", schema["items"] == nil {
            add(.required, path.child("items"), "", "must be specified")
        }
        if schema["x-kubernetes-embedded-resource"]?.bool == true, type != "object" {
            add(.invalid, path.child("type"), .string(type), "must be object if x-kubernetes-embedded-resource is true")
        }
    }

    /// What holds for schemas at any place.
    private mutating func common(_ schema: JSONValue, _ path: FieldPath) {
        for name in Self.absent {
            guard let value = schema[name], value != "", !value.isNull else { continue }
            add(.forbidden, path.child(name), "", "\(name) is not supported")
        }
        if schema["uniqueItems"]?.bool == true {
            add(
                .forbidden, path.child("uniqueItems"), "",
                "uniqueItems cannot be set to true since the runtime complexity becomes quadratic")
        }
        if let pattern = schema["pattern"]?.string, !pattern.isEmpty {
            do throws(TextExpressionError) {
                _ = try TextExpression(pattern)
            } catch {
                add(
                    .invalid, path.child("pattern"), .string(pattern),
                    "must be a valid regular expression, but isn't: \(error)")
            }
        }
        for (least, most) in [
            ("minLength", "maxLength"), ("minItems", "maxItems"), ("minProperties", "maxProperties"),
        ] {
            for name in [least, most] {
                guard let value = schema[name]?.integer, value < 0 else { continue }
                add(.invalid, path.child(name), .integer(value), "must be greater than or equal to 0")
            }
        }
    }

    private mutating func lists(_ schema: JSONValue, _ path: FieldPath) {
        let mapType = path.child("x-kubernetes-map-type")
        switch schema["x-kubernetes-map-type"]?.string {
        case nil: break
        case "granular"?, "atomic"?:
            if schema.text("type") != "object" {
                add(
                    .invalid, path.child("type"), .string(schema.text("type")),
                    "must be object if x-kubernetes-map-type is specified")
            }
        case let other?:
            add(.notSupported, mapType, .string(other), "supported values: \"atomic\", \"granular\"")
        }
        let keys = schema.list("x-kubernetes-list-map-keys").compactMap(\.string)
        let keyPath = path.child("x-kubernetes-list-map-keys")
        guard let listType = schema["x-kubernetes-list-type"]?.string else {
            if !keys.isEmpty {
                add(
                    .required, path.child("x-kubernetes-list-type"), "",
                    "must be map if x-kubernetes-list-map-keys is non-empty")
            }
            return
        }
        guard ["atomic", "set", "map"].contains(listType) else {
            add(
                .notSupported, path.child("x-kubernetes-list-type"), .string(listType),
                "supported values: \"atomic\", \"map\", \"set\"")
            return
        }
        if schema.text("type") != "array" {
            add(
                .invalid, path.child("type"), .string(schema.text("type")),
                "must be array if x-kubernetes-list-type is \(listType)")
        }
        guard listType == "map" else { return }
        if keys.isEmpty {
            add(.required, keyPath, "", "must not be empty if x-kubernetes-list-type is map")
        }
        let items = schema["items"] ?? .null
        if items.text("type") != "object" {
            add(
                .invalid, path.child("items").child("type"), .string(items.text("type")),
                "must be object if parent array's x-kubernetes-list-type is map")
        }
        for (index, key) in keys.enumerated() {
            guard let property = items["properties", key] else {
                add(.invalid, keyPath.index(index), .string(key), "key \(quoted(key)) must be a property of the items")
                continue
            }
            let isRequired = items.list("required").contains(.string(key))
            if property["default"] == nil, !isRequired {
                add(
                    .required, path.child("items").child("properties").key(key).child("default"), "",
                    "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
                )
            }
        }
    }

    /// The metadata's schema may say what names look like, and nothing more.
    private mutating func metadata(_ schema: JSONValue, _ path: FieldPath) {
        common(schema, path)
        for name in schema["properties"]?.object?.keys ?? [] where !["name", "generateName"].contains(name) {
            add(
                .forbidden, path.child("properties"), "",
                "must not specify anything other than name and generateName, but metadata is implicitly specified")
        }
    }

    /// Below a combination only what values are may be said.
    private mutating func nested(_ schema: JSONValue, _ path: FieldPath, depth: Int) {
        guard depth < SchemaNode.depthLimit, causes.count < Self.limit else {
            add(.invalid, path, "", "must have at most \(SchemaNode.depthLimit) levels")
            return
        }
        common(schema, path)
        for name in [
            "description", "default", "type", "nullable", "additionalProperties", "title",
            "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string",
            "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type",
        ] {
            guard let value = schema[name], value != "", value != false, !value.isNull else { continue }
            // The one form of integers or strings that is allowed: anyOf with both types.
            if name == "type", ["integer", "string"].contains(value.string ?? ""), path.description.contains("anyOf") {
                continue
            }
            add(.forbidden, path.child(name), "", "must be \(name == "nullable" ? "false" : "empty") to be structural")
        }
        for name in ["allOf", "anyOf", "oneOf"] {
            for (index, one) in (schema[name]?.array ?? []).enumerated() {
                nested(one, path.child(name).index(index), depth: depth + 1)
            }
        }
        if let not = schema["not"] { nested(not, path.child("not"), depth: depth + 1) }
        for member in schema["properties"]?.object?.members ?? [] {
            nested(member.value, path.child("properties").key(member.key), depth: depth + 1)
        }
        if let items = schema["items"] { nested(items, path.child("items"), depth: depth + 1) }
    }

    // MARK: Defaults

    /// Values that are filled in must be ones that the schema itself takes.
    private mutating func defaults(_ schema: JSONValue, _ path: FieldPath) {
        if let value = schema["default"], let node = SchemaNode(schema) {
            for cause in ResourceCheck.causes(value, node) {
                let below = cause.path.description
                let place = path.child("default")
                add(cause.reason, below.isEmpty ? place : place.child(below), cause.value, cause.detail)
            }
        }
        for member in schema["properties"]?.object?.members ?? [] {
            defaults(member.value, path.child("properties").key(member.key))
        }
        for name in ["items", "additionalProperties"] {
            if let below = schema[name] { defaults(below, path.child(name)) }
        }
    }
}
