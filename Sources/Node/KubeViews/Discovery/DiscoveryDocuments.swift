import Crypto
import JSON
import KubeObjects
import KubeSchema

/// What the API tells of itself: groups, versions and resources, in the old form (a document for each group and
/// version) and in the new one (all at once, KEP-3352). Only what is served is listed.
struct DiscoveryDocuments: Sendable {
    /// A group with its versions, the preferred one first.
    struct Group: Sendable {
        var name: String
        var versions: [(name: String, kinds: [ServedKind])]
    }

    /// The groups that have paths; the core group is the one without a name.
    let groups: [Group]

    init(_ kinds: [ServedKind]) {
        var groups: [String: [String: [ServedKind]]] = [:]
        for kind in kinds where !kind.isOnlySubresource {
            groups[kind.kind.id.group, default: [:]][kind.kind.id.version, default: []].append(kind)
        }
        self.groups = groups.sorted { Self.order($0.key) < Self.order($1.key) }.map { name, versions in
            Group(
                name: name,
                versions: versions.sorted { APIVersionOrder.precedes($0.key, $1.key) }.map { version, kinds in
                    (version, kinds.sorted { $0.kind.plural < $1.kind.plural })
                })
        }
    }

    /// Groups of Kubernetes come before all others, in the order of kube-apiserver: `kubectl get` takes the first group
    /// that has a resource of the name.
    private static let priorities = [
        "", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch",
        "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "storage.k8s.io", "apiextensions.k8s.io",
        "scheduling.k8s.io", "coordination.k8s.io", "node.k8s.io", "discovery.k8s.io",
    ]

    private static func order(_ group: String) -> (Int, String) {
        (priorities.firstIndex(of: group) ?? priorities.count, group)
    }

    // MARK: The old form

    /// /api
    static func coreVersions(host: String) -> JSONValue {
        [
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [["clientCIDR": "0.0.0.0/0", "serverAddress": .string(host)]],
        ]
    }

    /// /apis
    var groupList: JSONValue {
        let named = groups.filter { !$0.name.isEmpty }
        return ["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(named.map { Self.entry($0) })]
    }

    /// /apis/GROUP; nil for a group that is not served.
    func group(_ name: String) -> JSONValue? {
        guard !name.isEmpty, let group = groups.first(where: { $0.name == name }) else { return nil }
        var result: JSONValue = ["kind": "APIGroup", "apiVersion": "v1"]
        for member in Self.entry(group).object?.members ?? [] { result[member.key] = member.value }
        return result
    }

    private static func entry(_ group: Group) -> JSONValue {
        let versions = group.versions.map { version -> JSONValue in
            ["groupVersion": .string("\(group.name)/\(version.name)"), "version": .string(version.name)]
        }
        return ["name": .string(group.name), "versions": .array(versions), "preferredVersion": versions[0]]
    }

    /// /api/v1, /apis/GROUP/VERSION; nil for what is not served.
    func resources(group name: String, version: String) -> JSONValue? {
        guard let group = groups.first(where: { $0.name == name }),
            let kinds = group.versions.first(where: { $0.name == version })?.kinds
        else { return nil }
        var list: JSONValue = ["kind": "APIResourceList"]
        if !name.isEmpty { list["apiVersion"] = "v1" }
        list["groupVersion"] = .string(name.isEmpty ? version : "\(name)/\(version)")
        list["resources"] = .array(kinds.flatMap { Self.resources($0) })
        return list
    }

    private static func resources(_ served: ServedKind) -> [JSONValue] {
        let kind = served.kind
        var resource: JSONValue = [
            "name": .string(kind.plural), "singularName": .string(kind.singular),
            "namespaced": .bool(kind.isNamespaced), "kind": .string(kind.id.kind), "verbs": strings(served.verbs),
        ]
        if !kind.shortNames.isEmpty { resource["shortNames"] = strings(kind.shortNames) }
        if !kind.categories.isEmpty { resource["categories"] = strings(kind.categories) }
        if !kind.isVirtual { resource["storageVersionHash"] = .string(storageHash(kind.id)) }
        return [resource]
            + Subresource.all(of: kind).map { sub in
                var resource: JSONValue = [
                    "name": .string("\(kind.plural)/\(sub.name)"), "singularName": "",
                    "namespaced": .bool(kind.isNamespaced),
                ]
                if sub.kind.apiVersion != kind.id.apiVersion {
                    resource["group"] = .string(sub.kind.group)
                    resource["version"] = .string(sub.kind.version)
                }
                resource["kind"] = .string(sub.kind.kind)
                resource["verbs"] = strings(sub.verbs)
                return resource
            }
    }

    static func strings(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }

    /// Which kind objects are stored as (`discovery.StorageVersionHash`).
    static func storageHash(_ id: GroupVersionKind) -> String {
        let text = "\(id.group)/\(id.version)/\(id.kind)"
        return Base64.text(Array(SHA256.hash(data: Array(text.utf8)).prefix(8)))
    }
}
