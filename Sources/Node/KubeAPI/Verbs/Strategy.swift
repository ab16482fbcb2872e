import KubeObjects
import KubeSchema

/// How the verbs treat a kind, where kinds differ (the registry strategies of kube-apiserver).
struct Strategy: Hashable, Sendable {
    /// Whether the status is written by itself, and dropped from other writes.
    var hasStatus: Bool
    /// Whether `metadata.generation` counts changes of what is asked for.
    var countsGenerations = false
    /// Whether an update may leave out the resourceVersion.
    var updatesUnconditionally = true
    /// Whether an update of what is not there makes it.
    var createsOnUpdate = false
    /// Whether a deletion answers with the object instead of a Status.
    var returnsDeleted = false
    /// Whether dependents stay when nothing else is said.
    var orphansByDefault = false

    init(_ served: ServedKind) {
        let kind = served.kind
        hasStatus = kind.has(subresource: "status")
        guard served.custom == nil else {
            countsGenerations = true
            updatesUnconditionally = false
            return
        }
        let name = Self.name(kind)
        countsGenerations = Self.counted.contains(name)
        updatesUnconditionally = !Self.conditional.contains(name)
        createsOnUpdate = Self.created.contains(name)
        returnsDeleted = Self.returned.contains(name)
        orphansByDefault = name == "ReplicationController"
    }

    private static func name(_ kind: Kind) -> String {
        kind.id.group.isEmpty ? kind.id.kind : "\(kind.id.kind).\(kind.id.group)"
    }

    private static let counted: Set<String> = [
        "Deployment.apps", "ReplicaSet.apps", "StatefulSet.apps", "DaemonSet.apps", "Job.batch", "CronJob.batch",
        "ReplicationController", "Pod", "Ingress.networking.k8s.io", "IngressClass.networking.k8s.io",
        "NetworkPolicy.networking.k8s.io", "PodDisruptionBudget.policy", "EndpointSlice.discovery.k8s.io",
        "PriorityClass.scheduling.k8s.io", "CustomResourceDefinition.apiextensions.k8s.io",
    ]
    private static let conditional: Set<String> = [
        "Lease.coordination.k8s.io", "PodDisruptionBudget.policy", "CustomResourceDefinition.apiextensions.k8s.io",
    ]
    private static let created: Set<String> = [
        "Lease.coordination.k8s.io", "Event", "Event.events.k8s.io", "Endpoints", "LimitRange", "Service",
        "Role.rbac.authorization.k8s.io", "ClusterRole.rbac.authorization.k8s.io",
        "RoleBinding.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io",
    ]
    private static let returned: Set<String> = [
        "Pod", "PodTemplate", "Service", "ServiceAccount", "ResourceQuota", "PersistentVolume", "PersistentVolumeClaim",
    ]
}
