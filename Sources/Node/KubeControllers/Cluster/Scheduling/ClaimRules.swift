internal import JSON
internal import KubeObjects
internal import KubeStore

/// What a pod's claims to volumes say about where it can be (the plugins VolumeBinding and VolumeRestrictions).
struct ClaimRules {
    let view: any ObjectView

    static let selectedNode = "volume.kubernetes.io/selected-node"
    static let bindCompleted = "pv.kubernetes.io/bind-completed"

    /// `.fits` when all claims have volumes that this node can reach.
    func verdict(_ pod: SchedulingPod, _ node: SchedulingNode) -> PlacementVerdict {
        var waiting = false
        var refusal: PlacementVerdict?
        var hasUnbound = false
        for name in PodClaims.names(of: pod.object) {
            guard let claim = view.get(.persistentVolumeClaims, namespace: pod.namespace, name).map(KubeObject.init)
            else { return .impossible("persistentvolumeclaim \"\(name)\" not found") }
            if claim.isBeingDeleted { return .impossible("persistentvolumeclaim \"\(name)\" is being deleted") }
            if let bound = boundVolume(claim) {
                guard let volume = view.get(.persistentVolumes, namespace: nil, bound)?.value else {
                    return .impossible(
                        "persistentvolumeclaim \"\(name)\" bound to non-existent persistentvolume \"\(bound)\"")
                }
                if let required = volume["spec"]?["nodeAffinity"]?["required"], !NodeRequirements.holds(required, node)
                {
                    refusal = .refused(
                        reasons: ["node(s) didn't match PersistentVolume's node affinity"], isHopeless: true)
                }
            } else if waitsForConsumer(claim) {
                waiting = true
                if !VolumeChoice(view: view).canServe(claim, on: node) {
                    refusal = .refused(
                        reasons: ["node(s) didn't find available persistent volumes to bind"], isHopeless: true)
                }
            } else {
                hasUnbound = true
            }
        }
        if hasUnbound { return .impossible("pod has unbound immediate PersistentVolumeClaims") }
        return refusal ?? (waiting ? .waitsForVolumes : .fits)
    }

    /// The volume that a claim has for good.
    private func boundVolume(_ claim: KubeObject) -> String? {
        guard claim.metadata.annotations[Self.bindCompleted] != nil, let volume = claim.spec["volumeName"]?.string,
            !volume.isEmpty
        else { return nil }
        return volume
    }

    private func waitsForConsumer(_ claim: KubeObject) -> Bool {
        guard let name = VolumeChoice.className(claim), !name.isEmpty else { return false }
        return view.get(.storageClasses, namespace: nil, name)?.value["volumeBindingMode"]?.string
            == "WaitForFirstConsumer"
    }

    /// The claims that wait for a pod on this node and have not been told of one.
    func unselected(_ pod: SchedulingPod, node: String) -> [KubeObject] {
        PodClaims.names(of: pod.object).compactMap { name in
            view.get(.persistentVolumeClaims, namespace: pod.namespace, name).map(KubeObject.init)
        }.filter { claim in
            boundVolume(claim) == nil && waitsForConsumer(claim)
                && claim.metadata.annotations[Self.selectedNode] != node
        }
    }

    /// Why a claim that only one pod may use keeps this one out.
    func exclusiveHolder(_ pod: SchedulingPod, _ room: NodeRoom) -> String? {
        let exclusive = PodClaims.names(of: pod.object).filter { name in
            let claim = view.get(.persistentVolumeClaims, namespace: pod.namespace, name)?.value
            return claim?["spec", "accessModes"]?.array?.contains("ReadWriteOncePod") ?? false
        }
        guard !exclusive.isEmpty else { return nil }
        let isHeld = room.pods.values.contains { other in
            other.namespace == pod.namespace && other.uid != pod.uid
                && PodClaims.names(of: other.object).contains { exclusive.contains($0) }
        }
        return isHeld
            ? "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode" : nil
    }
}
