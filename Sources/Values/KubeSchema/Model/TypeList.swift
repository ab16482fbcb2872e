/// Types of a schema that is being put together: first those of metadata, then those that are added.
package struct TypeList: Sendable {
    private(set) var types: [ObjectType]

    /// Types that all objects have.
    package init() { types = Schema.metadata.types }

    /// - Parameter type: refers only to types that are there already.
    package mutating func add(_ type: ObjectType) -> ObjectType.ID {
        types.append(type)
        return ObjectType.ID(index: types.count - 1)
    }

    /// The metadata of objects.
    package var objectMeta: ObjectType.ID {
        guard let id = Schema.metadata.type(named: "meta/v1.ObjectMeta") else {
            preconditionFailure("the schema has no metadata")
        }
        return id
    }
}

extension Schema {
    /// What all objects have in common, without any kind.
    static let metadata: Schema = {
        do {
            return try Schema(linking: SchemaText([("Meta", KubernetesKinds.meta)]))
        } catch {
            preconditionFailure("\(error)")
        }
    }()
}
