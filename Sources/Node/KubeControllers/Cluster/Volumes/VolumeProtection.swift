internal import JSON
package import KubeObjects
package import KubeStore
package import Linux

/// A claim that is deleted stays while a pod uses it, and a volume while a claim has it
/// (persistentvolumeclaim-protection-controller, persistentvolume-protection-controller).
///
/// Invariant: what is used never loses its finalizer. (test: `a claim in use outlives its deletion`)
package struct VolumeProtection: Controller {
    package let name = "persistentvolumeclaim-protection-controller"
    package let resources: [Resource] = [.persistentVolumeClaims, .persistentVolumes, .pods]

    package init() {}

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        guard change.resource == .pods else { return change.new.map { [$0.key] } ?? [] }
        // Only a pod that goes frees a claim.
        guard let old = change.old, change.new == nil || change.new?.uid != old.uid else { return [] }
        return PodClaims.names(of: KubeObject(old)).map {
            Resource.persistentVolumeClaims.key(namespace: change.key.namespace, $0)
        }
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Timestamp) -> Decision {
        let isVolume = key.resource == Resource.persistentVolumes.storeName
        let resource = isVolume ? Resource.persistentVolumes : .persistentVolumeClaims
        let finalizer = isVolume ? VolumeNames.volumeProtection : VolumeNames.claimProtection
        guard var object = view.get(resource, namespace: key.namespace, key.name).map(KubeObject.init) else {
            return Decision()
        }
        let isHeld = object.metadata.finalizers.contains(finalizer)
        if !object.isBeingDeleted {
            guard !isHeld else { return Decision() }
            object.metadata.finalizers.append(finalizer)
            return Decision([.update(resource, object)])
        }
        let isUsed = isVolume ? object.status["phase"]?.string == "Bound" : Self.isUsed(object, in: view)
        guard isHeld, !isUsed else { return Decision() }
        object.metadata.finalizers.removeAll { $0 == finalizer }
        return Decision([.update(resource, object)])
    }

    /// Whether a pod that has a node mentions the claim: others are not started with a claim that is being deleted.
    private static func isUsed(_ claim: KubeObject, in view: any ObjectView) -> Bool {
        view.objects(.pods, namespace: claim.namespace).contains { pod in
            !(pod.value["spec", "nodeName"]?.string ?? "").isEmpty
                && PodClaims.names(of: KubeObject(pod)).contains(claim.name)
        }
    }
}
