import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux

/// The pods of a ReplicaSet, and what its status says of them.
struct ReplicaSetPods {
    let claim: Claim
    /// All in the namespace.
    let names: [String]
    private let terminating: Int64

    var active: [KubeObject] { claim.owned }

    init(of set: KubeObject, _ kind: ReplicatedKind, in view: any ObjectView) {
        let pods = view.objects(.pods, namespace: set.namespace).map { KubeObject($0) }
        names = pods.map(\.name)
        claim = Claim(pods.filter(\.isActivePod), .pods, by: set, kind.resource, kind.selector(set))
        terminating = Int64(pods.count { $0.isTerminatingPod && $0.metadata.controller?.uid == set.uid })
    }

    /// The status as it should be, and when a pod becomes available by waiting.
    func status(
        of set: KubeObject, _ kind: ReplicatedKind, _ now: Linux.Timestamp
    ) -> (value: JSONValue, nextAvailable: Linux.Timestamp?) {
        let minReadySeconds = set.spec["minReadySeconds"]?.integer ?? 0
        let labels = set.json["spec", "template", "metadata", "labels"]?.object?.members ?? []
        var (ready, available, labelled): (Int64, Int64, Int64) = (0, 0, 0)
        var next: Linux.Timestamp?
        for pod in active {
            if labels.allSatisfy({ pod.label($0.key) == $0.value.string }) { labelled += 1 }
            if pod.isReadyPod { ready += 1 }
            switch PodAvailability(pod, minReadySeconds: minReadySeconds, now) {
            case .available: available += 1
            case .from(let moment): next = next.map { min($0, moment) } ?? moment
            case .unready: break
            }
        }
        var status = set.status
        status["replicas"] = .integer(Int64(active.count))
        status.set("fullyLabeledReplicas", count: labelled)
        status.set("readyReplicas", count: ready)
        status.set("availableReplicas", count: available)
        if kind.countsTerminating { status["terminatingReplicas"] = .integer(terminating) }
        status["observedGeneration"] = .integer(set.metadata.generation ?? 0)
        var conditions = Conditions(status)
        conditions.remove("ReplicaFailure")
        conditions.write(to: &status)
        return (status, next)
    }
}
