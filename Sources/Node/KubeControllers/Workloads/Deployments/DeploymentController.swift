import JSON
package import KubeObjects
import KubeSchema
package import KubeStore
package import Linux

/// Rolls out the pods of Deployments by scaling one ReplicaSet for each template.
///
/// Invariants
/// 1. A rolling update never wants more pods than `replicas` and `maxSurge` together, and never takes away an available one
///    when fewer than `replicas` less `maxUnavailable` would be left. (test: `rollouts keep their bounds, whatever happens`)
/// 2. With Recreate no new pod is wanted while an old one runs. (test: `Recreate waits until the old pods are gone`)
/// 3. A template that comes back gets its old ReplicaSet with a new revision. (test: `a rollback takes the old replica set`)
/// 4. Without a change nothing is decided. (test: `a settled deployment has nothing to do`)
package struct DeploymentController: Controller {
    package init() {}

    package var name: String { "deployment-controller" }
    package var resources: [Resource] { [.deployments, .replicaSets, .pods] }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        switch change.resource {
        case .deployments: return [change.key]
        case .replicaSets: return Owners.concerned(by: change, .deployments, in: view) { Owners.selector($0) }
        default:
            // Recreate waits for the ends of old pods.
            guard let pod = (change.new ?? change.old).map({ KubeObject($0) }), change.new == nil || pod.hasEnded,
                let set = Owners.manager(of: pod, .replicaSets),
                let owner = view.get(.replicaSets, namespace: set.namespace, set.name).map({ KubeObject($0) }),
                let deployment = Owners.manager(of: owner, .deployments)
            else { return [] }
            return [deployment]
        }
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Linux.Timestamp) -> Decision {
        guard let stored = view.get(.deployments, namespace: key.namespace, key.name) else { return Decision() }
        let deployment = KubeObject(stored)
        if let everything = refuseToSelectEverything(deployment) { return everything }
        var rollout = Rollout(of: deployment, in: view, now)
        rollout.run()
        return Decision(rollout.actions, again: rollout.again)
    }

    private func refuseToSelectEverything(_ deployment: KubeObject) -> Decision? {
        let selector = deployment.json["spec", "selector"]
        guard (try? LabelSelector(object: selector)) == .everything else { return nil }
        guard deployment.status.count("observedGeneration") < deployment.metadata.generation ?? 0 else {
            return Decision()
        }
        var seen = deployment
        var status = deployment.status
        status["observedGeneration"] = .integer(deployment.metadata.generation ?? 0)
        seen.status = status
        return Decision([
            .event(
                deployment, .deployments, type: "Warning", reason: "SelectingAll",
                message: "This deployment is selecting all pods. A non-empty selector is required."),
            .update(.deployments, seen, subresource: "status"),
        ])
    }

    package func failed(
        _ action: ObjectAction, _ failure: APIFailure, about key: ObjectKey, in view: any ObjectView,
        now: Linux.Timestamp
    ) -> [ObjectAction] {
        guard case .create(let resource, let set) = action, resource == .replicaSets, !failure.isNamespaceTerminating,
            let deployment = view.get(.deployments, namespace: key.namespace, key.name).map({ KubeObject($0) })
        else { return [] }
        var changed = deployment
        if failure.reason == "AlreadyExists" {
            guard collides(set, deployment, view) else { return [] }
            changed.json["status", default: [:]]["collisionCount"] =
                .integer(deployment.status.count("collisionCount") + 1)
            return [.update(.deployments, changed, subresource: "status")]
        }
        let message = "Failed to create new replica set \"\(set.name)\": \(failure.message)"
        let event = ObjectAction.event(
            deployment, .deployments, type: "Warning", reason: "ReplicaSetCreateError", message: message)
        guard Rollout.deadline(of: deployment) != nil else { return [event] }
        var conditions = Conditions(deployment.status)
        conditions.set("Progressing", "False", "ReplicaSetCreateError", message, now, touched: "lastUpdateTime")
        var status = deployment.status
        conditions.write(to: &status)
        guard status != deployment.status else { return [event] }
        changed.status = status
        return [event, .update(.deployments, changed, subresource: "status")]
    }

    /// Whether what has the name is another template's: then a new hash is needed. One that the cache does not show yet may
    /// be our own.
    private func collides(_ set: KubeObject, _ deployment: KubeObject, _ view: any ObjectView) -> Bool {
        guard let other = view.get(.replicaSets, namespace: set.namespace, set.name).map({ KubeObject($0) }) else {
            return false
        }
        return other.metadata.controller?.uid != deployment.uid
            || !PodTemplate.areEqual(
                other.spec["template"], deployment.spec["template"], ignoring: Rollout.hashLabel)
    }
}
