internal import JSON
package import KubeObjects
package import KubeStore
package import Linux

/// Puts pods on the one node. It decides for the node as a whole, for all pods that wait at once: what the first takes is gone
/// for the next.
///
/// Priorities order the queue; a pod that does not fit drives out less important ones as in Kubernetes. Scores do not exist:
/// there is nothing to choose from. Taints with NoExecute keep pods away and drive out none that run, whoever set them:
/// there is no other node to run on. `tolerationSeconds` therefore has no effect; whoever sets such a taint is warned.
///
/// Invariants
/// 1. What pods on the node request is never more than it has to give.
///    (test: `whatever pods come and go, the node is never given more than it has`)
/// 2. Deciding again without a change does nothing. (test: `a second decision has nothing to do`)
package struct NodeScheduler: Controller {
    package let name = "default-scheduler"
    package let resources: [Resource] = [
        .pods, .nodes, .namespaces, .persistentVolumeClaims, .persistentVolumes, .storageClasses,
        .podDisruptionBudgets,
    ]
    let node: String
    private let pods = SchedulingPods()

    /// - Parameter node: name of the Node object.
    package init(node: String) { self.node = node }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        pods.forget(change)
        return matters(change) ? [Resource.nodes.key(node)] : []
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Timestamp) -> Decision {
        guard key.name == node else { return Decision() }
        var placed: [StoredObject] = []
        var waiting: [SchedulingPod] = []
        for stored in view.objects(.pods, namespace: nil) {
            let json = stored.value
            guard !SchedulingPod.isFinished(json) else { continue }
            let place = json["spec", "nodeName"]?.string ?? ""
            if place == node {
                placed.append(stored)
            } else if place.isEmpty, waits(json) {
                waiting.append(pods.pod(stored))
            }
        }
        guard !waiting.isEmpty else { return Decision() }
        var plan = SchedulingPlan(view: view, now: now, node: node)
        guard let stored = view.get(.nodes, namespace: nil, node) else {
            for pod in waiting.sorted(by: SchedulingPod.precedes) {
                plan.report(pod, "no nodes available to schedule pods")
            }
            return Decision(plan.actions)
        }
        var room = NodeRoom(SchedulingNode(KubeObject(stored)))
        for pod in placed { room.add(pods.pod(pod)) }
        for pod in waiting.sorted(by: SchedulingPod.precedes) { plan.place(pod, &room) }
        return Decision(plan.actions)
    }

    /// Pods of this scheduler that nothing holds back.
    private func waits(_ pod: JSONValue) -> Bool {
        let scheduler = pod["spec", "schedulerName"]?.string ?? ""
        return (scheduler.isEmpty || scheduler == name) && pod["metadata", "deletionTimestamp"] == nil
            && (pod["spec", "schedulingGates"]?.array ?? []).isEmpty
    }

    /// Whether a change can let a pod in, or brings one. Most changes, of what runs, cannot.
    private func matters(_ change: ObjectCache.Change) -> Bool {
        guard let old = change.old?.value, let new = change.new?.value else { return true }
        switch change.resource {
        case .pods:
            return old["spec"] != new["spec"] || old["metadata", "labels"] != new["metadata", "labels"]
                || (old["metadata", "deletionTimestamp"] == nil) != (new["metadata", "deletionTimestamp"] == nil)
                || SchedulingPod.isFinished(old) != SchedulingPod.isFinished(new)
                || allocated(old) != allocated(new)
        case .nodes:
            return old["spec"] != new["spec"] || old["metadata", "labels"] != new["metadata", "labels"]
                || old["status", "allocatable"] != new["status", "allocatable"]
        default: return true
        }
    }

    private func allocated(_ pod: JSONValue) -> [JSONValue?] {
        (pod["status", "containerStatuses"]?.array ?? []).flatMap { [$0["allocatedResources"], $0["resources"]] }
    }
}
