import JSON
import KubeObjects

/// The annotations by which a Deployment keeps its history in its ReplicaSets.
enum RevisionAnnotations {
    static let revision = "deployment.kubernetes.io/revision"
    static let history = "deployment.kubernetes.io/revision-history"
    static let desired = "deployment.kubernetes.io/desired-replicas"
    static let most = "deployment.kubernetes.io/max-replicas"
    private static let lastApplied = "kubectl.kubernetes.io/last-applied-configuration"
    private static let deprecatedRollback = "deprecated.deployment.rollback.to"
    private static let notCopied: Set<String> = [lastApplied, revision, history, desired, most, deprecatedRollback]
    /// Of the history annotation, so that it never fills an object.
    private static let longestHistory = 2000

    static func revision(_ set: KubeObject) -> Int64 { set.annotation(revision).flatMap { Int64($0) } ?? 0 }

    /// Copies the Deployment's annotations to its new set and gives it its revision, the greatest of all.
    static func set(_ set: inout KubeObject, from deployment: KubeObject, revision newest: Int64) {
        var annotations = set.metadata.annotations
        for (key, value) in deployment.metadata.annotations where !notCopied.contains(key) { annotations[key] = value }
        let old = revision(set)
        if old < newest {
            if let before = annotations[revision] { annotations[history] = longer(annotations[history], before) }
            annotations[revision] = String(newest)
        }
        if annotations != set.metadata.annotations { set.metadata.annotations = annotations }
    }

    static func setSizes(_ set: inout KubeObject, replicas: Int64, most: Int64) {
        var annotations = set.metadata.annotations
        annotations[desired] = String(replicas)
        annotations[Self.most] = String(most)
        if annotations != set.metadata.annotations { set.metadata.annotations = annotations }
    }

    private static func longer(_ history: String?, _ revision: String) -> String {
        var parts = (history ?? "").split(separator: ",").map(String.init) + [revision]
        while parts.count > 1, parts.reduce(parts.count, { $0 + $1.utf8.count }) > longestHistory {
            parts.removeFirst()
        }
        return parts.joined(separator: ",")
    }
}
