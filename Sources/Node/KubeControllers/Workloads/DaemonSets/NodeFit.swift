import JSON
import KubeObjects

/// Whether a node should have a pod of a DaemonSet: by its labels, its name and its taints.
struct NodeFit: Equatable {
    /// Whether a pod is made there.
    var runs: Bool
    /// Whether one that is there may stay: taints of the effect NoSchedule do not drive it away.
    var stays: Bool

    init(_ node: KubeObject, _ pod: JSONValue) {
        if let name = pod["nodeName"]?.string, !name.isEmpty, name != node.name {
            (runs, stays) = (false, false)
            return
        }
        let affinity = pod["affinity", "nodeAffinity"]?["requiredDuringSchedulingIgnoredDuringExecution"]
        guard Self.selects(node, pod["nodeSelector"]), Self.selects(node, affinity: affinity) else {
            (runs, stays) = (false, false)
            return
        }
        let tolerations =
            (pod["tolerations"]?.array ?? []) + Self.tolerations(hostNetwork: pod["hostNetwork"]?.bool ?? false)
        let taints = node.spec["taints"]?.array ?? []
        func isFree(_ effects: Set<String>) -> Bool {
            taints.allSatisfy { taint in
                !effects.contains(taint["effect"]?.string ?? "") || tolerations.contains { Self.tolerates($0, taint) }
            }
        }
        runs = isFree(["NoSchedule", "NoExecute"])
        stays = isFree(["NoExecute"])
    }

    /// Whether a change of a node may change where pods should be.
    static func matters(_ old: KubeObject?, _ new: KubeObject?) -> Bool {
        guard let old, let new else { return true }
        return old.json["metadata", "labels"] != new.json["metadata", "labels"]
            || old.spec["taints"] != new.spec["taints"]
    }

    /// What all pods of daemon sets tolerate, since they are what repairs a node.
    static func tolerations(hostNetwork: Bool) -> [JSONValue] {
        func toleration(_ key: String, _ effect: String) -> JSONValue {
            ["key": .string("node.kubernetes.io/\(key)"), "operator": "Exists", "effect": .string(effect)]
        }
        return [
            toleration("not-ready", "NoExecute"), toleration("unreachable", "NoExecute"),
            toleration("disk-pressure", "NoSchedule"), toleration("memory-pressure", "NoSchedule"),
            toleration("pid-pressure", "NoSchedule"), toleration("unschedulable", "NoSchedule"),
        ] + (hostNetwork ? [toleration("network-unavailable", "NoSchedule")] : [])
    }

    private static func tolerates(_ toleration: JSONValue, _ taint: JSONValue) -> Bool {
        let effect = toleration["effect"]?.string ?? ""
        guard effect.isEmpty || effect == taint["effect"]?.string else { return false }
        let key = toleration["key"]?.string ?? ""
        guard key.isEmpty || key == taint["key"]?.string else { return false }
        return toleration["operator"]?.string == "Exists"
            || !key.isEmpty && toleration["value"]?.string ?? "" == taint["value"]?.string ?? ""
    }

    private static func selects(_ node: KubeObject, _ selector: JSONValue?) -> Bool {
        (selector?.object?.members ?? []).allSatisfy { node.label($0.key) == $0.value.string }
    }

    /// One of the terms has to hold; an empty term never does.
    private static func selects(_ node: KubeObject, affinity: JSONValue?) -> Bool {
        guard let terms = affinity?["nodeSelectorTerms"]?.array else { return true }
        return terms.contains { term in
            let labels = term["matchExpressions"]?.array ?? []
            let fields = term["matchFields"]?.array ?? []
            guard !labels.isEmpty || !fields.isEmpty else { return false }
            return labels.allSatisfy { holds($0, node.label($0["key"]?.string ?? "")) }
                && fields.allSatisfy { $0["key"]?.string == "metadata.name" && holds($0, node.name) }
        }
    }

    private static func holds(_ requirement: JSONValue, _ value: String?) -> Bool {
        let values = (requirement["values"]?.array ?? []).compactMap(\.string)
        switch requirement["operator"]?.string {
        case "In": return value.map(values.contains) ?? false
        case "NotIn": return value.map { !values.contains($0) } ?? true
        case "Exists": return value != nil
        case "DoesNotExist": return value == nil
        case "Gt", "Lt":
            guard let number = value.flatMap({ Int64($0) }), let bound = values.first.flatMap({ Int64($0) }) else {
                return false
            }
            return requirement["operator"]?.string == "Gt" ? number > bound : number < bound
        default: return false
        }
    }
}
