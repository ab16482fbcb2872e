import JSON
import KubeObjects

// What a StatefulSet's status says: `kubectl rollout status` reads it.
extension StatefulSetStep {
    mutating func writeStatus() {
        var status = set.status
        func count(_ condition: (KubeObject) -> Bool) -> Int64 { Int64(pods.count(where: condition)) }
        let revision = StatefulSetSpec.revisionLabel
        var available: Int64 = 0
        for pod in pods where isAvailable(pod) { available += 1 }
        let total = count { !$0.phase.isEmpty }
        let ready = count(\.isRunningAndReady)
        let updated = count { !$0.isBeingDeleted && $0.label(revision) == update.name }
        var currentName = current.name
        var currentCount = count { !$0.isBeingDeleted && $0.label(revision) == current.name }
        // The update is through: what was new is current.
        if spec.updatesItself, updated == spec.replicas, total == spec.replicas, ready == spec.replicas {
            currentName = update.name
            currentCount = updated
        }
        status["observedGeneration"] = .integer(set.metadata.generation ?? 0)
        status["replicas"] = .integer(total)
        status.set("readyReplicas", count: ready)
        status["availableReplicas"] = .integer(available)
        status.set("currentReplicas", count: currentCount)
        status.set("updatedReplicas", count: updated)
        status["currentRevision"] = .string(currentName)
        status["updateRevision"] = .string(update.name)
        status["collisionCount"] = .integer(set.status.count("collisionCount"))
        guard status != set.status else { return }
        var changed = set
        changed.status = status
        actions.append(.update(.statefulSets, changed, subresource: "status"))
    }
}
