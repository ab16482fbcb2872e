internal import JSON
package import KubeObjects
internal import KubeSchema
package import KubeStore
package import Linux

/// Gives cluster roles with an aggregation rule the rules of all that it selects (clusterrole-aggregation-controller).
package struct ClusterRoleAggregation: Controller {
    package let name = "clusterrole-aggregation-controller"
    package let resources: [Resource] = [.clusterRoles]

    package init() {}

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        view.objects(.clusterRoles, namespace: nil).filter { $0.value["aggregationRule"] != nil }.map(\.key)
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Linux.Timestamp) -> Decision {
        guard var role = view.get(.clusterRoles, namespace: nil, key.name).map(KubeObject.init), !role.isBeingDeleted,
            let aggregation = role.json["aggregationRule"], !aggregation.isNull
        else { return Decision() }
        var rules: [JSONValue] = []
        var seen: Set<JSONValue> = []
        for selector in aggregation["clusterRoleSelectors"]?.array ?? [] {
            guard let selector = try? LabelSelector(object: selector) else { continue }
            let selected = view.objects(.clusterRoles, namespace: nil).filter { other in
                other.key != key && selector.matches(other.value["metadata", "labels"])
            }
            for other in selected.sorted(by: { $0.key < $1.key }) {
                rules += (other.value["rules"]?.array ?? []).filter { seen.insert($0).inserted }
            }
        }
        guard (role.json["rules"]?.array ?? []) != rules else { return Decision() }
        role.json["rules"] = .array(rules)
        return Decision([.update(.clusterRoles, role)])
    }
}
