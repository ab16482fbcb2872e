internal import JSON
package import KubeObjects
package import KubeStore
package import Linux

/// Removes pods that nobody else would: the oldest of too many that have ended, those of a node that is not there, and those
/// that were deleted before they came to a node (pod-garbage-collector-controller).
package struct PodGarbageCollector: Controller {
    package let name = "pod-garbage-collector-controller"
    package let resources: [Resource] = [.pods, .nodes]
    /// Kubernetes keeps 12,500 for thousands of nodes.
    package static let threshold = 1000

    private let threshold: Int
    private static let key = Resource.nodes.key("ended-pods")

    package init(threshold: Int = PodGarbageCollector.threshold) { self.threshold = threshold }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        if change.resource == .nodes { return change.new == nil ? [Self.key] : [] }
        guard let pod = change.new?.value else { return [] }
        let isNews = change.old.map { isCandidate($0.value, view) } != isCandidate(pod, view)
        return isNews && isCandidate(pod, view) ? [Self.key] : []
    }

    private func isCandidate(_ pod: JSONValue, _ view: any ObjectView) -> Bool {
        SchedulingPod.isFinished(pod) || isStuck(pod) || isOrphaned(pod, view)
    }

    /// Deleted, and on no node that could end it.
    private func isStuck(_ pod: JSONValue) -> Bool {
        pod["metadata", "deletionTimestamp"] != nil && (pod["spec", "nodeName"]?.string ?? "").isEmpty
    }

    private func isOrphaned(_ pod: JSONValue, _ view: any ObjectView) -> Bool {
        guard let node = pod["spec", "nodeName"]?.string, !node.isEmpty else { return false }
        return view.get(.nodes, namespace: nil, node) == nil
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Timestamp) -> Decision {
        var ended: [StoredObject] = []
        var others: [StoredObject] = []
        // Without a node at all this one is being registered.
        let hasNode = !view.objects(.nodes, namespace: nil).isEmpty
        for pod in view.objects(.pods, namespace: nil) {
            if isStuck(pod.value) || hasNode && isOrphaned(pod.value, view) {
                others.append(pod)
            } else if SchedulingPod.isFinished(pod.value), pod.value["metadata", "deletionTimestamp"] == nil {
                ended.append(pod)
            }
        }
        let old = ended.sorted { a, b in
            let (aTime, bTime) = (created(a), created(b))
            return aTime != bTime ? aTime < bTime : a.key < b.key
        }.prefix(max(0, ended.count - threshold))
        return Decision(
            (others.sorted { $0.key < $1.key } + old).map { pod in
                let options = DeletionOptions(gracePeriodSeconds: 0, uid: pod.uid)
                return .delete(.pods, namespace: pod.key.namespace, name: pod.key.name, options)
            })
    }

    private func created(_ pod: StoredObject) -> String { pod.value["metadata", "creationTimestamp"]?.string ?? "" }
}
