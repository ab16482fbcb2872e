import JSON
import KubeSchema

/// Turns the schema of a custom resource into types, so that decoding, defaults and server-side apply do with it what
/// they do with kinds of Kubernetes. What values may be is not in the types: `ResourceCheck` says it.
struct CustomTypes {
    private var list = TypeList()

    /// The schema with its kind.
    /// - Parameter kind: makes the kind, given the type of its objects.
    static func schema(
        of node: SchemaNode?, named name: String, kind: (ObjectType.ID) -> Kind
    ) -> Schema {
        var types = CustomTypes()
        let id = types.object(node, name, isRoot: true)
        return Schema(types.list, kind: kind(id))
    }

    private mutating func object(_ node: SchemaNode?, _ name: String, isRoot: Bool = false) -> ObjectType.ID {
        var fields: [Field] = []
        if isRoot || node?.isEmbedded == true {
            fields = [
                Field(name: "apiVersion", type: .string, documentation: "Group and version of the kind."),
                Field(name: "kind", type: .string, documentation: "Kind of the object."),
                Field(
                    name: "metadata", type: .object(list.objectMeta), documentation: "Standard metadata of the object."),
            ]
        }
        for (property, below) in node?.properties ?? [] where !fields.contains(where: { $0.name == property }) {
            fields.append(
                Field(
                    name: property, type: type(below, name + "." + property),
                    isRequired: node?.required.contains(property) == true, tellsZero: true, fallback: below.fallback,
                    listType: below.type == "array" ? below.listType ?? .atomic : nil,
                    isAtomic: below.isAtomicMap || below.type == "array" && (below.listType ?? .atomic) == .atomic,
                    documentation: below.documentation))
        }
        return list.add(
            ObjectType(
                name: name, documentation: node?.documentation ?? "", isAtomic: node?.isAtomicMap == true,
                openness: .structural(keepsUnknownFields: node?.keepsUnknownFields == true), fields: fields))
    }

    private mutating func type(_ node: SchemaNode, _ name: String) -> FieldType {
        switch node.type {
        case "array":
            guard let items = node.items else { return .list(.any) }
            return .list(type(items, name + "[]"))
        case "object":
            if let additional = node.additional, node.properties.isEmpty {
                return .map(type(additional, name + "{}"))
            }
            if node.allowsAdditional, node.properties.isEmpty { return .map(.any) }
            return .object(object(node, name))
        // Without a type: whatever is there, and all of it.
        default: return .any
        }
    }
}
