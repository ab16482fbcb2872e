internal import JSON
internal import KubeObjects

/// Which pods count for a quota with scopes (core/v1.ResourceQuotaSpec.scopes, scopeSelector).
struct QuotaScope {
    private let requirements: [(scope: String, verb: String, values: [String])]

    init(_ quota: KubeObject) {
        let plain = (quota.spec["scopes"]?.array ?? []).compactMap(\.string).map { ($0, "Exists", [String]()) }
        let selected = (quota.spec["scopeSelector"]?["matchExpressions"]?.array ?? []).map { requirement in
            (
                requirement["scopeName"]?.string ?? "", requirement["operator"]?.string ?? "",
                (requirement["values"]?.array ?? []).compactMap(\.string)
            )
        }
        requirements = plain + selected
    }

    var isEmpty: Bool { requirements.isEmpty }

    func admits(_ pod: KubeObject) -> Bool { requirements.allSatisfy { Self.holds($0, pod) } }

    private static func holds(_ requirement: (scope: String, verb: String, values: [String]), _ pod: KubeObject) -> Bool
    {
        switch requirement.scope {
        case "Terminating": return (pod.spec["activeDeadlineSeconds"]?.integer ?? -1) >= 0
        case "NotTerminating": return (pod.spec["activeDeadlineSeconds"]?.integer ?? -1) < 0
        case "BestEffort": return isBestEffort(pod)
        case "NotBestEffort": return !isBestEffort(pod)
        case "PriorityClass":
            let name = pod.spec["priorityClassName"]?.string ?? ""
            switch requirement.verb {
            case "In": return requirement.values.contains(name)
            case "NotIn": return !requirement.values.contains(name)
            case "Exists": return !name.isEmpty
            case "DoesNotExist": return name.isEmpty
            default: return false
            }
        case "CrossNamespacePodAffinity": return namesOtherNamespaces(pod)
        default: return false
        }
    }

    /// No container asks for CPU or memory.
    private static func isBestEffort(_ pod: KubeObject) -> Bool {
        let containers = (pod.spec["containers"]?.array ?? []) + (pod.spec["initContainers"]?.array ?? [])
        return (containers + [["resources": pod.spec["resources"] ?? [:]]]).allSatisfy { container in
            ["requests", "limits"].allSatisfy { list in
                let amounts = ResourceAmounts(container["resources"]?[list])
                return amounts["cpu"] == 0 && amounts["memory"] == 0
            }
        }
    }

    private static func namesOtherNamespaces(_ pod: KubeObject) -> Bool {
        let affinity = pod.spec["affinity"]
        return ["podAffinity", "podAntiAffinity"].contains { kind in
            let required = affinity?[kind]?["requiredDuringSchedulingIgnoredDuringExecution"]?.array ?? []
            let wished = affinity?[kind]?["preferredDuringSchedulingIgnoredDuringExecution"]?.array ?? []
            return (required + wished.compactMap { $0["podAffinityTerm"] }).contains { term in
                !(term["namespaces"]?.array ?? []).isEmpty || term["namespaceSelector"].map { !$0.isNull } ?? false
            }
        }
    }
}
