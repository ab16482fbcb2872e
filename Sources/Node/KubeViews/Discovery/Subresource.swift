import KubeObjects
import KubeSchema

/// What is below each object of a kind: "deployments/scale". Its answers may be of another kind.
struct Subresource: Sendable {
    let name: String
    let kind: GroupVersionKind
    let verbs: [String]

    /// In the order of their names.
    static func all(of kind: Kind) -> [Subresource] {
        kind.subresources.sorted().map { Subresource($0, of: kind) }
    }

    private static let readWrite = ["get", "patch", "update"]

    private init(_ name: String, of owner: Kind) {
        self.name = name
        func core(_ kind: String) -> GroupVersionKind { GroupVersionKind(group: "", version: "v1", kind: kind) }
        switch (owner.plural, name) {
        case (_, "scale"):
            (kind, verbs) = (GroupVersionKind(group: "autoscaling", version: "v1", kind: "Scale"), Self.readWrite)
        case ("pods", "attach"): (kind, verbs) = (core("PodAttachOptions"), ["create", "get"])
        case ("pods", "exec"): (kind, verbs) = (core("PodExecOptions"), ["create", "get"])
        case ("pods", "portforward"): (kind, verbs) = (core("PodPortForwardOptions"), ["create", "get"])
        case ("pods", "log"): (kind, verbs) = (core("Pod"), ["get"])
        case ("pods", "binding"): (kind, verbs) = (core("Binding"), ["create"])
        case ("pods", "eviction"):
            (kind, verbs) = (GroupVersionKind(group: "policy", version: "v1", kind: "Eviction"), ["create"])
        case ("serviceaccounts", "token"):
            kind = GroupVersionKind(group: "authentication.k8s.io", version: "v1", kind: "TokenRequest")
            verbs = ["create"]
        case ("namespaces", "finalize"): (kind, verbs) = (core("Namespace"), ["update"])
        case (_, "proxy"):
            kind = core(owner.id.kind + "ProxyOptions")
            verbs = ["create", "delete", "get", "patch", "update"]
        default: (kind, verbs) = (owner.id, Self.readWrite)
        }
    }
}

extension ServedKind {
    /// What can be done with objects of the kind.
    var verbs: [String] {
        if kind.isComputed { return ["get", "list"] }
        if kind.isVirtual { return ["create"] }
        let all = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
        // A namespace goes with all that is in it: one at a time.
        return kind.id.group.isEmpty && kind.plural == "namespaces" ? all.filter { $0 != "deletecollection" } : all
    }

    /// Kinds that are only sent to a subresource, and have no path of their own.
    var isOnlySubresource: Bool {
        kind.isVirtual && ["scales", "evictions", "tokenrequests"].contains(kind.plural)
    }
}
