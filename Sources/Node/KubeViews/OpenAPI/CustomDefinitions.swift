import JSON
import KubeObjects
import KubeSchema

/// The definitions of a custom resource and of its list, from the schema that its CustomResourceDefinition has.
struct CustomDefinitions: Sendable {
    private let served: ServedKind
    private let form: OpenAPIDefinitions.Version

    init(_ served: ServedKind, _ form: OpenAPIDefinitions.Version) {
        self.served = served
        self.form = form
    }

    /// "com.example.stable.v1.CronTab": the group backwards, as Java has packages.
    static func name(of id: GroupVersionKind) -> String {
        let group = id.group.split(separator: ".").reversed().joined(separator: ".")
        return "\(group).\(id.version).\(id.kind)"
    }

    var all: JSONObject {
        let name = Self.name(of: served.kind.id)
        return [name: object, name + "List": list(of: name)]
    }

    private var object: JSONValue {
        var schema = served.custom?.openAPI ?? [:]
        schema["description"] = schema["description"] ?? .string("Objects of the kind \(served.kind.id.kind).")
        schema["type"] = "object"
        let own = schema["properties"]?.object ?? [:]
        var properties = JSONObject()
        properties["apiVersion"] = ["description": "Group and version of the kind.", "type": "string"]
        properties["kind"] = ["description": "Kind of the object.", "type": "string"]
        properties["metadata"] = metadata("ObjectMeta", "Standard metadata of the object.")
        for member in own.members where !["apiVersion", "kind", "metadata"].contains(member.key) {
            properties[member.key] = member.value
        }
        schema["properties"] = .object(properties)
        if form == .v2 { schema = Self.swagger(schema, depth: 0) }
        schema["x-kubernetes-group-version-kind"] = [Self.groupVersionKind(served.kind.id, served.kind.id.kind)]
        return schema
    }

    private func list(of name: String) -> JSONValue {
        [
            "description": .string("A list of \(served.kind.plural)."), "type": "object", "required": ["items"],
            "properties": [
                "apiVersion": ["description": "Group and version of the kind.", "type": "string"],
                "items": [
                    "description": "The objects.", "type": "array", "items": ["$ref": .string(place + name)],
                ],
                "kind": ["description": "Kind of the list.", "type": "string"],
                "metadata": metadata("ListMeta", "Standard metadata of the list."),
            ],
            "x-kubernetes-group-version-kind": [Self.groupVersionKind(served.kind.id, served.listKind)],
        ]
    }

    private var place: String { form == .v2 ? "#/definitions/" : "#/components/schemas/" }

    private func metadata(_ type: String, _ documentation: String) -> JSONValue {
        let reference: JSONValue = ["$ref": .string("\(place)io.k8s.apimachinery.pkg.apis.meta.v1.\(type)")]
        if form == .v2 { return reference }
        return ["description": .string(documentation), "allOf": [reference]]
    }

    private static func groupVersionKind(_ id: GroupVersionKind, _ kind: String) -> JSONValue {
        ["group": .string(id.group), "kind": .string(kind), "version": .string(id.version)]
    }

    /// A schema as Swagger 2.0 can have it: without what only JSON Schema knows. Where that would say something wrong,
    /// nothing is said (`ToStructuralOpenAPIV2` of apiextensions-apiserver).
    private static func swagger(_ schema: JSONValue, depth: Int) -> JSONValue {
        guard case .object(var members) = schema, depth < JSONParser.depthLimit else { return schema }
        let isOpen = members["x-kubernetes-preserve-unknown-fields"]?.bool == true
        let isVague = members["nullable"]?.bool == true || members["x-kubernetes-int-or-string"]?.bool == true
        for name in ["oneOf", "anyOf", "allOf", "not", "nullable", "x-kubernetes-validations", "default"] {
            members[name] = nil
        }
        if isVague { members["type"] = nil }
        if isVague || isOpen {
            for name in ["items", "properties", "additionalProperties"] { members[name] = nil }
        }
        if case .object(let properties)? = members["properties"] {
            members["properties"] = .object(properties.mapValues { swagger($0, depth: depth + 1) })
        }
        for name in ["items", "additionalProperties"] {
            if let below = members[name] { members[name] = swagger(below, depth: depth + 1) }
        }
        return .object(members)
    }
}
