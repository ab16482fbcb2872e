package import JSON
package import KubeSchema

/// A kind as it is served: of Kubernetes itself, of Forkless, or declared by a CustomResourceDefinition.
package struct ServedKind: Sendable {
    package let kind: Kind
    /// Where the kind's types are: each custom resource has a schema of its own.
    package let schema: Schema
    /// false for a version of a custom resource that others are stored in.
    package let isStorageVersion: Bool
    /// What is wrong with an object that has been decoded and filled in, besides what `Validation` says: of custom
    /// resources by their structural schema, types too. nil for kinds of which `Validation` says everything.
    package let check: (@Sendable (JSONValue) -> [Cause])?
    /// What only kinds of a CustomResourceDefinition have; nil for all others. Strategic merge patches are refused for
    /// those that have it.
    package let custom: CustomKind?

    /// What is said of an object that is written besides, in `Warning` headers: parts of it that have no effect here.
    package let warnings: (@Sendable (JSONValue) -> [String])?

    package init(
        _ kind: Kind, in schema: Schema, isStorageVersion: Bool = true, custom: CustomKind? = nil,
        check: (@Sendable (JSONValue) -> [Cause])? = nil, warnings: (@Sendable (JSONValue) -> [String])? = nil
    ) {
        self.kind = kind
        self.schema = schema
        self.isStorageVersion = isStorageVersion
        self.custom = custom
        self.check = check
        self.warnings = warnings
    }

    /// One of Kubernetes itself or of the node.
    package init(builtIn kind: Kind) {
        self.init(kind, in: .kubernetes, isStorageVersion: !AutoscalerVersions.isOlder(Resource(kind)))
    }

    /// "PodList"; definitions may name another.
    package var listKind: String { custom?.listKind ?? kind.id.kind + "List" }

    package var resource: Resource { Resource(kind) }
}

/// What a CustomResourceDefinition says of its kind beyond names and types.
package struct CustomKind: Sendable {
    /// Where the numbers of the scale subresource are: paths of names.
    package struct ScalePaths: Hashable, Sendable {
        package var specReplicas: [String]
        package var statusReplicas: [String]
        /// A string with the text of a label selector; nil when there is none.
        package var labelSelector: [String]?

        package init(specReplicas: [String], statusReplicas: [String], labelSelector: [String]? = nil) {
            self.specReplicas = specReplicas
            self.statusReplicas = statusReplicas
            self.labelSelector = labelSelector
        }
    }

    /// The definition's name: "crontabs.stable.example.com".
    package let definition: String
    package let listKind: String
    /// The schema as it was written (OpenAPI v3), with Kubernetes' extensions.
    package let openAPI: JSONValue
    /// nil without the subresource.
    package let scale: ScalePaths?
    /// Paths that field selectors may name, besides `metadata.name` and `metadata.namespace`: ["spec.color"].
    package let selectableFields: [String]
    /// The sentence for a `Warning` header on every request; nil for a version that is not deprecated.
    package let deprecation: String?

    package init(
        definition: String, listKind: String, openAPI: JSONValue, scale: ScalePaths? = nil,
        selectableFields: [String] = [], deprecation: String? = nil
    ) {
        self.definition = definition
        self.listKind = listKind
        self.openAPI = openAPI
        self.scale = scale
        self.selectableFields = selectableFields
        self.deprecation = deprecation
    }
}

/// Which kinds are served now.
package protocol KindCatalog: Sendable {
    func kind(group: String, version: String, plural: String) -> ServedKind?
    /// All, in no order.
    var kinds: [ServedKind] { get }
    /// Grows when kinds come or go: what was made from an older one is made anew.
    var generation: Int { get }
    /// An element at once, and one whenever kinds have come or gone since the last one was taken.
    func changes() -> AsyncStream<Void>
}

extension KindCatalog {
    /// Those whose objects are kept, each once: in the version that is stored, where that is served.
    package var storedKinds: [ServedKind] {
        let stored = kinds.filter { !$0.kind.isVirtual }
        var names: Set<String> = []
        return (stored.filter(\.isStorageVersion) + stored.filter { !$0.isStorageVersion }).filter {
            names.insert($0.resource.storeName).inserted
        }
    }
}

/// The kinds of Kubernetes itself.
package struct BuiltInKinds: KindCatalog {
    package init() {}

    package func kind(group: String, version: String, plural: String) -> ServedKind? {
        Schema.kubernetes.kind(group: group, version: version, plural: plural).map { ServedKind(builtIn: $0) }
    }

    package var kinds: [ServedKind] { Schema.kubernetes.kinds.map { ServedKind(builtIn: $0) } }

    package var generation: Int { 1 }

    package func changes() -> AsyncStream<Void> { AsyncStream { $0.yield() } }
}
