import JSON
import KubeObjects
import KubeSchema

/// How much of a quota one object uses (pkg/quota/v1/evaluator).
enum QuotaUsage {
    static func of(_ object: JSONValue, _ resource: Resource) -> Amounts {
        var usage = Amounts()
        let one = Quantity(1)
        usage["count/\(resource)"] = one
        switch resource.storeName {
        case "pods":
            if ["Succeeded", "Failed"].contains(object["status", "phase"]?.string ?? "") { return usage }
            usage.add(pod(object["spec"] ?? [:]))
        case "services":
            usage["services"] = one
            service(object["spec"] ?? [:], &usage)
        case "persistentvolumeclaims": claim(object, &usage)
        case "configmaps", "secrets", "replicationcontrollers", "resourcequotas": usage[resource.plural] = one
        default: break
        }
        return usage
    }

    private static func pod(_ spec: JSONValue) -> Amounts {
        var usage = Amounts()
        usage["pods"] = Quantity(1)
        for (name, amount) in PodAmounts.of(spec, "requests").all {
            usage["requests.\(name)"] = amount
            if ["cpu", "memory", "ephemeral-storage"].contains(name) { usage[name] = amount }
        }
        for (name, amount) in PodAmounts.of(spec, "limits").all { usage["limits.\(name)"] = amount }
        return usage
    }

    private static func service(_ spec: JSONValue, _ usage: inout Amounts) {
        let ports = Int64(spec["ports"]?.array?.count ?? 0)
        switch spec["type"]?.string {
        case "NodePort": usage["services.nodeports"] = Quantity(ports)
        case "LoadBalancer":
            usage["services.loadbalancers"] = Quantity(1)
            if spec["allocateLoadBalancerNodePorts"]?.bool != false { usage["services.nodeports"] = Quantity(ports) }
        default: break
        }
    }

    private static func claim(_ object: JSONValue, _ usage: inout Amounts) {
        let storage = Amounts(object["spec", "resources", "requests"])["storage"]
        let name = object["spec", "storageClassName"]?.string
        usage["persistentvolumeclaims"] = Quantity(1)
        usage["requests.storage"] = storage
        guard let name, !name.isEmpty else { return }
        usage["\(name).storageclass.storage.k8s.io/persistentvolumeclaims"] = Quantity(1)
        usage["\(name).storageclass.storage.k8s.io/requests.storage"] = storage
    }

    /// Whether a quota is for the object: its scopes all hold (`MatchesScope`).
    static func matches(_ quota: JSONValue, _ object: JSONValue, _ resource: Resource) -> Bool {
        var terms = (quota["spec", "scopes"]?.array ?? []).compactMap(\.string).map {
            (scope: $0, operator: "Exists", values: [String]())
        }
        for term in quota["spec", "scopeSelector", "matchExpressions"]?.array ?? [] {
            terms.append(
                (
                    scope: term["scopeName"]?.string ?? "", operator: term["operator"]?.string ?? "",
                    values: (term["values"]?.array ?? []).compactMap(\.string)
                ))
        }
        guard !terms.isEmpty else { return true }
        guard resource.storeName == "pods" else { return false }
        return terms.allSatisfy { holds($0.scope, $0.operator, $0.values, object) }
    }

    private static func holds(_ scope: String, _ operation: String, _ values: [String], _ pod: JSONValue) -> Bool {
        switch scope {
        case "Terminating": return pod["spec", "activeDeadlineSeconds"]?.integer != nil
        case "NotTerminating": return pod["spec", "activeDeadlineSeconds"]?.integer == nil
        case "BestEffort": return PodQuality.qosClass(pod) == "BestEffort"
        case "NotBestEffort": return PodQuality.qosClass(pod) != "BestEffort"
        case "PriorityClass":
            let name = pod["spec", "priorityClassName"]?.string ?? ""
            switch operation {
            case "Exists": return !name.isEmpty
            case "DoesNotExist": return name.isEmpty
            case "In": return values.contains(name)
            case "NotIn": return !values.contains(name)
            default: return false
            }
        case "CrossNamespacePodAffinity":
            return ["podAffinity", "podAntiAffinity"].contains { field in
                (pod["spec", "affinity", field]?.object?.members ?? []).contains { member in
                    (member.value.array ?? []).contains {
                        let term = $0["podAffinityTerm"] ?? $0
                        return term["namespaces"]?.array?.isEmpty == false || term["namespaceSelector"] != nil
                    }
                }
            }
        default: return false
        }
    }
}
