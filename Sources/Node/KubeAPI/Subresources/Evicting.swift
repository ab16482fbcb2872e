import JSON
import KubeObjects
import KubeSchema
import KubeStore

/// Whether a pod may be evicted, by the budgets that select it (`EvictionREST` of the pod registry). Pure.
///
/// Invariant: an eviction that a budget has to allow takes one from what it allows, in the same commit in which the pod
/// goes. (test: `of two evictions that a budget allows one of, one is refused`)
enum Eviction {
    enum Decision: Hashable, Sendable {
        /// No budget has a say.
        case free
        /// The budget as it is after it has allowed one more.
        case counted(JSONValue)
    }

    /// - Parameter budgets: those of the pod's namespace.
    static func decide(
        _ pod: JSONValue, _ budgets: [JSONValue], now: Timestamp
    ) throws(APIFailure) -> Decision {
        if ["Succeeded", "Failed", "Pending"].contains(pod["status", "phase"]?.string ?? "")
            || pod["metadata", "deletionTimestamp"] != nil
        {
            return .free
        }
        let matching = budgets.filter { budget in
            (try? LabelSelector(object: budget["spec", "selector"]))?.matches(pod["metadata", "labels"]) == true
        }
        guard let budget = matching.first else { return .free }
        guard matching.count == 1 else {
            throw APIFailure(
                500, "",
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.")
        }
        let status = budget["status"] ?? [:]
        if !isReady(pod) {
            if budget["spec", "unhealthyPodEvictionPolicy"] == "AlwaysAllow" { return .free }
            let (healthy, desired) = (status["currentHealthy"]?.integer ?? 0, status["desiredHealthy"]?.integer ?? 0)
            if healthy >= desired, desired > 0 { return .free }
        }
        return .counted(try counted(budget, status, pod, now))
    }

    private static func isReady(_ pod: JSONValue) -> Bool {
        (pod["status", "conditions"]?.array ?? []).contains { $0["type"] == "Ready" && $0["status"] == "True" }
    }

    private static func counted(
        _ budget: JSONValue, _ status: JSONValue, _ pod: JSONValue, _ now: Timestamp
    ) throws(APIFailure) -> JSONValue {
        let name = budget["metadata", "name"]?.string ?? ""
        guard (status["observedGeneration"]?.integer ?? 0) >= (budget["metadata", "generation"]?.integer ?? 0) else {
            throw refused("The disruption budget \(name) is still being processed by the server.", after: 10)
        }
        let allowed = status["disruptionsAllowed"]?.integer ?? 0
        guard allowed >= 0 else {
            throw .forbidden(.podDisruptionBudgets, name, "pdb disruptions allowed is negative")
        }
        guard allowed > 0 else {
            throw refused(
                "The disruption budget \(name) needs \(status["desiredHealthy"]?.integer ?? 0) healthy pods and has "
                    + "\(status["currentHealthy"]?.integer ?? 0) currently")
        }
        guard (status["disruptedPods"]?.object?.count ?? 0) <= 2000 else {
            throw .forbidden(
                .podDisruptionBudgets, name,
                "DisruptedPods map too big - too many evictions not confirmed by PDB controller")
        }
        var budget = budget
        budget["status", "disruptionsAllowed"] = .integer(allowed - 1)
        budget["status", "disruptedPods", pod["metadata", "name"]?.string ?? ""] = .string(now.kubeTime)
        return budget
    }

    private static func refused(_ cause: String, after seconds: Int64? = nil) -> APIFailure {
        var details: JSONValue = [
            "causes": [["reason": "DisruptionBudget", "message": .string(cause)]]
        ]
        if let seconds { details["retryAfterSeconds"] = .integer(seconds) }
        return APIFailure(
            429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.",
            details: details)
    }
}

extension APIServer {
    static let evictions: ServedKind = {
        guard let kind = Schema.kubernetes.kind(group: "policy", version: "v1", plural: "evictions") else {
            preconditionFailure("the schema has no policy/v1 Eviction")
        }
        return ServedKind(kind, in: .kubernetes)
    }()

    /// - Parameter call: the pod.
    func evict(_ call: Call, _ options: DeleteOptions) async throws(APIFailure) {
        let key = try call.key()
        while true {
            let result: Result<Void, APIFailure>
            do throws(ObjectStoreFailure) { result = try await evictOnce(call, key, options) } catch {
                guard case .conflict = error, !Task.isCancelled else { throw failure(error, call) }
                continue
            }
            return try result.get()
        }
    }

    private func evictOnce(
        _ call: Call, _ key: ObjectKey, _ options: DeleteOptions
    ) async throws(ObjectStoreFailure) -> Result<Void, APIFailure> {
        let pod = try await store.get(key)
        let budgets = try await store.list(ListRequest(Resource.podDisruptionBudgets.scope(namespace: call.namespace)))
        let now = time()
        var writes: [ObjectWrite] = []
        do throws(APIFailure) {
            if case .counted(let budget) = try Eviction.decide(pod.value, budgets.objects.map(\.value), now: now) {
                let name = budget["metadata", "name"]?.string ?? ""
                let budgetKey = Resource.podDisruptionBudgets.key(namespace: call.namespace, name)
                let revision = budgets.objects.first { $0.key == budgetKey }?.revision
                writes.append(.update(budgetKey, budget, if: Precondition(revision: revision)))
            }
            let precondition = Precondition(revision: pod.revision)
            switch try Deletion.decide(pod.value, options, Strategy(call.served), call.kind, now: now) {
            case .remove: writes.append(.delete(key, if: precondition))
            case .mark(let object): writes.append(.update(key, object, if: precondition))
            case .pending: return .success(())
            }
        } catch { return .failure(error) }
        guard !options.isDryRun else { return .success(()) }
        try await store.commit(writes)
        return .success(())
    }
}
