package import JSON
import KubeSchema

/// By which a node decides what has to go first when memory runs out: core/v1.PodQOSClass.
package enum QualityOfService: String, Hashable, Sendable {
    case guaranteed = "Guaranteed"
    case burstable = "Burstable"
    case bestEffort = "BestEffort"

    /// As the kubelet's ComputePodQOS: only CPU and memory count.
    package init(spec: JSONValue) {
        let containers = (spec["initContainers"]?.array ?? []) + (spec["containers"]?.array ?? [])
        let ofPod = spec["resources"]
        let all = ofPod?.object?.isEmpty == false ? [ofPod!] : containers.map { $0["resources"] ?? .object([:]) }
        var (requests, limits) = ([String: Quantity](), [String: Quantity]())
        var isGuaranteed = true
        for resources in all {
            var limited = 0
            for name in ["cpu", "memory"] {
                if let request = Self.quantity(resources["requests", name]) {
                    requests[name] = (requests[name] ?? .zero) + request
                }
                if let limit = Self.quantity(resources["limits", name]) {
                    limits[name] = (limits[name] ?? .zero) + limit
                    limited += 1
                }
            }
            if limited < 2 { isGuaranteed = false }
        }
        if requests.isEmpty, limits.isEmpty {
            self = .bestEffort
        } else if isGuaranteed, requests.allSatisfy({ limits[$0.key] == $0.value }) {
            self = .guaranteed
        } else {
            self = .burstable
        }
    }

    /// nil for none, and for nothing.
    private static func quantity(_ json: JSONValue?) -> Quantity? {
        guard let quantity = Quantity(json: json), !quantity.isZero, !quantity.isNegative else { return nil }
        return quantity
    }
}

extension Quantity {
    /// nil when it is none.
    init?(json: JSONValue?) {
        let text: String
        switch json {
        case .string(let string): text = string
        case .integer(let integer): text = "\(integer)"
        case .number(let number): text = number.text
        default: return nil
        }
        guard let quantity = try? Quantity(text) else { return nil }
        self = quantity
    }
}
