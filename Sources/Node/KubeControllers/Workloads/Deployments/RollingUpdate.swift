import JSON
import KubeObjects

// The strategies of a rollout: how pods go from old sets to the new one.
extension Rollout {
    /// RollingUpdate: grow the new set as far as the surge allows, else shrink the old ones as far as the new pods are
    /// available.
    mutating func roll() {
        makeNewSet()
        guard let set = newSet else { return }
        if set.wanted != replicas {
            let size = set.wanted > replicas ? replicas : newSize(of: set, beside: oldSets)
            if size != set.wanted { return scale(set, to: size) }
        }
        if shrinkOldSets() { return }
        if isComplete(before.status) { cleanUp() }
    }

    private mutating func shrinkOldSets() -> Bool {
        guard let set = newSet, oldSets.contains(where: { $0.wanted > 0 }) else { return false }
        let total = allSets.reduce(0) { $0 + $1.wanted }
        let least = replicas - maxUnavailable
        let newUnavailable = set.wanted - set.available
        let spare = total - least - newUnavailable
        guard spare > 0 else { return false }
        let cleaned = removeUnhealthy(atMost: spare)
        return removeAvailable(downTo: least) + cleaned > 0
    }

    /// Pods that are not available anyhow go first: they would hold up the rollout.
    private mutating func removeUnhealthy(atMost limit: Int64) -> Int64 {
        var removed: Int64 = 0
        for set in oldSets where removed < limit && set.wanted > set.available {
            let count = min(limit - removed, set.wanted - set.available)
            scale(set, to: set.wanted - count)
            removed += count
        }
        return removed
    }

    private mutating func removeAvailable(downTo least: Int64) -> Int64 {
        let available = allSets.reduce(0) { $0 + $1.available }
        var removed: Int64 = 0
        for set in oldSets where removed < available - least && set.wanted > 0 {
            let count = min(set.wanted, available - least - removed)
            scale(set, to: set.wanted - count)
            removed += count
        }
        return removed
    }

    /// Recreate: all old pods end before the first new one is made.
    mutating func recreate() {
        let old = oldSets.filter { $0.wanted > 0 }
        for set in old { scale(set, to: 0) }
        guard old.isEmpty, !oldPodsRun else { return }
        makeNewSet()
        if let set = newSet, set.wanted != replicas { scale(set, to: replicas) }
        if isComplete(before.status) { cleanUp() }
    }

    private var oldPodsRun: Bool {
        if oldSets.contains(where: { $0.status.count("replicas") > 0 }) { return true }
        let uids = Set(oldSets.map(\.uid))
        return view.objects(.pods, namespace: deployment.namespace).contains { stored in
            let pod = KubeObject(stored)
            return !pod.hasEnded && pod.metadata.controller.map { uids.contains($0.uid) } ?? false
        }
    }
}

extension KubeObject {
    /// How many pods of a set are available: never more than it shall have, since a status may be older than the size, and
    /// what is on its way out is nothing to count on.
    var available: Int64 { min(status.count("availableReplicas"), wanted) }
}
