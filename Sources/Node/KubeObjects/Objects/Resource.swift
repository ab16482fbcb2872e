package import KubeSchema
package import KubeStore

/// A resource of the API: what paths and rules name objects by. Kinds of custom resources have one like those built in.
package struct Resource: Hashable, Sendable, CustomStringConvertible {
    /// Empty for the core group.
    package let group: String
    package let version: String
    /// The name in paths: "deployments".
    package let plural: String
    package let kind: String
    package let isNamespaced: Bool

    package init(group: String, version: String, plural: String, kind: String, isNamespaced: Bool) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.isNamespaced = isNamespaced
    }

    package init(_ kind: Kind) {
        self.init(
            group: kind.id.group, version: kind.id.version, plural: kind.plural, kind: kind.id.kind,
            isNamespaced: kind.isNamespaced)
    }

    /// "v1", "apps/v1".
    package var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    package var gvk: GroupVersionKind { GroupVersionKind(group: group, version: version, kind: kind) }

    /// What the store knows its objects by, whatever the version: "apps/deployments", of the core group "pods". The events of
    /// events.k8s.io are those of the core group.
    package var storeName: String {
        group.isEmpty || group == "events.k8s.io" && plural == "events" ? plural : "\(group)/\(plural)"
    }

    /// As messages name it: "deployments.apps", "pods".
    package var description: String { group.isEmpty ? plural : "\(plural).\(group)" }

    package func scope(namespace: String? = nil) -> ResourceScope { ResourceScope(storeName, namespace: namespace) }

    package func key(namespace: String? = nil, _ name: String) -> ObjectKey {
        ObjectKey(storeName, namespace: isNamespaced ? namespace : nil, name)
    }

    private static func builtIn(_ group: String, _ version: String, _ plural: String) -> Resource {
        guard let kind = Schema.kubernetes.kind(group: group, version: version, plural: plural) else {
            preconditionFailure("\(plural).\(version).\(group) is no kind of the schema")
        }
        return Resource(kind)
    }

    package static let pods = builtIn("", "v1", "pods")
    package static let nodes = builtIn("", "v1", "nodes")
    package static let namespaces = builtIn("", "v1", "namespaces")
    package static let services = builtIn("", "v1", "services")
    package static let endpoints = builtIn("", "v1", "endpoints")
    package static let events = builtIn("", "v1", "events")
    package static let configMaps = builtIn("", "v1", "configmaps")
    package static let secrets = builtIn("", "v1", "secrets")
    package static let serviceAccounts = builtIn("", "v1", "serviceaccounts")
    package static let persistentVolumes = builtIn("", "v1", "persistentvolumes")
    package static let persistentVolumeClaims = builtIn("", "v1", "persistentvolumeclaims")
    package static let resourceQuotas = builtIn("", "v1", "resourcequotas")
    package static let limitRanges = builtIn("", "v1", "limitranges")
    package static let deployments = builtIn("apps", "v1", "deployments")
    package static let replicaSets = builtIn("apps", "v1", "replicasets")
    package static let statefulSets = builtIn("apps", "v1", "statefulsets")
    package static let daemonSets = builtIn("apps", "v1", "daemonsets")
    package static let controllerRevisions = builtIn("apps", "v1", "controllerrevisions")
    package static let jobs = builtIn("batch", "v1", "jobs")
    package static let cronJobs = builtIn("batch", "v1", "cronjobs")
    package static let horizontalPodAutoscalers = builtIn("autoscaling", "v2", "horizontalpodautoscalers")
    package static let podDisruptionBudgets = builtIn("policy", "v1", "poddisruptionbudgets")
    package static let networkPolicies = builtIn("networking.k8s.io", "v1", "networkpolicies")
    package static let ingresses = builtIn("networking.k8s.io", "v1", "ingresses")
    package static let endpointSlices = builtIn("discovery.k8s.io", "v1", "endpointslices")
    package static let leases = builtIn("coordination.k8s.io", "v1", "leases")
    package static let priorityClasses = builtIn("scheduling.k8s.io", "v1", "priorityclasses")
    package static let runtimeClasses = builtIn("node.k8s.io", "v1", "runtimeclasses")
    package static let storageClasses = builtIn("storage.k8s.io", "v1", "storageclasses")
    package static let roles = builtIn("rbac.authorization.k8s.io", "v1", "roles")
    package static let roleBindings = builtIn("rbac.authorization.k8s.io", "v1", "rolebindings")
    package static let clusterRoles = builtIn("rbac.authorization.k8s.io", "v1", "clusterroles")
    package static let clusterRoleBindings = builtIn("rbac.authorization.k8s.io", "v1", "clusterrolebindings")
}
