/// Group, version and kind, as `apiVersion` and `kind` say them.
package struct GroupVersionKind: Hashable, Sendable {
    /// Empty for the core group.
    package var group: String
    package var version: String
    package var kind: String

    package init(group: String, version: String, kind: String) {
        self.group = group
        self.version = version
        self.kind = kind
    }

    /// "v1", "apps/v1".
    package var apiVersion: String { group.isEmpty ? version : group + "/" + version }
}

/// A kind that the server can serve: its names, and what is below each of its objects.
package struct Kind: Hashable, Sendable {
    /// A column of the Table that `kubectl get` shows.
    package struct Column: Hashable, Sendable {
        package let name: String
        /// "string", "integer", "number", "boolean" or "date".
        package let type: String
        /// "name" for the column that names the object, otherwise empty.
        package let format: String
        /// 0 is always shown, 1 only with `-o wide`.
        package let priority: Int
        package let documentation: String
        /// Where the cell's value is, in the JSONPath of CustomResourceDefinitions: ".spec.replicas". nil for kinds
        /// that have a printer of their own.
        package let path: String?

        package init(
            name: String, type: String, format: String = "", priority: Int = 0, documentation: String = "",
            path: String? = nil
        ) {
            self.name = name
            self.type = type
            self.format = format
            self.priority = priority
            self.documentation = documentation
            self.path = path
        }
    }

    package let id: GroupVersionKind
    /// The resource's name in paths: "deployments".
    package let plural: String
    package let singular: String
    package let shortNames: [String]
    package let categories: [String]
    package let isNamespaced: Bool
    /// Without "status" when the status is written with the rest.
    package let subresources: [String]
    /// Objects that are only ever sent to `create`, and kept nowhere: reviews, bindings, scales.
    package let isVirtual: Bool
    /// Objects that the server works out when they are asked for: they can be read, and nothing else. They are virtual
    /// too.
    package let isComputed: Bool
    package let columns: [Column]
    package let type: ObjectType.ID

    package init(
        id: GroupVersionKind, plural: String, singular: String, shortNames: [String] = [], categories: [String] = [],
        isNamespaced: Bool, subresources: [String] = [], isVirtual: Bool = false, isComputed: Bool = false,
        columns: [Column] = [], type: ObjectType.ID
    ) {
        self.id = id
        self.plural = plural
        self.singular = singular
        self.shortNames = shortNames
        self.categories = categories
        self.isNamespaced = isNamespaced
        self.subresources = subresources
        self.isVirtual = isVirtual
        self.isComputed = isComputed
        self.columns = columns
        self.type = type
    }

    package func has(subresource: String) -> Bool { subresources.contains(subresource) }
}
