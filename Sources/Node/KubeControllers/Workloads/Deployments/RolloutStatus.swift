import JSON
import KubeObjects
import Linux

// What a Deployment's status says: `kubectl rollout status` and `kubectl wait` read it.
extension Rollout {
    /// Whether all pods are of the current template and available.
    func isComplete(_ status: JSONValue) -> Bool {
        status.count("updatedReplicas") == replicas && status.count("replicas") == replicas
            && status.count("availableReplicas") == replicas
            && status.count("observedGeneration") >= deployment.metadata.generation ?? 0
    }

    /// - Parameter isRollout: whether progress is judged, which it is not while only the size changes.
    mutating func writeStatus(isRollout: Bool) {
        var status = counted()
        judgeAvailability(status)
        if isRollout {
            judgeProgress(status)
            takeOverFailures()
        }
        conditions.write(to: &status)
        guard status != before.status else { return }
        var changed = deployment
        changed.status = status
        actions.append(.update(.deployments, changed, subresource: "status"))
    }

    private func counted() -> JSONValue {
        let sets = allSets
        func sum(_ field: String) -> Int64 { sets.reduce(0) { $0 + $1.status.count(field) } }
        var status = before.status
        let available = sum("availableReplicas")
        status["observedGeneration"] = .integer(deployment.metadata.generation ?? 0)
        status.set("replicas", count: sum("replicas"))
        status.set("updatedReplicas", count: newSet?.status.count("replicas") ?? 0)
        status.set("readyReplicas", count: sum("readyReplicas"))
        status.set("availableReplicas", count: available)
        status.set("unavailableReplicas", count: max(0, sets.reduce(0) { $0 + $1.wanted } - available))
        let knowAll = sets.allSatisfy { $0.status["terminatingReplicas"] != nil }
        status["terminatingReplicas"] = knowAll ? .integer(sum("terminatingReplicas")) : nil
        return status
    }

    private mutating func judgeAvailability(_ status: JSONValue) {
        if status.count("availableReplicas") >= replicas - maxUnavailable {
            conditions.set(
                "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now,
                touched: "lastUpdateTime")
        } else {
            conditions.set(
                "Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.",
                now, touched: "lastUpdateTime")
        }
    }

    private mutating func judgeProgress(_ status: JSONValue) {
        guard let deadline = Self.deadline(of: deployment) else { return conditions.remove("Progressing") }
        let current = conditions["Progressing"]
        let reason = current?["reason"]?.string
        let wasComplete =
            status.count("replicas") == status.count("updatedReplicas") && reason == "NewReplicaSetAvailable"
        guard !wasComplete else { return }
        let what = newSet.map { "ReplicaSet \"\($0.name)\"" } ?? "Deployment \"\(deployment.name)\""
        if isComplete(status) {
            progressing("True", "NewReplicaSetAvailable", "\(what) has successfully progressed.")
        } else if hasProgressed(status) {
            conditions.put(
                "Progressing", "True", "ReplicaSetUpdated", "\(what) is progressing.", now, touched: "lastUpdateTime")
            checkAgain(deadline)
        } else if isOverdue(deadline) {
            progressing("False", "ProgressDeadlineExceeded", "\(what) has timed out progressing.")
        } else {
            checkAgain(deadline)
        }
    }

    private func hasProgressed(_ status: JSONValue) -> Bool {
        let old = before.status
        func outdated(_ status: JSONValue) -> Int64 { status.count("replicas") - status.count("updatedReplicas") }
        return status.count("updatedReplicas") > old.count("updatedReplicas") || outdated(status) < outdated(old)
            || status.count("readyReplicas") > old.count("readyReplicas")
            || status.count("availableReplicas") > old.count("availableReplicas")
    }

    private var lastUpdate: Timestamp? {
        conditions["Progressing"]?["lastUpdateTime"]?.string.flatMap { Timestamp($0) }
    }

    private func isOverdue(_ deadline: Int64) -> Bool {
        let reason = conditions["Progressing"]?["reason"]?.string
        guard let lastUpdate, reason != "NewReplicaSetAvailable" else { return false }
        return reason == "ProgressDeadlineExceeded" || lastUpdate.adding(seconds: deadline) < now
    }

    /// The condition's time has whole seconds, so a second is added.
    private mutating func checkAgain(_ deadline: Int64) {
        guard let moment = lastUpdate?.adding(seconds: deadline + 1), moment > now else { return }
        again = moment
    }

    /// Failures to make pods are told by the sets: those of the new one first.
    private mutating func takeOverFailures() {
        let sets = (newSet.map { [$0] } ?? []) + oldSets
        guard let failure = sets.lazy.compactMap({ Conditions($0.status)["ReplicaFailure"] }).first else {
            return conditions.remove("ReplicaFailure")
        }
        let current = conditions["ReplicaFailure"]
        guard current?["status"] != failure["status"] || current?["reason"] != failure["reason"] else { return }
        var condition = failure
        condition["lastUpdateTime"] = failure["lastTransitionTime"]
        conditions.remove("ReplicaFailure")
        conditions.list.append(condition)
    }
}
