internal import JSON
package import KubeObjects
internal import KubeSchema
package import KubeStore
package import Linux

/// Keeps count of how many pods of each disruption budget may be evicted (disruption controller). The eviction itself is the
/// server's.
///
/// Invariant: a pod whose eviction was allowed does not count as healthy until it is gone, or two minutes have passed.
/// (test: `an allowed eviction counts until the pod has gone`)
package struct DisruptionController: Controller {
    package let name = "controllermanager"
    package let resources: [Resource] = [.podDisruptionBudgets, .pods] + ExpectedPods.resources
    /// Seconds after which an eviction that did not happen is forgotten.
    static let deletionTimeout: Int64 = 120

    package init() {}

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        switch change.resource {
        case .podDisruptionBudgets: return change.new.map { [$0.key] } ?? []
        case .pods:
            let pods = [change.old, change.new].compactMap { $0?.value }
            if pods.count == 2, Self.aspect(pods[0]) == Self.aspect(pods[1]) { return [] }
            return budgets(change.key.namespace, in: view).filter { budget in
                let selector = Self.selector(KubeObject(budget))
                return pods.contains { selector.matches($0["metadata", "labels"]) }
            }.map(\.key)
        default:
            if let old = change.old, let new = change.new,
                old.value["spec", "replicas"] == new.value["spec", "replicas"]
            {
                return []
            }
            return budgets(change.key.namespace, in: view).map(\.key)
        }
    }

    private func budgets(_ namespace: String?, in view: any ObjectView) -> [StoredObject] {
        view.objects(.podDisruptionBudgets, namespace: namespace)
    }

    private static func aspect(_ pod: JSONValue) -> [JSONValue?] {
        [
            pod["metadata", "labels"], pod["metadata", "ownerReferences"], pod["metadata", "deletionTimestamp"],
            .bool(ServicePods.isReady(pod)), .bool(SchedulingPod.isFinished(pod)),
        ]
    }

    private static func selector(_ budget: KubeObject) -> LabelSelector {
        (try? LabelSelector(object: budget.spec["selector"])) ?? .nothing
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Linux.Timestamp) -> Decision {
        guard let budget = view.get(.podDisruptionBudgets, namespace: key.namespace, key.name).map(KubeObject.init),
            !budget.isBeingDeleted
        else { return Decision() }
        let selector = Self.selector(budget)
        let pods = view.objects(.pods, namespace: key.namespace).filter {
            selector.matches($0.value["metadata", "labels"])
        }.map(KubeObject.init)
        let count = DisruptionCount(budget, pods, view: view, now: now)
        var new = budget
        new.status = count.status(of: budget, now: now)
        var actions: [ObjectAction] = []
        if new.status != budget.status {
            actions.append(.update(.podDisruptionBudgets, new, subresource: "status"))
            for (type, reason, message) in count.events(budget) {
                actions.append(.event(budget, .podDisruptionBudgets, type: type, reason: reason, message: message))
            }
        }
        return Decision(actions, again: count.recheck)
    }
}
