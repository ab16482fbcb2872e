internal import JSON
internal import KubeObjects
internal import KubeStore

/// What is to be done about one volume (syncVolume).
struct VolumeState {
    let binder: VolumeBinder
    let view: any ObjectView

    func actions(_ volume: KubeObject) -> [ObjectAction] {
        guard !volume.isBeingDeleted else { return [] }
        guard let reference = volume.spec["claimRef"], let uid = reference["uid"]?.string, !uid.isEmpty else {
            return phase(volume, "Available")
        }
        let claim = view.get(
            .persistentVolumeClaims, namespace: reference["namespace"]?.string, reference["name"]?.string ?? ""
        ).map(KubeObject.init)
        guard let claim, claim.uid == uid else { return release(volume) }
        switch claim.spec["volumeName"]?.string ?? "" {
        case volume.name: return phase(volume, "Bound")
        // The claim is to take it next.
        case "": return []
        // The claim has another one.
        default:
            guard volume.metadata.annotations[VolumeNames.provisionedBy] == nil else { return release(volume) }
            guard volume.metadata.annotations[VolumeNames.boundByController] != nil else {
                return phase(volume, "Available")
            }
            return free(volume)
        }
    }

    private func phase(_ volume: KubeObject, _ phase: String, message: String? = nil) -> [ObjectAction] {
        var new = volume
        new.status["phase"] = .string(phase)
        new.status["message"] = message.map { .string($0) }
        return new.status == volume.status ? [] : [.update(.persistentVolumes, new, subresource: "status")]
    }

    private func free(_ volume: KubeObject) -> [ObjectAction] {
        var new = volume
        new.spec["claimRef"] = nil
        new.metadata.annotations[VolumeNames.boundByController] = nil
        return [.update(.persistentVolumes, new)]
    }

    /// The claim is gone.
    private func release(_ volume: KubeObject) -> [ObjectAction] {
        let phase = volume.status["phase"]?.string
        guard phase != "Failed" else { return [] }
        let released = self.phase(volume, "Released")
        switch volume.spec["persistentVolumeReclaimPolicy"]?.string ?? "Retain" {
        case "Retain": return released
        case "Delete": return released + delete(volume)
        case let policy:
            let message = "Volume has unrecognized or unsupported PersistentVolumeReclaimPolicy: \(policy)"
            return fail(volume, "VolumeUnknownReclaimPolicy", message)
        }
    }

    private func delete(_ volume: KubeObject) -> [ObjectAction] {
        let provisioner = volume.metadata.annotations[VolumeNames.provisionedBy] ?? ""
        if provisioner == VolumeNames.localPath {
            return [
                .delete(.persistentVolumes, namespace: nil, name: volume.name, DeletionOptions(uid: volume.uid))
            ]
        }
        // Somebody else's: their provisioner sees that it was released, and deletes it.
        guard provisioner.isEmpty else { return [] }
        return fail(
            volume, "VolumeFailedDelete",
            "error getting deleter volume plugin for volume \"\(volume.name)\": no deletable volume plugin matched")
    }

    private func fail(_ volume: KubeObject, _ reason: String, _ message: String) -> [ObjectAction] {
        phase(volume, "Failed", message: message)
            + binder.event(volume, .persistentVolumes, "Warning", reason, message)
    }
}
