package import JSON
internal import KubeObjects
internal import KubeSchema

/// Which nodes a pod admits, by its selector and its node affinity (core/v1.NodeSelector).
package enum NodeRequirements {
    /// Whether the pod's `nodeSelector` and required node affinity hold for the node.
    static func admit(_ podSpec: JSONValue, _ node: SchedulingNode) -> Bool {
        for label in podSpec["nodeSelector"]?.object?.members ?? []
        where node.labels?[label.key]?.string != label.value.string {
            return false
        }
        let affinity = podSpec["affinity"]?["nodeAffinity"]
        guard let required = affinity?["requiredDuringSchedulingIgnoredDuringExecution"], !required.isNull else {
            return true
        }
        return holds(required, node)
    }

    /// Whether one of a node selector's terms holds. An empty term holds for no node.
    package static func holds(_ selector: JSONValue, _ node: SchedulingNode) -> Bool {
        (selector["nodeSelectorTerms"]?.array ?? []).contains { term in
            let labels = term["matchExpressions"]?.array ?? []
            let fields = term["matchFields"]?.array ?? []
            guard !labels.isEmpty || !fields.isEmpty else { return false }
            let nodeFields: JSONValue = ["metadata.name": .string(node.name)]
            return labels.allSatisfy { holds($0, node.labels) } && fields.allSatisfy { holds($0, nodeFields) }
        }
    }

    private static let operators: [String: LabelSelector.Operator] = [
        "In": .in, "NotIn": .notIn, "Exists": .exists, "DoesNotExist": .doesNotExist, "Gt": .greaterThan,
        "Lt": .lessThan,
    ]

    private static func holds(_ requirement: JSONValue, _ labels: JSONValue?) -> Bool {
        guard let key = requirement["key"]?.string,
            let verb = operators[requirement["operator"]?.string ?? ""]
        else { return false }
        let value = labels?[key]?.string
        let values = (requirement["values"]?.array ?? []).compactMap(\.string)
        switch verb {
        case .in: return value.map(values.contains) ?? false
        case .notIn: return value.map { !values.contains($0) } ?? true
        case .exists: return value != nil
        case .doesNotExist: return value == nil
        case .greaterThan: return compare(value, values, >)
        case .lessThan: return compare(value, values, <)
        case .equals, .doubleEquals, .notEquals: return false
        }
    }

    private static func compare(_ value: String?, _ values: [String], _ order: (Int64, Int64) -> Bool) -> Bool {
        guard let value = value.flatMap({ Int64($0) }), values.count == 1, let bound = Int64(values[0]) else {
            return false
        }
        return order(value, bound)
    }
}

/// Which taints a pod tolerates (core/v1.Toleration).
package enum Tolerations {
    /// The first taint with one of the effects that no toleration of the pod holds for.
    static func untolerated(_ taints: [JSONValue], by podSpec: JSONValue, effects: Set<String>) -> JSONValue? {
        let tolerations = podSpec["tolerations"]?.array ?? []
        return taints.first { taint in
            effects.contains(taint["effect"]?.string ?? "") && !tolerations.contains { tolerates($0, taint) }
        }
    }

    static func tolerates(_ toleration: JSONValue, _ taint: JSONValue) -> Bool {
        let effect = toleration["effect"]?.string ?? ""
        guard effect.isEmpty || effect == taint["effect"]?.string else { return false }
        let key = toleration["key"]?.string ?? ""
        guard key.isEmpty || key == taint["key"]?.string else { return false }
        switch toleration["operator"]?.string ?? "" {
        case "", "Equal": return (toleration["value"]?.string ?? "") == (taint["value"]?.string ?? "")
        case "Exists": return true
        default: return false
        }
    }
}
