import JSON
import KubeObjects
internal import KubeStore

/// The rules by which the default scheduler of Kubernetes filters nodes, asked for the one node there is, in its order: the
/// first rule that refuses names the reasons.
package struct PlacementRules {
    let view: any ObjectView

    package func verdict(_ pod: SchedulingPod, _ room: NodeRoom) -> PlacementVerdict {
        let claims = ClaimRules(view: view).verdict(pod, room.node)
        if case .impossible = claims { return claims }
        let node = room.node
        let spec = pod.object.spec
        if node.isUnschedulable, !toleratesCordon(spec) { return hopeless("node(s) were unschedulable") }
        if Tolerations.untolerated(node.taints, by: spec, effects: ["NoSchedule", "NoExecute"]) != nil {
            return hopeless("node(s) had untolerated taint(s)")
        }
        if !NodeRequirements.admit(spec, node) {
            return hopeless("node(s) didn't match Pod's node affinity/selector")
        }
        if !room.hasFree(pod.hostPorts) {
            return refused("node(s) didn't have free ports for the requested pod ports")
        }
        let shortage = room.shortage(for: pod)
        if !shortage.reasons.isEmpty {
            return .refused(reasons: shortage.reasons, isHopeless: shortage.isHopeless)
        }
        if let holder = ClaimRules(view: view).exclusiveHolder(pod, room) { return refused(holder) }
        if case .refused = claims { return claims }
        if let refusal = TopologySpread.refusal(pod, room) { return refusal }
        if let refusal = nearness(pod, room) { return refusal }
        return claims
    }

    private func hopeless(_ reason: String) -> PlacementVerdict { .refused(reasons: [reason], isHopeless: true) }
    private func refused(_ reason: String) -> PlacementVerdict { .refused(reasons: [reason], isHopeless: false) }

    private func toleratesCordon(_ spec: JSONValue) -> Bool {
        let taint: JSONValue = ["key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"]
        return Tolerations.untolerated([taint], by: spec, effects: ["NoSchedule"]) == nil
    }

    private func namespaceLabels(_ name: String) -> JSONValue? {
        guard !name.isEmpty else { return nil }
        return view.get(.namespaces, namespace: nil, name)?.value["metadata", "labels"]
    }

    /// Affinity and anti-affinity to other pods: with one node, "near" is the same node, if the node has the label at all.
    private func nearness(_ pod: SchedulingPod, _ room: NodeRoom) -> PlacementVerdict? {
        func isPlace(_ term: PodTerm) -> Bool { room.node.labels?[term.topologyKey]?.string != nil }
        func matches(_ term: PodTerm, _ other: SchedulingPod) -> Bool {
            term.matches(other, namespaceLabels: namespaceLabels)
        }
        if !pod.nearTerms.isEmpty {
            let refusal = hopeless("node(s) didn't match pod affinity rules")
            guard pod.nearTerms.allSatisfy(isPlace) else { return refusal }
            let hasNeighbour = room.pods.values.contains { other in
                !room.expected.contains(other.uid) && pod.nearTerms.allSatisfy { matches($0, other) }
            }
            // The first of pods that want to be near each other finds nobody.
            guard hasNeighbour || pod.nearTerms.allSatisfy({ matches($0, pod) }) else { return refusal }
        }
        for term in pod.antiTerms
        where isPlace(term) && room.pods.values.contains(where: { matches(term, $0) }) {
            return refused("node(s) didn't match pod anti-affinity rules")
        }
        for other in room.refusing.values
        where other.antiTerms.contains(where: { isPlace($0) && matches($0, pod) }) {
            return refused("node(s) didn't satisfy existing pods anti-affinity rules")
        }
        return nil
    }
}
