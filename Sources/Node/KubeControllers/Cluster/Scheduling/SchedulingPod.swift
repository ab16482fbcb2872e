package import JSON
package import KubeObjects

/// A pod as rules of placement see it: read once, asked often.
package struct SchedulingPod: Sendable {
    package let object: KubeObject
    package let uid: String
    package let name: String
    package let namespace: String
    package let labels: JSONValue?
    package let priority: Int64
    package let requests: ResourceAmounts
    package let hostPorts: [HostPort]
    /// Away from which pods it must be.
    package let antiTerms: [PodTerm]
    /// Near which pods it must be.
    package let nearTerms: [PodTerm]
    package let isTerminating: Bool

    package init(_ object: KubeObject) {
        self.object = object
        uid = object.uid
        name = object.name
        namespace = object.namespace ?? ""
        labels = object.json["metadata"]?["labels"]
        let spec = object.spec
        priority = spec["priority"]?.integer ?? 0
        requests = PodDemand.requests(of: object)
        hostPorts = PodDemand.hostPorts(of: object)
        let required = "requiredDuringSchedulingIgnoredDuringExecution"
        let affinity = spec["affinity"]
        antiTerms = PodTerm.terms(affinity?["podAntiAffinity"]?[required], of: object)
        nearTerms = PodTerm.terms(affinity?["podAffinity"]?[required], of: object)
        isTerminating = object.isBeingDeleted
    }

    /// Finished pods hold nothing of the node any more.
    package static func isFinished(_ pod: JSONValue) -> Bool {
        let phase = pod["status", "phase"]?.string
        return phase == "Succeeded" || phase == "Failed"
    }

    /// Important pods come first: by priority, then by age, then by name so that the order is always the same.
    package static func precedes(_ a: SchedulingPod, _ b: SchedulingPod) -> Bool {
        if a.priority != b.priority { return a.priority > b.priority }
        let (aTime, bTime) = (a.object.metadata.creationTimestamp ?? "", b.object.metadata.creationTimestamp ?? "")
        if aTime != bTime { return aTime < bTime }
        return (a.namespace, a.name) < (b.namespace, b.name)
    }
}
