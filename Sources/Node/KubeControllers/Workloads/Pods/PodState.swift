import JSON
import KubeObjects
import Linux

// What controllers read from a pod.
extension KubeObject {
    /// "Pending", "Running", "Succeeded", "Failed", "Unknown"; empty before anybody has looked at the pod.
    var phase: String { status["phase"]?.string ?? "" }

    /// Whether its containers have ended for good.
    var hasEnded: Bool { phase == "Succeeded" || phase == "Failed" }

    /// Whether it counts as one of those that are wanted: neither ended nor being deleted.
    var isActivePod: Bool { !hasEnded && !isBeingDeleted }

    var isTerminatingPod: Bool { isBeingDeleted && !hasEnded }

    var isReadyPod: Bool { condition("Ready")?["status"]?.string == "True" }

    /// Since when it is ready; nil when it is not, or did not say.
    var readySince: Timestamp? {
        guard isReadyPod else { return nil }
        return condition("Ready")?["lastTransitionTime"]?.string.flatMap { Timestamp($0) }
    }

    var created: Timestamp? { metadata.creationTimestamp.flatMap { Timestamp($0) } }

    func label(_ key: String) -> String? { json["metadata", "labels"]?[key]?.string }

    func annotation(_ key: String) -> String? { json["metadata", "annotations"]?[key]?.string }
}

/// Whether a pod counts as available: ready for `minReadySeconds`.
enum PodAvailability: Equatable {
    case available
    case unready
    /// Ready, and available from then on when it stays so.
    case from(Timestamp)

    init(_ pod: KubeObject, minReadySeconds: Int64, _ now: Timestamp) {
        guard pod.isReadyPod else {
            self = .unready
            return
        }
        guard minReadySeconds > 0 else {
            self = .available
            return
        }
        guard let since = pod.readySince else {
            self = .unready
            return
        }
        let moment = since.adding(seconds: minReadySeconds)
        self = moment <= now ? .available : .from(moment)
    }
}
