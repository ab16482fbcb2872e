internal import JSON
package import KubeObjects
package import KubeStore
package import Linux

/// Keeps the node's object, its taints and its lease (kubelet and the node life cycle controller).
///
/// With one node there is nobody who could find it lost: no other evicts its pods.
package struct NodeController: Controller {
    package let name = "kubelet"
    package let resources: [Resource] = [.nodes, .leases, .namespaces]
    private let node: String
    private let facts: @Sendable () -> NodeFacts

    /// - Parameter facts: how the machine is now. Asked at every change of the node, and at every renewal of the lease.
    package init(node: String, facts: @escaping @Sendable () -> NodeFacts) {
        self.node = node
        self.facts = facts
    }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        let own = [Resource.nodes.key(node)]
        switch change.resource {
        case .nodes: return change.key.name == node ? own : []
        case .leases: return change.key.namespace == NodeLease.namespace && change.key.name == node ? own : []
        // The first namespace is what there is at the very beginning, when there is neither.
        case .namespaces: return change.old == nil && change.key.name == NodeLease.namespace ? own : []
        default: return []
        }
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Timestamp) -> Decision {
        guard key.name == node else { return Decision() }
        let facts = facts()
        guard let object = view.get(.nodes, namespace: nil, node).map(KubeObject.init) else {
            let new = NodeStatus.create(facts, now: now)
            return Decision([.create(.nodes, new)], again: now.later(bySeconds: NodeLease.interval))
        }
        guard !object.isBeingDeleted else { return Decision() }
        if let revised = NodeStatus.revise(object, facts, now: now) {
            return Decision([.update(.nodes, revised)], again: now.later(bySeconds: NodeLease.interval))
        }
        var actions: [ObjectAction] = []
        if let (new, events) = NodeStatus.decide(facts, object, now: now) {
            actions.append(.update(.nodes, new, subresource: "status"))
            for event in events {
                let message = "Node \(node) status is now: \(event)"
                actions.append(.event(object, .nodes, type: "Normal", reason: event, message: message))
            }
        }
        let stored = view.get(.leases, namespace: NodeLease.namespace, node).map(KubeObject.init)
        let (lease, again) = NodeLease.decide(stored, node: object, now: now)
        if let lease { actions.append(stored == nil ? .create(.leases, lease) : .update(.leases, lease)) }
        let next = min(again, NodeStatus.nextHeartbeat(object, now: now))
        return Decision(actions, again: next > now ? next : again)
    }
}
