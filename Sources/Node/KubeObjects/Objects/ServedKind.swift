package import JSON
package import KubeSchema

/// A kind as it is served: of Kubernetes itself, of Forkless, or declared by a CustomResourceDefinition.
package struct ServedKind: Sendable {
    package let kind: Kind
    /// Where the kind's types are: each custom resource has a schema of its own.
    package let schema: Schema
    /// false for a version of a custom resource that others are stored in.
    package let isStorageVersion: Bool
    /// What a custom resource's structural schema says besides types; nil for kinds that `Validation` knows.
    package let check: (@Sendable (JSONValue) -> [Cause])?

    package init(
        _ kind: Kind, in schema: Schema, isStorageVersion: Bool = true,
        check: (@Sendable (JSONValue) -> [Cause])? = nil
    ) {
        self.kind = kind
        self.schema = schema
        self.isStorageVersion = isStorageVersion
        self.check = check
    }

    package var resource: Resource { Resource(kind) }
}

/// Which kinds are served now.
package protocol KindCatalog: Sendable {
    func kind(group: String, version: String, plural: String) -> ServedKind?
    /// All, in no order.
    var kinds: [ServedKind] { get }
}

/// The kinds of Kubernetes itself.
package struct BuiltInKinds: KindCatalog {
    package init() {}

    package func kind(group: String, version: String, plural: String) -> ServedKind? {
        Schema.kubernetes.kind(group: group, version: version, plural: plural).map {
            ServedKind($0, in: .kubernetes)
        }
    }

    package var kinds: [ServedKind] { Schema.kubernetes.kinds.map { ServedKind($0, in: .kubernetes) } }
}
