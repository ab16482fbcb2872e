import JSON
import KubeObjects
import KubeSchema

/// Nobody gives what he does not have (`ConfirmNoEscalation` of the RBAC registries). A pure rule of admission.
///
/// Invariant: who writes a role or a binding holds all that it gives, unless he may `escalate` the role or `bind` it.
/// (test: `nobody gives what he does not have`)
struct Escalation: AdmissionRule {
    func check(_ request: AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        guard request.operation == .create || request.operation == .update, request.call.subresource == nil,
            request.call.resource.group == "rbac.authorization.k8s.io",
            !request.call.user.groups.contains(UserInfo.masters)
        else { return }
        switch request.call.kind.id.kind {
        case "Role", "ClusterRole": try role(request, view.access)
        default: try binding(request, view.access)
        }
    }

    private func role(_ request: AdmissionRequest, _ access: AccessPolicy) throws(APIFailure) {
        guard
            request.old.map({
                $0["rules"] != request.object["rules"] || $0["aggregationRule"] != request.object["aggregationRule"]
            }) ?? true
        else { return }
        guard !isAllowed("escalate", request.call.resource, request.name, request, access) else { return }
        var rules = (request.object["rules"]?.array ?? []).map(PolicyRule.init)
        if request.object["aggregationRule"] != nil {
            // Whatever will be selected: only who may do everything may have it.
            rules += [
                PolicyRule(verbs: ["*"], groups: ["*"], resources: ["*"]), PolicyRule(verbs: ["*"], paths: ["*"]),
            ]
        }
        try confirm(rules, request, access)
    }

    private func binding(_ request: AdmissionRequest, _ access: AccessPolicy) throws(APIFailure) {
        let reference = request.object["roleRef"] ?? [:]
        if let old = request.old, old["subjects"] == request.object["subjects"], old["roleRef"] == reference { return }
        let isCluster = reference["kind"] == "ClusterRole"
        let resource: Resource = isCluster ? .clusterRoles : .roles
        let name = reference["name"]?.string ?? ""
        guard !isAllowed("bind", resource, name, request, access) else { return }
        guard let rules = access.rules(of: reference, namespace: request.call.namespace) else {
            throw .notFound(resource, name)
        }
        try confirm(rules, request, access)
    }

    private func isAllowed(
        _ verb: String, _ resource: Resource, _ name: String, _ request: AdmissionRequest, _ access: AccessPolicy
    ) -> Bool {
        let target = AccessAttributes.Target(
            group: resource.group, plural: resource.plural, subresource: nil, name: name,
            namespace: request.call.namespace)
        return access.allows(request.call.user, AccessAttributes(verb: verb, .resource(target))) != nil
    }

    private func confirm(_ rules: [PolicyRule], _ request: AdmissionRequest, _ access: AccessPolicy) throws(APIFailure)
    {
        let user = request.call.user
        let held = access.rules(for: user, namespace: request.call.namespace)
        let missing = rules.flatMap(\.single).filter { one in !held.contains { $0.covers(one) } }
        guard !missing.isEmpty else { return }
        let groups = "[" + user.groups.map(\.goQuoted).joined(separator: " ") + "]"
        let list = Set(Self.together(missing).map(\.text)).sorted().joined(separator: "\n")
        throw request.forbidden(
            "user \(user.name.goQuoted) (groups=\(groups)) is attempting to grant RBAC permissions not currently "
                + "held:\n\(list)"
        )
    }

    /// Rules that differ in their verbs alone, as one.
    private static func together(_ rules: [PolicyRule]) -> [PolicyRule] {
        var result: [PolicyRule] = []
        for rule in rules {
            var bare = rule
            bare.verbs = []
            let at = result.firstIndex { other in
                var other = other
                other.verbs = []
                return other == bare
            }
            if let at {
                result[at].verbs += rule.verbs.filter { !result[at].verbs.contains($0) }
            } else {
                result.append(rule)
            }
        }
        return result
    }
}
