/// Whether a pod can be on the node.
package enum PlacementVerdict: Hashable, Sendable {
    case fits
    /// It will, when its claims have volumes, which are made for this node.
    case waitsForVolumes
    /// It does not. When others leave it might, unless `isHopeless`.
    case refused(reasons: [String], isHopeless: Bool)
    /// The pod by itself can be nowhere.
    case impossible(String)

    /// The sentence that clients see (framework.FitError), without what preemption adds.
    var message: String? {
        switch self {
        case .fits, .waitsForVolumes: nil
        case .refused(let reasons, _):
            "0/1 nodes are available: " + reasons.map { "1 \($0)" }.sorted().joined(separator: ", ") + "."
        case .impossible(let reason): "0/1 nodes are available: \(reason)."
        }
    }

    /// What preemption says about a node where it found or looked for nothing.
    var preemptionMessage: String {
        if case .refused(_, isHopeless: false) = self {
            return "0/1 nodes are available: 1 No preemption victims found for incoming pod."
        }
        return "0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    }
}
