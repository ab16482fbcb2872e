import JSON
import KubeObjects

// What a DaemonSet's status says: `kubectl rollout status` reads it.
extension DaemonSetStep {
    mutating func writeStatus() {
        var (current, misscheduled, ready, available, updated): (Int64, Int64, Int64, Int64, Int64) = (0, 0, 0, 0, 0)
        for place in places {
            guard place.fit.runs else {
                if !place.pods.isEmpty { misscheduled += 1 }
                continue
            }
            guard !place.pods.isEmpty else { continue }
            current += 1
            // Of an old and a new one on a node any that works counts.
            if place.pods.contains(where: { $0.isReadyPod && !$0.isBeingDeleted }) { ready += 1 }
            var isAnyAvailable = false
            for pod in place.pods where isAvailable(pod) { isAnyAvailable = true }
            if isAnyAvailable { available += 1 }
            if place.running.contains(where: isCurrent) { updated += 1 }
        }
        var status = set.status
        status["currentNumberScheduled"] = .integer(current)
        status["numberMisscheduled"] = .integer(misscheduled)
        status["desiredNumberScheduled"] = .integer(desired)
        status["numberReady"] = .integer(ready)
        status["observedGeneration"] = .integer(set.metadata.generation ?? 0)
        status.set("updatedNumberScheduled", count: updated)
        status.set("numberAvailable", count: available)
        status.set("numberUnavailable", count: desired - available)
        guard status != set.status else { return }
        var changed = set
        changed.status = status
        actions.append(.update(.daemonSets, changed, subresource: "status"))
    }
}
