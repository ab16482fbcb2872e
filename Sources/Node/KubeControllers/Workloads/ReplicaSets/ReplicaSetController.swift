import JSON
package import KubeObjects
import KubeSchema
package import KubeStore
package import Linux

/// Keeps the number of pods of ReplicaSets, and of ReplicationControllers, which are the same with an older selector.
///
/// Invariants
/// 1. Pods are made and deleted only as many as the spec is apart from what is there.
///    (test: `a replica set makes the pods that are missing, and a settled one has nothing to do`)
/// 2. What goes first is what is of least use. (test: `unassigned, pending and unready pods go before ready ones`)
/// 3. Without a change nothing is decided. (the same)
package struct ReplicaSetController: Controller {
    /// So many pods are made or deleted in one decision.
    static let burst: Int64 = 500

    let kind: ReplicatedKind

    package init() { kind = .replicaSet }

    private init(_ kind: ReplicatedKind) { self.kind = kind }

    /// For ReplicationControllers.
    package static let replicationControllers = ReplicaSetController(.replicationController)

    package var name: String { kind.controllerName }
    package var resources: [Resource] { [kind.resource, .pods] }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        guard change.resource == .pods else { return [change.key] }
        return Owners.concerned(by: change, kind.resource, in: view) { kind.selector($0) }
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Linux.Timestamp) -> Decision {
        guard let stored = view.get(kind.resource, namespace: key.namespace, key.name) else { return Decision() }
        let set = KubeObject(stored)
        let pods = ReplicaSetPods(of: set, kind, in: view)
        var actions = pods.claim.actions
        if !set.isBeingDeleted { actions += balance(set, pods, now) }
        let status = pods.status(of: set, kind, now)
        if status.value != set.status { actions.append(update(set, status.value)) }
        return Decision(actions, again: status.nextAvailable)
    }

    package func failed(
        _ action: ObjectAction, _ failure: APIFailure, about key: ObjectKey, in view: any ObjectView,
        now: Linux.Timestamp
    ) -> [ObjectAction] {
        guard let set = view.get(kind.resource, namespace: key.namespace, key.name).map({ KubeObject($0) }) else {
            return []
        }
        let (verb, reason): (String, String)
        switch action {
        case .create: (verb, reason) = ("creating", "FailedCreate")
        case .delete: (verb, reason) = ("deleting", "FailedDelete")
        default: return []
        }
        // Nobody needs to hear that a namespace that goes away takes no more pods.
        guard !failure.isNamespaceTerminating else { return [] }
        var status = ReplicaSetPods(of: set, kind, in: view).status(of: set, kind, now).value
        var conditions = Conditions(set.status)
        conditions.set("ReplicaFailure", "True", reason, failure.message, now)
        conditions.write(to: &status)
        let event = ObjectAction.event(
            set, kind.resource, type: "Warning", reason: reason, message: "Error \(verb): \(failure.message)")
        return [event] + (status == set.status ? [] : [update(set, status)])
    }

    private func update(_ set: KubeObject, _ status: JSONValue) -> ObjectAction {
        var set = set
        set.status = status
        return .update(kind.resource, set, subresource: "status")
    }

    private func balance(_ set: KubeObject, _ pods: ReplicaSetPods, _ now: Linux.Timestamp) -> [ObjectAction] {
        let missing = (set.spec["replicas"]?.integer ?? 1) - Int64(pods.active.count)
        if missing > 0 { return create(min(missing, Self.burst), set, pods, now) }
        let doomed = PodRanking(now: now).sorted(pods.active).prefix(Int(min(-missing, Self.burst)))
        return doomed.flatMap { pod -> [ObjectAction] in
            [
                .delete(.pods, namespace: pod.namespace, name: pod.name, DeletionOptions(uid: pod.uid)),
                event(set, "SuccessfulDelete", "Deleted pod: \(pod.name)"),
            ]
        }
    }

    private func create(
        _ count: Int64, _ set: KubeObject, _ pods: ReplicaSetPods, _ now: Linux.Timestamp
    ) -> [ObjectAction] {
        var names = GeneratedNames(set.name + "-", owner: set, now, taken: pods.names)
        return (0..<count).flatMap { _ -> [ObjectAction] in
            var pod = PodTemplate.pod(set.spec["template"], of: set, kind.resource)
            pod.metadata.generateName = names.prefix
            pod.metadata.name = names.next()
            return [.create(.pods, pod), event(set, "SuccessfulCreate", "Created pod: \(pod.name)")]
        }
    }

    private func event(_ set: KubeObject, _ reason: String, _ message: String) -> ObjectAction {
        .event(set, kind.resource, type: "Normal", reason: reason, message: message)
    }
}

extension APIFailure {
    /// A namespace that is being deleted takes nothing new.
    var isNamespaceTerminating: Bool {
        code == 403 && details?["causes"]?.array?.contains { $0["reason"]?.string == "NamespaceTerminating" } ?? false
    }
}
