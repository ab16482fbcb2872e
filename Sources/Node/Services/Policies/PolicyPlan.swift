import JSON
import KubeObjects
import KubeStore
import Linux

/// Pods, namespaces and policies as they are, and which parts of the rules a change concerns. Pure.
///
/// Invariants
/// 1. Steps taken after each change lead to the parts that all at once would give.
///    (test: `policies are the same whatever way the cluster came to be`)
/// 2. What policies say of a pod counts for its addresses before its status says them.
///    (test: `a policy holds for an admitted pod that has no status`)
/// 3. An address is that of the pod that was admitted with it last: the status of one that ends may still say it.
///    (test: `an address that a pod gave up counts for the next pod alone`)
struct PolicyPlan: Sendable {
    private(set) var pods: [ServiceName: PodDescription] = [:]
    private(set) var policies: [ServiceName: PolicyDescription] = [:]
    private var namespaces: [String: JSONValue] = [:]
    private var dirtyPolicies: Set<ServiceName> = []
    private var dirtyPods: Set<ServiceName> = []

    /// What a pod was given before its status could say so.
    private struct Admission: Sendable {
        var uid: String
        var addresses: [IPAddress]
    }

    private var admissions: [ServiceName: Admission] = [:]
    private var holders: [IPAddress: ServiceName] = [:]

    static let resources: [Resource] = [.pods, .networkPolicies, .namespaces]

    mutating func take(_ resource: Resource, _ key: ObjectKey, _ object: KubeObject?) {
        let name = ServiceName(namespace: key.namespace ?? "", name: key.name)
        switch resource {
        case .pods:
            let pod = described(object, name)
            put(pod, name)
        case .networkPolicies: put(object.flatMap { PolicyDescription($0) }, name)
        case .namespaces: put(object.map { $0.json["metadata", "labels"] ?? .object([:]) }, of: key.name)
        default: break
        }
    }

    /// Takes the addresses of a pod into account before its status says them.
    ///
    /// - Returns: whether a policy selects the pod.
    mutating func admit(_ object: KubeObject, _ addresses: [IPAddress]) -> Bool {
        guard let pod = PodDescription(object, admitted: addresses) else { return false }
        forget(pod.name)
        admissions[pod.name] = Admission(uid: object.uid, addresses: addresses)
        for address in addresses { holders[address] = pod.name }
        for other in pods.values where other.name != pod.name {
            var rest = other
            rest.addresses.removeAll { addresses.contains($0) }
            guard rest != other else { continue }
            let left: PodDescription? = rest.addresses.isEmpty ? nil : rest
            put(left, other.name)
        }
        put(pod, pod.name)
        return policies.values.contains { $0.selects(pod) }
    }

    private mutating func described(_ object: KubeObject?, _ name: ServiceName) -> PodDescription? {
        // Another pod has the name now, or nobody.
        if let admission = admissions[name], admission.uid != object?.uid { forget(name) }
        guard let object, var pod = PodDescription(object, admitted: admissions[name]?.addresses) else { return nil }
        pod.addresses.removeAll { address in holders[address].map { $0 != name } ?? false }
        return pod.addresses.isEmpty ? nil : pod
    }

    private mutating func forget(_ name: ServiceName) {
        guard let admission = admissions.removeValue(forKey: name) else { return }
        for address in admission.addresses where holders[address] == name { holders[address] = nil }
    }

    private mutating func put(_ pod: PodDescription?, _ name: ServiceName) {
        let old = pods[name]
        guard old != pod else { return }
        pods[name] = pod
        dirtyPods.insert(name)
        let rules = self.rules
        let both = [old, pod].compactMap(\.self)
        for policy in policies.values where both.contains(where: { isConcerned(policy, by: $0, rules) }) {
            dirtyPolicies.insert(policy.name)
        }
    }

    private func isConcerned(_ policy: PolicyDescription, by pod: PodDescription, _ rules: PolicyRules) -> Bool {
        policy.selects(pod)
            || policy.rules.values.contains { directed in
                directed.contains { rule in
                    guard let peers = rule.peers else { return rule.ports != nil }
                    return peers.contains { peer in
                        // A pod in a block matters for the number that it has for a port.
                        if case .block = peer { rule.ports != nil } else { rules.isPeer(pod, peer, policy) }
                    }
                }
            }
    }

    private mutating func put(_ policy: PolicyDescription?, _ name: ServiceName) {
        let old = policies[name]
        guard old != policy else { return }
        policies[name] = policy
        dirtyPolicies.insert(name)
        for pod in pods.values where [old, policy].contains(where: { $0?.selects(pod) ?? false }) {
            dirtyPods.insert(pod.name)
        }
    }

    private mutating func put(_ labels: JSONValue?, of namespace: String) {
        guard namespaces[namespace] != labels else { return }
        namespaces[namespace] = labels
        dirtyPolicies.formUnion(policies.keys)
    }

    private var rules: PolicyRules { PolicyRules(pods: pods, namespaces: namespaces) }

    /// What has changed since the last step.
    mutating func step() -> [String: RulePart] {
        defer { (dirtyPods, dirtyPolicies) = ([], []) }
        if dirtyPods.isEmpty, dirtyPolicies.isEmpty { return [:] }
        let rules = self.rules
        var parts: [String: RulePart] = [:]
        for name in dirtyPolicies { parts["policy/\(name)"] = policies[name].map(rules.part(of:)) ?? RulePart() }
        for name in dirtyPods {
            parts["isolation/\(name)"] =
                pods[name].map { pod in rules.part(of: pod, policies.values.filter { $0.selects(pod) }) } ?? RulePart()
        }
        return parts
    }
}
