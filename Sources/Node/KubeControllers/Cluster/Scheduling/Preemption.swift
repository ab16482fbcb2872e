import JSON
import KubeObjects
internal import KubeSchema
internal import KubeStore

/// Which pods must leave so that a more important one fits (the plugin DefaultPreemption).
///
/// Invariants
/// 1. Every victim has a lower priority than the pod. (test: `only pods of lower priority are driven out`)
/// 2. No victim could stay. (test: `as few and as unimportant pods as possible are driven out`)
package struct Preemption {
    let view: any ObjectView
    let rules: PlacementRules

    /// - Returns: the victims, the most important first; nil when the pod would not fit even then.
    package func victims(for pod: SchedulingPod, in room: NodeRoom) -> [SchedulingPod]? {
        var rest = room
        let candidates = room.pods.values.filter { $0.priority < pod.priority && !room.expected.contains($0.uid) }
            .sorted(by: SchedulingPod.precedes)
        guard !candidates.isEmpty else { return nil }
        for candidate in candidates { rest.remove(candidate) }
        guard rules.verdict(pod, rest).isPlace else { return nil }
        // Those whose budget would be overdrawn are let stay first.
        let (protected, free) = split(candidates)
        var victims: [SchedulingPod] = []
        for candidate in protected + free {
            rest.add(candidate)
            if rules.verdict(pod, rest).isPlace { continue }
            rest.remove(candidate)
            victims.append(candidate)
        }
        return victims.sorted(by: SchedulingPod.precedes)
    }

    /// Those whose eviction a disruption budget does not allow, and the others.
    private func split(_ pods: [SchedulingPod]) -> (protected: [SchedulingPod], free: [SchedulingPod]) {
        var budgets = view.objects(.podDisruptionBudgets, namespace: nil).map { stored in
            let budget = KubeObject(stored)
            let selector = (try? LabelSelector(object: budget.spec["selector"])) ?? .nothing
            let allowed = budget.status["disruptionsAllowed"]?.integer ?? 0
            return (budget: budget, selector: selector, left: allowed)
        }
        var (protected, free): ([SchedulingPod], [SchedulingPod]) = ([], [])
        for pod in pods {
            var isProtected = false
            for index in budgets.indices {
                let (budget, selector, _) = budgets[index]
                guard budget.namespace == pod.namespace, !selector.requirements.isEmpty,
                    selector.matches(pod.labels), budget.status["disruptedPods"]?[pod.name] == nil
                else { continue }
                budgets[index].left -= 1
                if budgets[index].left < 0 { isProtected = true }
            }
            if isProtected { protected.append(pod) } else { free.append(pod) }
        }
        return (protected, free)
    }
}

extension PlacementVerdict {
    /// Whether the pod can be there, now or when its volumes are made.
    var isPlace: Bool { self == .fits || self == .waitsForVolumes }
}
