import JSON
import KubeSchema

/// The quality of service of a pod, from its requests and limits (`ComputePodQOS`).
enum PodQuality {
    private static let counted = ["cpu", "memory"]

    static func qosClass(_ pod: JSONValue) -> String {
        var containers = (pod["spec", "containers"]?.array ?? []) + (pod["spec", "initContainers"]?.array ?? [])
        // Resources of the pod as a whole count in place of the containers'.
        if let whole = pod["spec", "resources"] { containers = [["resources": whole]] }
        var hasAny = false
        var isGuaranteed = true
        for container in containers {
            let (requests, limits) = (container["resources", "requests"], container["resources", "limits"])
            for name in counted {
                let (request, limit) = (amount(requests?[name]), amount(limits?[name]))
                if request != nil || limit != nil { hasAny = true }
                guard let limit, request.map({ $0 == limit }) ?? true else {
                    isGuaranteed = false
                    continue
                }
            }
        }
        if !hasAny { return "BestEffort" }
        return isGuaranteed ? "Guaranteed" : "Burstable"
    }

    private static func amount(_ json: JSONValue?) -> Quantity? {
        guard let text = json?.string, let amount = try? Quantity(text), !amount.isZero else { return nil }
        return amount
    }

    static func firstStatus(_ pod: JSONValue) -> JSONValue {
        var status: JSONValue = ["phase": "Pending"]
        if pod["spec", "schedulingGates"]?.array?.isEmpty == false {
            status["conditions"] = [
                [
                    "type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
                    "message": "Scheduling is blocked due to non-empty scheduling gates",
                ]
            ]
        }
        status["qosClass"] = .string(qosClass(pod))
        return status
    }
}
