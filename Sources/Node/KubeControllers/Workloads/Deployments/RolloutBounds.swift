import JSON
import KubeObjects

// How far a rolling update may go in both directions (deployment/util: ResolveFenceposts).
extension Rollout {
    /// Pods beyond `replicas`, percentages rounded up.
    var maxSurge: Int64 { isRolling ? bounds.surge : 0 }

    /// Pods that may be missing, percentages rounded down; at most `replicas`.
    var maxUnavailable: Int64 { isRolling && replicas > 0 ? min(bounds.unavailable, replicas) : 0 }

    private var bounds: (surge: Int64, unavailable: Int64) {
        let update = deployment.spec["strategy"]?["rollingUpdate"]
        let surge = IntOrPercent.scaled(update?["maxSurge"] ?? "25%", of: replicas, roundUp: true) ?? 0
        let unavailable = IntOrPercent.scaled(update?["maxUnavailable"] ?? "25%", of: replicas, roundUp: false) ?? 0
        // With neither nothing could ever move.
        return (max(0, surge), surge <= 0 && unavailable <= 0 ? 1 : max(0, unavailable))
    }

    /// How large the new set may be now.
    func newSize(of set: KubeObject, beside others: [KubeObject]) -> Int64 {
        guard isRolling else { return replicas }
        // A set that does not know its size yet may still be making pods for another one.
        guard ([set] + others).allSatisfy(\.knowsItsSize) else { return set.wanted }
        let total = others.reduce(set.present) { $0 + $1.present }
        let most = replicas + maxSurge
        guard total < most else { return set.wanted }
        return set.wanted + min(most - total, replicas - set.wanted)
    }
}

extension KubeObject {
    /// How many pods a set has or will have: one that was made smaller has its pods until it says otherwise.
    fileprivate var present: Int64 { max(wanted, status.count("replicas")) }

    fileprivate var knowsItsSize: Bool {
        status.count("observedGeneration") >= metadata.generation ?? 0
    }
}
