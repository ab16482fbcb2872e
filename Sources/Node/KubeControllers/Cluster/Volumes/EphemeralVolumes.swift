internal import JSON
package import KubeObjects
package import KubeStore
package import Linux

/// Makes the claims of pods with generic ephemeral volumes (ephemeral-volume-controller). They go with the pod.
package struct EphemeralVolumes: Controller {
    package let name = "ephemeral-volume-controller"
    package let resources: [Resource] = [.pods, .persistentVolumeClaims]

    package init() {}

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        if change.resource == .pods { return change.old == nil ? [change.key] : [] }
        guard change.new == nil, let old = change.old, let owner = KubeObject(old).metadata.controller,
            owner.kind == "Pod"
        else { return [] }
        return [Resource.pods.key(namespace: change.key.namespace, owner.name)]
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Timestamp) -> Decision {
        guard let pod = view.get(.pods, namespace: key.namespace, key.name).map(KubeObject.init), !pod.isBeingDeleted
        else { return Decision() }
        var actions: [ObjectAction] = []
        for volume in pod.spec["volumes"]?.array ?? [] {
            guard let template = volume["ephemeral"]?["volumeClaimTemplate"], let part = volume["name"]?.string else {
                continue
            }
            let name = "\(pod.name)-\(part)"
            if view.get(.persistentVolumeClaims, namespace: key.namespace, name) != nil { continue }
            var claim = KubeObject(json: ["apiVersion": "v1", "kind": "PersistentVolumeClaim"])
            claim.metadata.name = name
            claim.metadata.namespace = key.namespace
            if let labels = template["metadata"]?["labels"] { claim.metadata.json["labels"] = labels }
            if let notes = template["metadata"]?["annotations"] { claim.metadata.json["annotations"] = notes }
            claim.metadata.ownerReferences = [OwnerReference(controller: pod, .pods)]
            claim.spec = template["spec"] ?? [:]
            actions.append(.create(.persistentVolumeClaims, claim))
        }
        return Decision(actions)
    }
}
