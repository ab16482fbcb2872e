import JSON
package import KubeObjects
package import Linux

/// The Node object that belongs to a machine.
///
/// Invariant: nothing is written while nothing changes, but every five minutes. (test: `a node at rest writes its lease only`)
package enum NodeStatus {
    /// After so long a status is written that has not changed (nodeStatusReportFrequency).
    package static let heartbeat: Int64 = 300

    /// What the node is to be made as.
    package static func create(_ facts: NodeFacts, now: Timestamp) -> KubeObject {
        var node = KubeObject(json: ["apiVersion": "v1", "kind": "Node"])
        node.metadata.name = facts.name
        node.metadata.labels = facts.allLabels
        node.metadata.annotations = ["node.alpha.kubernetes.io/ttl": "0"]
        node.spec = [:]
        if let first = facts.podRanges.first {
            node.spec = ["podCIDR": .string(first), "podCIDRs": facts.podRanges.json]
        }
        node.status = status(facts, old: [:], now: now).status
        return node
    }

    /// The node's labels and taints as they have to be; nil when they are.
    package static func revise(_ node: KubeObject, _ facts: NodeFacts, now: Timestamp) -> KubeObject? {
        var new = node
        var labels = node.metadata.labels
        labels.merge(facts.allLabels) { $1 }
        if labels != node.metadata.labels { new.metadata.labels = labels }
        let taints = taints(node, facts, now: now)
        if taints != node.spec["taints"]?.array ?? [] {
            new.spec["taints"] = taints.isEmpty ? nil : .array(taints)
        }
        return new == node ? nil : new
    }

    /// The taints that follow from conditions and from `kubectl cordon`; others stay.
    private static func taints(_ node: KubeObject, _ facts: NodeFacts, now: Timestamp) -> [JSONValue] {
        let wanted = [
            ("node.kubernetes.io/memory-pressure", facts.lacksMemory),
            ("node.kubernetes.io/disk-pressure", facts.lacksDisk),
            ("node.kubernetes.io/pid-pressure", facts.lacksProcesses),
            ("node.kubernetes.io/not-ready", facts.notReady != nil),
            ("node.kubernetes.io/unschedulable", node.spec["unschedulable"]?.bool ?? false),
        ]
        var taints = node.spec["taints"]?.array ?? []
        for (key, isWanted) in wanted {
            let index = taints.firstIndex {
                $0["key"]?.string == key && $0["effect"]?.string == "NoSchedule"
            }
            if let index, !isWanted { taints.remove(at: index) }
            if index == nil, isWanted {
                taints.append(
                    ["key": .string(key), "effect": "NoSchedule", "timeAdded": .string(now.kubeTime)])
            }
        }
        return taints
    }

    /// The node with its status of now; nil when there is nothing to write.
    /// - Returns: the node, and the conditions that changed.
    package static func decide(
        _ facts: NodeFacts, _ node: KubeObject, now: Timestamp
    ) -> (node: KubeObject, events: [String])? {
        let (status, events, isChanged) = status(facts, old: node.status, now: now)
        guard isChanged || nextHeartbeat(node, now: now) <= now else { return nil }
        var new = node
        new.status = status
        return (new, events)
    }

    /// When the status is to be written though nothing has changed.
    package static func nextHeartbeat(_ node: KubeObject, now: Timestamp) -> Timestamp {
        guard let text = node.condition("Ready")?["lastHeartbeatTime"]?.string, let last = Timestamp(text), last <= now
        else { return now }
        return last.later(bySeconds: heartbeat)
    }

    private static func status(
        _ facts: NodeFacts, old: JSONValue, now: Timestamp
    ) -> (status: JSONValue, events: [String], isChanged: Bool) {
        var status = old
        for member in facts.status.object?.members ?? [] { status[member.key] = member.value }
        if facts.images.isEmpty { status["images"] = nil }
        var isChanged = status != old
        var conditions = (old["conditions"]?.array ?? []).filter { condition in
            !facts.conditions.contains { $0.type == condition["type"]?.string }
        }
        var events: [String] = []
        for fact in facts.conditions {
            let before = old["conditions"]?.array?.first { $0["type"]?.string == fact.type }
            var condition = before ?? ["type": .string(fact.type)]
            let state = fact.isTrue ? "True" : "False"
            if condition["status"]?.string != state {
                events.append(fact.event)
                condition["lastTransitionTime"] = .string(now.kubeTime)
            }
            condition["status"] = .string(state)
            condition["reason"] = .string(fact.reason)
            condition["message"] = .string(fact.message)
            isChanged = isChanged || condition != before
            condition["lastHeartbeatTime"] = .string(now.kubeTime)
            conditions.append(condition)
        }
        status["conditions"] = .array(conditions)
        return (status, events, isChanged)
    }
}

extension Timestamp {
    /// - Parameter seconds: of a span that is counted in days at most.
    func later(bySeconds seconds: Int64) -> Timestamp {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(Int(seconds) * 1_000_000_000)
        return Timestamp(nanoseconds: overflow ? .max : sum)
    }
}
