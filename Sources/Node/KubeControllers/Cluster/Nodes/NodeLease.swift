internal import JSON
import KubeObjects
import Linux

/// The lease by which a node says that it lives (KEP-589): the one thing that is written while nothing happens.
package enum NodeLease {
    package static let namespace = "kube-node-lease"
    /// Seconds after which others take the node for lost.
    static let duration: Int64 = 40
    /// Seconds between renewals.
    static let interval: Int64 = 10

    /// The lease to write now, whether it is new, and when to look again.
    static func decide(
        _ lease: KubeObject?, node: KubeObject, now: Timestamp
    ) -> (lease: KubeObject?, again: Timestamp) {
        let next = now.later(bySeconds: interval)
        guard var lease else {
            var lease = KubeObject(json: ["apiVersion": "coordination.k8s.io/v1", "kind": "Lease"])
            lease.metadata.name = node.name
            lease.metadata.namespace = namespace
            renew(&lease, node, now)
            return (lease, next)
        }
        if lease.spec["holderIdentity"]?.string == node.name,
            lease.metadata.ownerReferences.map(\.uid) == [node.uid],
            let renewed = lease.spec["renewTime"]?.string.flatMap({ Timestamp($0) }), renewed <= now
        {
            let due = renewed.later(bySeconds: interval)
            if due > now { return (nil, due) }
        }
        renew(&lease, node, now)
        return (lease, next)
    }

    private static func renew(_ lease: inout KubeObject, _ node: KubeObject, _ now: Timestamp) {
        var owner = OwnerReference(json: ["apiVersion": "v1", "kind": "Node"])
        owner.json["name"] = .string(node.name)
        owner.json["uid"] = .string(node.uid)
        lease.metadata.ownerReferences = [owner]
        lease.spec["holderIdentity"] = .string(node.name)
        lease.spec["leaseDurationSeconds"] = .integer(duration)
        lease.spec["renewTime"] = .string(now.kubeMicroTime)
    }
}
