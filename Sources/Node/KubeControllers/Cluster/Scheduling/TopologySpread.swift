internal import JSON
internal import KubeObjects
internal import KubeSchema

/// Topology spread constraints (core/v1.TopologySpreadConstraint) that must hold. With one node there is one place, whose
/// pods are as many as the fewest; only `minDomains`, which asks for more places than there are, can make it too many.
enum TopologySpread {
    static func refusal(_ pod: SchedulingPod, _ room: NodeRoom) -> PlacementVerdict? {
        for constraint in pod.object.spec["topologySpreadConstraints"]?.array ?? []
        where constraint["whenUnsatisfiable"]?.string == "DoNotSchedule" {
            guard room.node.labels?[constraint["topologyKey"]?.string ?? ""]?.string != nil else {
                let reason = "node(s) didn't match pod topology spread constraints (missing required label)"
                return .refused(reasons: [reason], isHopeless: true)
            }
            let selector = PodTerm.selector(
                constraint["labelSelector"], of: pod.object, equal: constraint["matchLabelKeys"])
            let there = room.pods.values.count {
                $0.namespace == pod.namespace && !$0.isTerminating && selector.matches($0.labels)
            }
            let isCountedItself = selector.matches(pod.labels)
            let wantsMorePlaces = (constraint["minDomains"]?.integer ?? 1) > 1
            let skew = there + (isCountedItself ? 1 : 0) - (wantsMorePlaces ? 0 : there)
            if Int64(skew) > constraint["maxSkew"]?.integer ?? 1 {
                return .refused(
                    reasons: ["node(s) didn't match pod topology spread constraints"], isHopeless: false)
            }
        }
        return nil
    }
}
