internal import JSON
internal import KubeObjects
internal import KubeSchema
internal import KubeStore

/// Which volume serves a claim.
struct VolumeChoice {
    let view: any ObjectView

    /// The class that a claim names: in its spec, or in the annotation from before there was a field.
    static func className(_ claim: KubeObject) -> String? {
        claim.metadata.annotations["volume.beta.kubernetes.io/storage-class"]
            ?? claim.spec["storageClassName"]?.string
    }

    /// Whether there is a volume for a claim that waits for its first pod, or one would be made.
    func canServe(_ claim: KubeObject, on node: SchedulingNode) -> Bool {
        if volume(for: claim, on: node) != nil { return true }
        guard let name = Self.className(claim), !name.isEmpty,
            let provisioner = view.get(.storageClasses, namespace: nil, name)?.value["provisioner"]?.string
        else { return false }
        return provisioner != "kubernetes.io/no-provisioner"
    }

    /// The smallest volume that is free, or kept for this claim, and has what the claim asks for.
    func volume(for claim: KubeObject, on node: SchedulingNode? = nil) -> KubeObject? {
        let selector = claim.spec["selector"].flatMap { try? LabelSelector(object: $0) }
        let wanted = Self.size(claim.spec["resources"]?["requests"])
        var best: (size: Int64, volume: KubeObject)?
        for stored in view.objects(.persistentVolumes, namespace: nil) {
            let volume = KubeObject(stored)
            if Self.isKept(volume, for: claim) { return volume }
            guard Self.isFree(volume), Self.fits(volume, claim),
                selector.map({ $0.matches(volume.json["metadata"]?["labels"]) }) ?? true
            else { continue }
            if let node, let required = volume.spec["nodeAffinity"]?["required"],
                !NodeRequirements.holds(required, node)
            {
                continue
            }
            let size = Self.size(volume.spec["capacity"])
            guard size >= wanted else { continue }
            if let best, (best.size, best.volume.name) <= (size, volume.name) { continue }
            best = (size, volume)
        }
        return best?.volume
    }

    /// Whether the volume names the claim.
    static func isKept(_ volume: KubeObject, for claim: KubeObject) -> Bool {
        guard let reference = volume.spec["claimRef"], reference["name"]?.string == claim.name,
            reference["namespace"]?.string == claim.namespace, !volume.isBeingDeleted
        else { return false }
        let uid = reference["uid"]?.string ?? ""
        return uid.isEmpty || uid == claim.uid
    }

    private static func isFree(_ volume: KubeObject) -> Bool {
        let phase = volume.status["phase"]?.string ?? "Pending"
        return volume.spec["claimRef"] == nil && !volume.isBeingDeleted
            && (phase == "Available" || phase == "Pending")
    }

    /// Class, mode and access modes.
    static func fits(_ volume: KubeObject, _ claim: KubeObject) -> Bool {
        let modes = volume.spec["accessModes"]?.array ?? []
        return (volume.spec["storageClassName"]?.string ?? "") == (className(claim) ?? "")
            && (volume.spec["volumeMode"]?.string ?? "Filesystem") == (claim.spec["volumeMode"]?.string ?? "Filesystem")
            && (claim.spec["accessModes"]?.array ?? []).allSatisfy(modes.contains)
    }

    /// Bytes of storage in a resource list.
    static func size(_ list: JSONValue?) -> Int64 { ResourceAmounts(list)["storage"] }
}
