package import JSON

/// The schemas of types in the form of OpenAPI, which `kubectl explain`, `kubectl apply` and client-side validation read:
/// `definitions` of version 2, `components.schemas` of version 3, with Kubernetes' own extensions
/// (`x-kubernetes-list-type` and others, KEP-555).
///
/// Invariants (tests in OpenAPITests):
/// 1. Every reference leads to a definition that is there. (`references lead to definitions`)
/// 2. Fields, and only these, are properties. (`properties are the fields of the schema`)
package struct OpenAPIDefinitions: Sendable {
    package enum Version: Sendable {
        case v2
        case v3

        var place: String {
            switch self {
            case .v2: "#/definitions/"
            case .v3: "#/components/schemas/"
            }
        }
    }

    private let schema: Schema
    private let version: Version

    package init(of schema: Schema, _ version: Version) {
        self.schema = schema
        self.version = version
    }

    /// The definitions that kinds need, with those of their lists, by name.
    /// - Parameter types: further ones, "meta/v1.Status", which the answers of the API have.
    package func definitions(for kinds: [Kind], types: [String] = []) -> JSONObject {
        var result: [String: JSONValue] = [:]
        var open = kinds.map(\.type) + types.compactMap { schema.type(named: $0) }
        for kind in kinds where !kind.isVirtual || kind.isComputed {
            let (name, definition) = list(of: kind)
            result[name] = definition
        }
        if let meta = schema.type(named: "meta/v1.ListMeta") { open.append(meta) }
        while let id = open.popLast() {
            guard result[name(of: id)] == nil else { continue }
            result[name(of: id)] = definition(of: id)
            for field in schema[id].fields {
                switch field.type.innermost {
                case .object(let next): open.append(next)
                case let type: if let (name, definition) = common(type) { result[name] = definition }
                }
            }
        }
        var object = JSONObject()
        for (name, definition) in result.sorted(by: { $0.key < $1.key }) { object[name] = definition }
        return object
    }

    /// The name of a type's definition: "io.k8s.api.core.v1.Pod".
    package func name(of id: ObjectType.ID) -> String {
        let parts = schema[id].name.split(separator: "/").map(String.init)
        return "\(Self.prefixes[parts[0]] ?? "io.k8s.api").\(parts.joined(separator: "."))"
    }

    /// Where Go has the packages that are not in k8s.io/api, and whose the others are.
    private static let prefixes = [
        "meta": "io.k8s.apimachinery.pkg.apis", "apiextensions": "io.k8s.apiextensions-apiserver.pkg.apis",
        "metrics": "io.k8s.metrics.pkg.apis", "forkless": "dev",
    ]

    // MARK: Objects

    private func definition(of id: ObjectType.ID) -> JSONValue {
        let type = schema[id]
        var result: JSONValue = ["description": .string(type.documentation), "type": "object"]
        var properties = JSONObject()
        for field in type.fields { properties[field.name] = property(field) }
        if !properties.isEmpty { result["properties"] = .object(properties) }
        let required = type.fields.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { result["required"] = .array(required) }
        if type.isAtomic { result["x-kubernetes-map-type"] = "atomic" }
        let kinds = schema.kinds.filter { $0.type == id }.map { groupVersionKind($0.id) }
        if !kinds.isEmpty { result["x-kubernetes-group-version-kind"] = .array(kinds) }
        return result
    }

    private func list(of kind: Kind) -> (String, JSONValue) {
        let items: JSONValue = [
            "description": "The objects.", "type": "array", "items": reference(name(of: kind.type), isProperty: false),
        ]
        let meta = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"
        var metadata = reference(meta, isProperty: true)
        metadata["description"] = "Standard metadata of the list."
        var id = kind.id
        id.kind += "List"
        return (
            name(of: kind.type) + "List",
            [
                "description": .string("A list of \(kind.plural)."), "type": "object",
                "properties": [
                    "apiVersion": ["description": "Group and version of the kind.", "type": "string"], "items": items,
                    "kind": ["description": "Kind of the list.", "type": "string"], "metadata": metadata,
                ],
                "required": ["items"], "x-kubernetes-group-version-kind": [groupVersionKind(id)],
            ]
        )
    }

    private func groupVersionKind(_ id: GroupVersionKind) -> JSONValue {
        ["group": .string(id.group), "kind": .string(id.kind), "version": .string(id.version)]
    }

    // MARK: Fields

    private func property(_ field: Field) -> JSONValue {
        var result = value(field.type, field, isProperty: true)
        result["description"] = .string(field.documentation)
        if let fallback = field.fallback { result["default"] = fallback }
        switch field.listType {
        case .atomic?: result["x-kubernetes-list-type"] = "atomic"
        case .set?: result["x-kubernetes-list-type"] = "set"
        case .map(let keys)?:
            result["x-kubernetes-list-type"] = "map"
            result["x-kubernetes-list-map-keys"] = .array(keys.map { .string($0) })
        case nil: break
        }
        if case .map = field.type, field.isAtomic { result["x-kubernetes-map-type"] = "atomic" }
        var strategies: [String] = []
        if field.patch.merges { strategies.append("merge") }
        if field.patch.replaces { strategies.append("replace") }
        if field.patch.retainsKeys { strategies.append("retainKeys") }
        if !strategies.isEmpty { result["x-kubernetes-patch-strategy"] = .string(strategies.joined(separator: ",")) }
        if let key = field.patch.mergeKey { result["x-kubernetes-patch-merge-key"] = .string(key) }
        return result
    }

    private func value(_ type: FieldType, _ field: Field, isProperty: Bool) -> JSONValue {
        switch type {
        case .string:
            var result: JSONValue = ["type": "string"]
            if let allowed = field.allowed { result["enum"] = .array(allowed.sorted().map { .string($0) }) }
            return result
        case .boolean: return ["type": "boolean"]
        case .int32: return ["type": "integer", "format": "int32"]
        case .int64: return ["type": "integer", "format": "int64"]
        case .double: return ["type": "number", "format": "double"]
        case .bytes: return ["type": "string", "format": "byte"]
        case .quantity, .intOrString, .time, .microTime, .any:
            return reference(common(type)?.0 ?? "", isProperty: isProperty)
        case .object(let id): return reference(name(of: id), isProperty: isProperty)
        case .list(let element): return ["type": "array", "items": value(element, field, isProperty: false)]
        case .map(let element):
            return ["type": "object", "additionalProperties": value(element, field, isProperty: false)]
        }
    }

    /// Beside a reference nothing else may stand in OpenAPI 3.0, so that a property wraps it.
    private func reference(_ name: String, isProperty: Bool) -> JSONValue {
        let reference: JSONValue = ["$ref": .string(version.place + name)]
        switch version {
        case .v2: return reference
        case .v3: return isProperty ? ["allOf": [reference]] : reference
        }
    }

    /// Types that are defined once for all, and are no objects of ours.
    private func common(_ type: FieldType) -> (String, JSONValue)? {
        switch type {
        case .quantity:
            let text: JSONValue = "An amount with its unit, such as 100m or 1Gi."
            return (
                "io.k8s.apimachinery.pkg.api.resource.Quantity",
                version == .v2
                    ? ["description": text, "type": "string"]
                    : ["description": text, "oneOf": [["type": "string"], ["type": "number"]]]
            )
        case .intOrString:
            let text: JSONValue = "A whole number or a string."
            return (
                "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
                version == .v2
                    ? ["description": text, "type": "string", "format": "int-or-string"]
                    : [
                        "description": text, "format": "int-or-string",
                        "oneOf": [["type": "integer"], ["type": "string"]],
                    ]
            )
        case .time:
            return (
                "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
                ["description": "A time (RFC 3339).", "type": "string", "format": "date-time"]
            )
        case .microTime:
            return (
                "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
                ["description": "A time with microseconds (RFC 3339).", "type": "string", "format": "date-time"]
            )
        case .any:
            return ("io.k8s.apimachinery.pkg.runtime.RawExtension", ["description": "Any object.", "type": "object"])
        default: return nil
        }
    }
}
