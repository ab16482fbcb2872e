internal import JSON
internal import KubeObjects
internal import KubeStore

/// What is to be done about one claim (syncUnboundClaim, syncBoundClaim).
struct ClaimState {
    let binder: VolumeBinder
    let view: any ObjectView

    func actions(_ claim: KubeObject) -> [ObjectAction] {
        if claim.metadata.annotations[ClaimRules.bindCompleted] != nil { return bound(claim) }
        guard !claim.isBeingDeleted else { return [] }
        if let name = claim.spec["volumeName"]?.string, !name.isEmpty { return prebound(claim, name) }
        if let volume = choose(claim) { return bind(volume, claim) }
        return pending(claim) + provide(claim)
    }

    // MARK: Not bound yet

    /// A claim whose class waits for a pod takes only what is kept for it, until there is one.
    private func choose(_ claim: KubeObject) -> KubeObject? {
        let choice = VolumeChoice(view: view)
        guard waitsForConsumer(claim) else { return choice.volume(for: claim) }
        return view.objects(.persistentVolumes, namespace: nil).map(KubeObject.init).first {
            VolumeChoice.isKept($0, for: claim)
        }
    }

    private func storageClass(_ claim: KubeObject) -> KubeObject? {
        guard let name = VolumeChoice.className(claim), !name.isEmpty else { return nil }
        return view.get(.storageClasses, namespace: nil, name).map(KubeObject.init)
    }

    private func waitsForConsumer(_ claim: KubeObject) -> Bool {
        storageClass(claim)?.json["volumeBindingMode"]?.string == "WaitForFirstConsumer"
            && claim.metadata.annotations[ClaimRules.selectedNode] == nil
    }

    private func pending(_ claim: KubeObject) -> [ObjectAction] {
        guard claim.status["phase"]?.string != "Pending" else { return [] }
        var claim = claim
        claim.status["phase"] = "Pending"
        return [.update(.persistentVolumeClaims, claim, subresource: "status")]
    }

    private func event(_ claim: KubeObject, _ type: String, _ reason: String, _ message: String) -> [ObjectAction] {
        binder.event(claim, .persistentVolumeClaims, type, reason, message)
    }

    /// No volume is there: makes one, or says what the claim waits for.
    private func provide(_ claim: KubeObject) -> [ObjectAction] {
        let className = VolumeChoice.className(claim) ?? ""
        guard !className.isEmpty else {
            let message = "no persistent volumes available for this claim and no storage class is set"
            return event(claim, "Normal", "FailedBinding", message)
        }
        guard let storageClass = storageClass(claim) else {
            let message = "storageclass.storage.k8s.io \"\(className)\" not found"
            return event(claim, "Warning", "ProvisioningFailed", message)
        }
        if waitsForConsumer(claim) {
            let message = "waiting for first consumer to be created before binding"
            return event(claim, "Normal", "WaitForFirstConsumer", message)
        }
        let provisioner = storageClass.json["provisioner"]?.string ?? ""
        switch provisioner {
        case VolumeNames.localPath: return provision(claim, storageClass)
        case VolumeNames.noProvisioner:
            let message = "no persistent volumes available for this claim, and its class makes none"
            return event(claim, "Normal", "FailedBinding", message)
        default:
            let message =
                "Waiting for a volume to be created either by the external provisioner '\(provisioner)' or manually by "
                + "the system administrator. If volume creation is delayed, please verify that the provisioner is "
                + "running and correctly registered."
            return mark(claim, provisioner) + event(claim, "Normal", "ExternalProvisioning", message)
        }
    }

    private func provision(_ claim: KubeObject, _ storageClass: KubeObject) -> [ObjectAction] {
        if let problem = binder.provisioner.problem(claim) {
            return event(claim, "Warning", "ProvisioningFailed", problem)
        }
        let volume = binder.provisioner.volume(for: claim, storageClass)
        guard view.get(.persistentVolumes, namespace: nil, volume.name) == nil else { return [] }
        let message = "Successfully provisioned volume \(volume.name)"
        return mark(claim, VolumeNames.localPath) + [.create(.persistentVolumes, volume)]
            + event(claim, "Normal", "ProvisioningSucceeded", message)
    }

    /// Notes on the claim who makes its volume.
    private func mark(_ claim: KubeObject, _ provisioner: String) -> [ObjectAction] {
        guard claim.metadata.annotations[VolumeNames.provisioner] != provisioner else { return [] }
        var claim = claim
        claim.metadata.annotations[VolumeNames.provisioner] = provisioner
        claim.metadata.annotations[VolumeNames.provisionerBeta] = provisioner
        return [.update(.persistentVolumeClaims, claim)]
    }

    /// The claim names a volume itself.
    private func prebound(_ claim: KubeObject, _ name: String) -> [ObjectAction] {
        guard let volume = view.get(.persistentVolumes, namespace: nil, name).map(KubeObject.init) else {
            return pending(claim)
        }
        if VolumeChoice.isKept(volume, for: claim) { return bind(volume, claim) }
        guard volume.spec["claimRef"] == nil, !volume.isBeingDeleted else {
            let message = "volume \"\(name)\" already bound to a different claim."
            return pending(claim) + event(claim, "Warning", "FailedBinding", message)
        }
        guard VolumeChoice.fits(volume, claim),
            VolumeChoice.size(volume.spec["capacity"])
                >= VolumeChoice.size(claim.spec["resources"]?["requests"])
        else {
            let message = "Cannot bind to requested volume \"\(name)\": it does not satisfy the claim's requirements"
            return pending(claim) + event(claim, "Warning", "VolumeMismatch", message)
        }
        return bind(volume, claim)
    }

    // MARK: Binding

    /// The volume first: whoever writes it has it.
    private func bind(_ volume: KubeObject, _ claim: KubeObject) -> [ObjectAction] {
        var actions: [ObjectAction] = []
        var volume = volume
        if volume.spec["claimRef"]?["uid"]?.string ?? "" != claim.uid {
            if volume.spec["claimRef"] == nil { volume.metadata.annotations[VolumeNames.boundByController] = "yes" }
            volume.spec["claimRef"] = VolumeChoice.reference(claim)
            actions.append(.update(.persistentVolumes, volume))
        }
        if volume.status["phase"]?.string != "Bound" {
            volume.status["phase"] = "Bound"
            actions.append(.update(.persistentVolumes, volume, subresource: "status"))
        }
        var new = claim
        if new.spec["volumeName"]?.string != volume.name {
            new.spec["volumeName"] = .string(volume.name)
            new.metadata.annotations[VolumeNames.boundByController] = "yes"
        }
        new.metadata.annotations[ClaimRules.bindCompleted] = "yes"
        actions.append(.update(.persistentVolumeClaims, new))
        return actions + settle(new, volume)
    }

    /// The claim's status as that of one that has its volume.
    private func settle(_ claim: KubeObject, _ volume: KubeObject) -> [ObjectAction] {
        var new = claim
        var status = claim.status
        status["phase"] = "Bound"
        status["accessModes"] = volume.spec["accessModes"]
        // What has grown keeps what it has: the volume's own size is written by who resizes it.
        if status["capacity"] == nil || claim.status["phase"]?.string != "Bound" {
            status["capacity"] = volume.spec["capacity"]
        }
        new.status = status
        return new.status == claim.status ? [] : [.update(.persistentVolumeClaims, new, subresource: "status")]
    }

    // MARK: Bound

    private func bound(_ claim: KubeObject) -> [ObjectAction] {
        let name = claim.spec["volumeName"]?.string ?? ""
        guard !name.isEmpty, let volume = view.get(.persistentVolumes, namespace: nil, name).map(KubeObject.init) else {
            return lost(claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!")
        }
        let holder = volume.spec["claimRef"]?["uid"]?.string ?? ""
        if holder == claim.uid { return settle(claim, volume) }
        if volume.spec["claimRef"] == nil || VolumeChoice.isKept(volume, for: claim) { return bind(volume, claim) }
        return lost(
            claim, "ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly")
    }

    private func lost(_ claim: KubeObject, _ reason: String, _ message: String) -> [ObjectAction] {
        guard claim.status["phase"]?.string != "Lost" else { return [] }
        var new = claim
        new.status = ["phase": "Lost"]
        return [.update(.persistentVolumeClaims, new, subresource: "status")]
            + event(claim, "Warning", reason, message)
    }
}
