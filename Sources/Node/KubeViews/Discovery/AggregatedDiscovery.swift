import JSON
import KubeObjects
import KubeSchema

/// All groups of /api or /apis in one document (apidiscovery.k8s.io, KEP-3352).
struct AggregatedDiscovery: Sendable {
    let documents: DiscoveryDocuments
    /// "v2" or "v2beta1", which say the same.
    let version: String

    /// - Parameter isCore: the core group, which is at /api; all others are at /apis.
    func list(isCore: Bool) -> JSONValue {
        let groups = documents.groups.filter { $0.name.isEmpty == isCore }
        return [
            "kind": "APIGroupDiscoveryList", "apiVersion": .string("apidiscovery.k8s.io/\(version)"), "metadata": [:],
            "items": .array(groups.map { item($0) }),
        ]
    }

    private func item(_ group: DiscoveryDocuments.Group) -> JSONValue {
        var metadata: JSONValue = [:]
        if !group.name.isEmpty { metadata["name"] = .string(group.name) }
        metadata["creationTimestamp"] = .null
        return [
            "metadata": metadata,
            "versions": .array(
                group.versions.map { version in
                    [
                        "version": .string(version.name), "resources": .array(version.kinds.map { resource($0) }),
                        "freshness": "Current",
                    ]
                }),
        ]
    }

    private func resource(_ served: ServedKind) -> JSONValue {
        let kind = served.kind
        var resource: JSONValue = [
            "resource": .string(kind.plural), "responseKind": Self.kind(kind.id),
            "scope": kind.isNamespaced ? "Namespaced" : "Cluster", "singularResource": .string(kind.singular),
            "verbs": DiscoveryDocuments.strings(served.verbs),
        ]
        if !kind.shortNames.isEmpty { resource["shortNames"] = DiscoveryDocuments.strings(kind.shortNames) }
        if !kind.categories.isEmpty { resource["categories"] = DiscoveryDocuments.strings(kind.categories) }
        let below = Subresource.all(of: kind)
        if !below.isEmpty {
            resource["subresources"] = .array(
                below.map { sub in
                    [
                        "subresource": .string(sub.name), "responseKind": Self.kind(sub.kind),
                        "verbs": DiscoveryDocuments.strings(sub.verbs),
                    ]
                })
        }
        return resource
    }

    private static func kind(_ id: GroupVersionKind) -> JSONValue {
        ["group": .string(id.group), "version": .string(id.version), "kind": .string(id.kind)]
    }
}
