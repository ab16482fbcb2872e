import JSON
package import KubeObjects

/// What a pod asks of a node (`resourcehelper.PodRequests` of k8s.io/component-helpers).
package enum PodDemand {
    /// Containers run at the same time and are added up. Init containers run one after the other, each beside the sidecars
    /// that were started before it, so the largest of these moments counts. Requests for the pod as a whole stand in place
    /// of the sums for CPU, memory and huge pages. Overhead comes on top.
    package static func requests(of pod: KubeObject) -> ResourceAmounts {
        let inForce = amountsInForce(pod)
        return sum(pod.spec, "requests") { requests($0, inForce) }
    }

    /// What the pod is limited to, added up likewise.
    package static func limits(of pod: KubeObject) -> ResourceAmounts {
        sum(pod.spec, "limits") { ResourceAmounts($0["resources", "limits"]) }
    }

    private static func sum(
        _ spec: JSONValue, _ list: String, _ amounts: (JSONValue) -> ResourceAmounts
    ) -> ResourceAmounts {
        var sum = ResourceAmounts()
        for container in spec["containers"]?.array ?? [] { sum += amounts(container) }
        var sidecars = ResourceAmounts()
        var start = ResourceAmounts()
        for container in spec["initContainers"]?.array ?? [] {
            let own = amounts(container)
            if container["restartPolicy"]?.string == "Always" {
                sum += own
                sidecars += own
                start = start.maximum(sidecars)
            } else {
                start = start.maximum(own + sidecars)
            }
        }
        sum = sum.maximum(start)
        for (name, amount) in ResourceAmounts(spec["resources"]?[list]).byName where isPodLevel(name) {
            sum[name] = amount
        }
        let overhead = ResourceAmounts(spec["overhead"])
        // A limit that is not there is not made by the overhead.
        for (name, amount) in overhead.byName where list == "requests" || sum.byName[name] != nil {
            sum[name] = sum[name].addingClamped(amount)
        }
        return sum
    }

    private static func isPodLevel(_ name: String) -> Bool {
        name == "cpu" || name == "memory" || name.hasPrefix("hugepages-")
    }

    /// A container that is being resized holds the larger of what it has and what it is to get.
    private static func requests(_ container: JSONValue, _ inForce: [String: ResourceAmounts]) -> ResourceAmounts {
        let wanted = ResourceAmounts(container["resources", "requests"])
        guard let held = inForce[container["name"]?.string ?? ""] else { return wanted }
        return wanted.maximum(held)
    }

    private static func amountsInForce(_ pod: KubeObject) -> [String: ResourceAmounts] {
        guard pod.spec["nodeName"]?.string != nil else { return [:] }
        var result: [String: ResourceAmounts] = [:]
        for list in ["containerStatuses", "initContainerStatuses"] {
            for status in pod.status[list]?.array ?? [] {
                guard let name = status["name"]?.string else { continue }
                let actual = ResourceAmounts(status["resources", "requests"])
                result[name] = actual.maximum(ResourceAmounts(status["allocatedResources"]))
            }
        }
        return result
    }

    /// The ports of the node that the pod takes, from containers and sidecars.
    package static func hostPorts(of pod: KubeObject) -> [HostPort] {
        let sidecars = (pod.spec["initContainers"]?.array ?? []).filter { $0["restartPolicy"]?.string == "Always" }
        return ((pod.spec["containers"]?.array ?? []) + sidecars).flatMap { container in
            (container["ports"]?.array ?? []).compactMap(HostPort.init)
        }
    }
}

/// A port of the node.
package struct HostPort: Hashable, Sendable {
    /// Every address, when it is the wildcard.
    package let address: String
    package let transport: String
    package let number: Int64

    static let wildcard = "0.0.0.0"

    /// nil for a port of the container alone.
    init?(_ port: JSONValue) {
        guard let number = port["hostPort"]?.integer, number > 0 else { return nil }
        let address = port["hostIP"]?.string ?? ""
        // The scheduler knows one wildcard: "::" is compared as an address like any other, as upstream.
        self.address = address.isEmpty ? Self.wildcard : address
        transport = port["protocol"]?.string ?? "TCP"
        self.number = number
    }

    func conflicts(with other: HostPort) -> Bool {
        guard transport == other.transport, number == other.number else { return false }
        return address == other.address || address == Self.wildcard || other.address == Self.wildcard
    }
}
