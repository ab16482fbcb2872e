import JSON
import KubeObjects
import KubeSchema
import KubeStore

/// Who may do what, by roles and bindings (RBAC). Pure: made from the objects as they are.
///
/// Invariants
/// 1. What no rule allows is refused. (test: `what no rule allows is refused`)
/// 2. A role binding gives nothing outside of its namespace. (test: `a role binding ends at its namespace`)
/// 3. The rules of an aggregated role are those of the roles it selects, whether somebody has written them into it or not.
///    (test: `an aggregated role has the rules of those it selects`)
struct AccessPolicy: Sendable {
    private enum Subject: Hashable, Sendable {
        case user(String)
        case group(String)
    }

    private struct Binding: Sendable {
        var kind: String
        var name: String
        var role: String
        var subjects: [Subject]
        var rules: [PolicyRule]
    }

    private var cluster: [Binding] = []
    private var namespaced: [String: [Binding]] = [:]
    private let clusterRoles: [String: [PolicyRule]]
    private let roles: [ObjectKey: [PolicyRule]]

    init(
        roles: [StoredObject], clusterRoles: [StoredObject], roleBindings: [StoredObject],
        clusterRoleBindings: [StoredObject]
    ) {
        self.clusterRoles = Self.rules(clusterRoles)
        self.roles = Dictionary(uniqueKeysWithValues: roles.map { ($0.key, Self.rules($0.value)) })
        for binding in clusterRoleBindings { cluster.append(self.binding(binding, namespace: nil)) }
        for binding in roleBindings {
            let namespace = binding.key.namespace ?? ""
            namespaced[namespace, default: []].append(self.binding(binding, namespace: namespace))
        }
    }

    private static func rules(_ role: JSONValue) -> [PolicyRule] { (role["rules"]?.array ?? []).map(PolicyRule.init) }

    /// Of all cluster roles, by name. What a role takes over may itself be taken over.
    private static func rules(_ roles: [StoredObject]) -> [String: [PolicyRule]] {
        var selected: [String: [String]] = [:]
        var result: [String: [PolicyRule]] = [:]
        for role in roles {
            result[role.key.name] = rules(role.value)
            for selector in role.value["aggregationRule", "clusterRoleSelectors"]?.array ?? [] {
                guard let selector = try? LabelSelector(object: selector) else { continue }
                let names = roles.filter { $0.key != role.key && selector.matches($0.value["metadata", "labels"]) }
                selected[role.key.name, default: []] += names.map(\.key.name)
            }
        }
        let own = result
        for name in selected.keys {
            var (seen, waiting): (Set<String>, [String]) = ([name], selected[name] ?? [])
            var all = Set(own[name] ?? [])
            while let next = waiting.popLast() {
                guard seen.insert(next).inserted else { continue }
                for rule in own[next] ?? [] where all.insert(rule).inserted { result[name, default: []].append(rule) }
                waiting += selected[next] ?? []
            }
        }
        return result
    }

    private func binding(_ stored: StoredObject, namespace: String?) -> Binding {
        let json = stored.value
        let reference = json["roleRef"] ?? [:]
        let subjects = (json["subjects"]?.array ?? []).compactMap { Self.subject($0, namespace) }
        return Binding(
            kind: namespace == nil ? "ClusterRoleBinding" : "RoleBinding",
            name: namespace.map { "\(stored.key.name)/\($0)" } ?? stored.key.name,
            role: "\(reference["kind"]?.string ?? "") \((reference["name"]?.string ?? "").goQuoted)",
            subjects: subjects,
            rules: rules(of: reference, namespace: namespace) ?? [])
    }

    private static func subject(_ json: JSONValue, _ namespace: String?) -> Subject? {
        guard let name = json["name"]?.string else { return nil }
        switch json["kind"]?.string {
        case "User": return .user(name)
        case "Group": return .group(name)
        case "ServiceAccount":
            let own = json["namespace"]?.string ?? ""
            let place = own.isEmpty ? namespace ?? "" : own
            return place.isEmpty ? nil : .user("system:serviceaccount:\(place):\(name)")
        default: return nil
        }
    }

    /// The rules of the role that a binding names; nil when there is none.
    func rules(of reference: JSONValue, namespace: String?) -> [PolicyRule]? {
        guard let name = reference["name"]?.string, !name.isEmpty else { return nil }
        if reference["kind"] == "ClusterRole" { return clusterRoles[name] }
        guard let namespace, !namespace.isEmpty else { return nil }
        return roles[Resource.roles.key(namespace: namespace, name)]
    }

    /// All that a cluster role allows, what it aggregates included.
    func rules(ofClusterRole name: String) -> [PolicyRule] { clusterRoles[name] ?? [] }

    // MARK: Questions

    /// - Returns: why it is allowed; nil when it is not.
    func allows(_ user: UserInfo, _ wanted: AccessAttributes) -> String? {
        if user.groups.contains(UserInfo.masters) { return "" }
        for binding in bindings(user, namespace: wanted.namespace)
        where binding.rules.contains(where: { $0.allows(wanted) }) {
            let subject = binding.subjects.first { Self.is(user, $0) }
            return
                "RBAC: allowed by \(binding.kind) \(binding.name.goQuoted) of \(binding.role) to \(Self.text(subject))"
        }
        return nil
    }

    private func bindings(_ user: UserInfo, namespace: String?) -> [Binding] {
        (cluster + (namespace.flatMap { namespaced[$0] } ?? [])).filter { binding in
            binding.subjects.contains { Self.is(user, $0) }
        }
    }

    private static func `is`(_ user: UserInfo, _ subject: Subject) -> Bool {
        switch subject {
        case .user(let name): user.name == name
        case .group(let name): user.groups.contains(name)
        }
    }

    private static func text(_ subject: Subject?) -> String {
        switch subject {
        case .user(let name): "User \(name.goQuoted)"
        case .group(let name): "Group \(name.goQuoted)"
        case nil: "nobody"
        }
    }

    /// All that a user may do in a namespace, and in the cluster.
    func rules(for user: UserInfo, namespace: String?) -> [PolicyRule] {
        var rules: [PolicyRule] = []
        if user.groups.contains(UserInfo.masters) {
            rules.append(PolicyRule(verbs: ["*"], groups: ["*"], resources: ["*"]))
            rules.append(PolicyRule(verbs: ["*"], paths: ["*"]))
        }
        for binding in bindings(user, namespace: namespace) { rules += binding.rules.filter { !rules.contains($0) } }
        return rules
    }
}

extension AccessAttributes {
    var namespace: String? {
        if case .resource(let target) = subject { target.namespace } else { nil }
    }
}
