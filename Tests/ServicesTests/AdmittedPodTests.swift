import JSON
import KubeObjects
import KubeStore
import Linux
import Testing

@testable import Services

/// Pods whose status does not say their addresses yet.
@Suite(.timeLimit(.minutes(1))) struct AdmittedPodTests {
    private let address = IPAddress("10.42.0.8")!

    private func pod(_ name: String, address: String? = nil, namespace: String = "default") -> KubeObject {
        var json: JSONValue = [
            "metadata": ["name": .string(name), "namespace": .string(namespace), "uid": .string("uid-" + name)],
            "spec": ["containers": [["name": "main"]]], "status": ["phase": "Pending"],
        ]
        if let address { json["status", "podIP"] = .string(address) }
        return KubeObject(json: json)
    }

    /// With a policy that lets nobody into the pods of the namespace "default".
    private func closed() -> PolicyPlan {
        var plan = PolicyPlan()
        let policy = KubeObject(json: [
            "metadata": ["name": "closed", "namespace": "default"], "spec": ["podSelector": [:], "policyTypes": ["Ingress"]],
        ])
        plan.take(.networkPolicies, Resource.networkPolicies.key(namespace: "default", "closed"), policy)
        _ = plan.step()
        return plan
    }

    private func key(_ name: String) -> ObjectKey { Resource.pods.key(namespace: "default", name) }

    private func isolated(_ part: RulePart?) -> Set<String> {
        part?.elements[PolicyRules.isolated(.ingress, isIPv6: false)] ?? []
    }

    @Test func `a policy holds for an admitted pod that has no status`() {
        var plan = closed()
        plan.take(.pods, key("web"), pod("web"))
        var parts = plan.step()
        #expect(parts.isEmpty, "it has no address")
        let isSelected = plan.admit(pod("web"), [address])
        #expect(isSelected)
        parts = plan.step()
        #expect(isolated(parts["isolation/default/web"]) == ["10.42.0.8 : goto pod/inward/default/web"])
        // The object as it was, and then with its address.
        plan.take(.pods, key("web"), pod("web"))
        plan.take(.pods, key("web"), pod("web", address: "10.42.0.8"))
        parts = plan.step()
        #expect(parts.isEmpty, "nothing has changed")
        plan.take(.pods, key("web"), nil)
        parts = plan.step()
        #expect(parts["isolation/default/web"]?.isEmpty == true)
    }

    @Test func `an address that a pod gave up counts for the next pod alone`() {
        var plan = closed()
        plan.take(.pods, key("old"), pod("old", address: "10.42.0.8"))
        _ = plan.step()
        _ = plan.admit(pod("new"), [address])
        var parts = plan.step()
        #expect(parts["isolation/default/old"]?.isEmpty == true)
        #expect(isolated(parts["isolation/default/new"]) == ["10.42.0.8 : goto pod/inward/default/new"])
        // It ends, and its status still says the address.
        plan.take(.pods, key("old"), pod("old", address: "10.42.0.8"))
        parts = plan.step()
        #expect(parts.isEmpty)
    }

    @Test func `a pod with the name of another one has not its addresses`() {
        var plan = closed()
        _ = plan.admit(pod("web"), [address])
        _ = plan.step()
        var next = pod("web")
        next.metadata.uid = "another"
        plan.take(.pods, key("web"), next)
        let parts = plan.step()
        #expect(parts["isolation/default/web"]?.isEmpty == true)
    }

    @Test func `a pod that no policy selects waits for nothing`() {
        var plan = closed()
        let elsewhere = plan.admit(pod("web", namespace: "other"), [address])
        #expect(!elsewhere)
        var host = pod("host")
        host.spec["hostNetwork"] = true
        let onHost = plan.admit(host, [address])
        #expect(!onHost)
        var open = PolicyPlan()
        let free = open.admit(pod("web"), [address])
        #expect(!free)
    }
}
