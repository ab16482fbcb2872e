import JSON
import KubeObjects
import KubeStore

// The ReplicaSet of the current template, and the revision it stands for.
extension Rollout {
    private var newestOldRevision: Int64 { oldSets.map(RevisionAnnotations.revision).max() ?? 0 }

    /// Gives the new set, when there is one, its revision and annotations, and the Deployment its revision.
    mutating func syncRevision() {
        guard var set = newSet else { return }
        RevisionAnnotations.set(&set, from: deployment, revision: newestOldRevision + 1)
        let minReady = deployment.spec["minReadySeconds"]?.integer ?? 0
        if set.spec["minReadySeconds"]?.integer ?? 0 != minReady {
            set.json["spec", default: [:]].set("minReadySeconds", count: minReady)
        }
        if set != newSet {
            replace(set)
            actions.append(.update(.replicaSets, set))
        }
        note(revision: RevisionAnnotations.revision(set))
        if Self.deadline(of: deployment) != nil, conditions["Progressing"] == nil {
            progressing("True", "FoundNewReplicaSet", "Found new replica set \"\(set.name)\"")
        }
    }

    /// Makes the new set when there is none, as large as it may be.
    mutating func makeNewSet() {
        guard newSet == nil else { return }
        let revision = newestOldRevision + 1
        var set = template()
        set.json["spec", default: [:]]["replicas"] = 0
        set.json["spec", default: [:]]["replicas"] = .integer(newSize(of: set, beside: oldSets))
        RevisionAnnotations.set(&set, from: deployment, revision: revision)
        RevisionAnnotations.setSizes(&set, replicas: replicas, most: replicas + maxSurge)
        newSet = set
        actions.append(.create(.replicaSets, set))
        if set.wanted > 0 { say("Scaled up replica set \(set.name) from 0 to \(set.wanted)") }
        note(revision: revision)
        if Self.deadline(of: deployment) != nil {
            progressing("True", "NewReplicaSetCreated", "Created new replica set \"\(set.name)\"")
        }
    }

    private func template() -> KubeObject {
        let hash = StableHash.template(
            deployment.spec["template"], collisions: deployment.status.count("collisionCount"))
        var set = KubeObject(json: ["apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": [:]])
        set.metadata.name = "\(deployment.name)-\(hash)"
        set.metadata.namespace = deployment.namespace
        set.metadata.ownerReferences = [OwnerReference(controller: deployment, .deployments)]
        var template = deployment.spec["template"] ?? [:]
        template["metadata", default: [:]]["labels", default: [:]][Self.hashLabel] = .string(hash)
        var selector = deployment.spec["selector"] ?? [:]
        selector["matchLabels", default: [:]][Self.hashLabel] = .string(hash)
        set.json["metadata", default: [:]]["labels"] = template["metadata", "labels"]
        var spec: JSONValue = ["replicas": 0, "selector": selector, "template": template]
        spec.set("minReadySeconds", count: deployment.spec["minReadySeconds"]?.integer ?? 0)
        set.spec = spec
        return set
    }

    private mutating func note(revision: Int64) {
        guard deployment.annotation(RevisionAnnotations.revision) != String(revision) else { return }
        deployment.metadata.annotations[RevisionAnnotations.revision] = String(revision)
        actions.append(.update(.deployments, deployment))
    }
}
