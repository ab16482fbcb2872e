import JSON
import KubeObjects

/// What a pod's failure means: the first rule of `podFailurePolicy` that holds.
enum PodFailureMeaning: Equatable {
    case count
    case ignore
    case failIndex
    /// With what the condition says.
    case failJob(String)

    init(_ pod: KubeObject, _ policy: JSONValue?) {
        self = .count
        guard let policy, pod.phase == "Failed" else { return }
        for (index, rule) in (policy["rules"]?.array ?? []).enumerated() {
            let action = rule["action"]?.string ?? ""
            let place = "matching \(action) rule at index \(index)"
            let message: String
            if let codes = rule["onExitCodes"], let (container, code) = Self.exit(of: pod, codes) {
                message =
                    "Container \(container) for pod \(pod.namespace ?? "")/\(pod.name) failed with exit code \(code) \(place)"
            } else if let patterns = rule["onPodConditions"]?.array, let type = Self.condition(of: pod, patterns) {
                message = "Pod \(pod.namespace ?? "")/\(pod.name) has condition \(type) \(place)"
            } else {
                continue
            }
            switch action {
            case "Ignore": self = .ignore
            case "FailIndex": self = .failIndex
            case "FailJob": self = .failJob(message)
            default: self = .count
            }
            return
        }
    }

    /// The first container with an exit code that the rule is for. Success is never a failure.
    private static func exit(of pod: KubeObject, _ rule: JSONValue) -> (String, Int64)? {
        let values = Set((rule["values"]?.array ?? []).compactMap(\.integer))
        let isIn = rule["operator"]?.string == "In"
        let wanted = rule["containerName"]?.string
        let statuses =
            (pod.status["containerStatuses"]?.array ?? []) + (pod.status["initContainerStatuses"]?.array ?? [])
        for status in statuses {
            guard let code = status["state", "terminated", "exitCode"]?.integer, code != 0,
                let name = status["name"]?.string, wanted == nil || wanted == name, values.contains(code) == isIn
            else { continue }
            return (name, code)
        }
        return nil
    }

    private static func condition(of pod: KubeObject, _ patterns: [JSONValue]) -> String? {
        for condition in pod.status["conditions"]?.array ?? [] {
            for pattern in patterns
            where pattern["type"] == condition["type"]
                && pattern["status"]?.string ?? "True" == condition["status"]?.string
            {
                return condition["type"]?.string
            }
        }
        return nil
    }
}
