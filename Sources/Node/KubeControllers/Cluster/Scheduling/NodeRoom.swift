package import JSON
package import KubeObjects

/// A node as rules of placement see it.
package struct SchedulingNode: Sendable {
    package let name: String
    package let labels: JSONValue?
    package let taints: [JSONValue]
    package let isUnschedulable: Bool
    package let allocatable: ResourceAmounts

    package init(_ node: KubeObject) {
        name = node.name
        labels = node.json["metadata"]?["labels"]
        taints = node.spec["taints"]?.array ?? []
        isUnschedulable = node.spec["unschedulable"]?.bool ?? false
        allocatable = ResourceAmounts(node.status["allocatable"])
    }
}

/// What is left of a node, and the pods on it: those bound, those that a decision binds, and places kept for pods that wait
/// until others have gone.
package struct NodeRoom: Sendable {
    package let node: SchedulingNode
    package private(set) var requested = ResourceAmounts()
    /// By uid.
    package private(set) var pods: [String: SchedulingPod] = [:]
    private var ports: [HostPort: Int] = [:]
    /// Those that refuse others near them, by uid.
    package private(set) var refusing: [String: SchedulingPod] = [:]
    /// Uids of those that are not there yet: nobody can be near them.
    package private(set) var expected: Set<String> = []

    package init(_ node: SchedulingNode) { self.node = node }

    package mutating func add(_ pod: SchedulingPod, isExpected: Bool = false) {
        guard pods.updateValue(pod, forKey: pod.uid) == nil else { return }
        requested += pod.requests
        for port in pod.hostPorts { ports[port, default: 0] += 1 }
        if !pod.antiTerms.isEmpty { refusing[pod.uid] = pod }
        if isExpected { expected.insert(pod.uid) }
    }

    package mutating func remove(_ pod: SchedulingPod) {
        guard pods.removeValue(forKey: pod.uid) != nil else { return }
        requested -= pod.requests
        for port in pod.hostPorts {
            let left = (ports[port] ?? 0) - 1
            ports[port] = left > 0 ? left : nil
        }
        refusing[pod.uid] = nil
        expected.remove(pod.uid)
    }

    func hasFree(_ wanted: [HostPort]) -> Bool {
        wanted.allSatisfy { port in !ports.keys.contains { $0.conflicts(with: port) } }
    }

    /// What is short, in the scheduler's words, and whether the node could never hold it.
    func shortage(for pod: SchedulingPod) -> (reasons: [String], isHopeless: Bool) {
        var reasons: [String] = []
        var isHopeless = false
        if Int64(pods.count) + 1 > node.allocatable["pods"] { reasons.append("Too many pods") }
        // Resources in a fixed order: the native ones first, as upstream.
        let native = ["cpu", "memory", "ephemeral-storage"]
        let others = pod.requests.byName.keys.filter { !native.contains($0) && $0 != "pods" }.sorted()
        for name in native + others {
            let wanted = pod.requests[name]
            guard wanted > 0 else { continue }
            let all = node.allocatable[name]
            guard wanted > all.addingClamped(requested[name] == .min ? .max : -requested[name]) else { continue }
            reasons.append("Insufficient \(name)")
            if wanted > all { isHopeless = true }
        }
        return (reasons, isHopeless)
    }
}
