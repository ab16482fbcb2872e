internal import JSON
package import KubeObjects
package import KubeStore
package import Linux

/// Brings claims and volumes together, makes volumes where a class says so, and gives them up when their claim is gone
/// (persistentvolume-binder).
///
/// Invariants
/// 1. A volume is bound to one claim at most: it is written first, with the claim's uid, at the version it was seen at.
///    (test: `no volume is ever bound to two claims`)
/// 2. What is bound stays so until the claim goes. (the same test)
package final class VolumeBinder: Controller {
    package let name = "persistentvolume-controller"
    package let resources: [Resource] = [.persistentVolumeClaims, .persistentVolumes, .storageClasses]
    let provisioner: LocalPathProvisioner
    let told = OnceTold()

    /// - Parameters:
    ///   - node: the node's name, which volumes on it are tied to.
    ///   - directory: below which volumes are made, an absolute path.
    package init(node: String, directory: String) {
        provisioner = LocalPathProvisioner(node: node, directory: directory)
    }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        switch change.resource {
        case .persistentVolumeClaims:
            let names = [change.old, change.new].compactMap { $0?.value["spec", "volumeName"]?.string }
            let volumes = Set(names).filter { !$0.isEmpty }.map { Resource.persistentVolumes.key($0) }
            let isGone = change.new == nil || change.old?.uid != change.new?.uid
            let kept = isGone && change.old != nil ? keeping(change.key, in: view) : []
            return [change.key] + volumes + kept
        case .persistentVolumes:
            return [change.key] + claims(of: change, in: view)
        default: return waiting(in: view).map(\.key)
        }
    }

    /// Volumes that name a claim which has gone.
    private func keeping(_ claim: ObjectKey, in view: any ObjectView) -> [ObjectKey] {
        view.objects(.persistentVolumes, namespace: nil).filter { volume in
            let reference = volume.value["spec", "claimRef"]
            return reference?["name"]?.string == claim.name && reference?["namespace"]?.string == claim.namespace
        }.map(\.key)
    }

    /// The claims that a volume names or serves; of one that may serve any, all that wait.
    private func claims(of change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        var keys: Set<ObjectKey> = []
        for volume in [change.old, change.new].compactMap(\.self) {
            let reference = volume.value["spec", "claimRef"]
            if let namespace = reference?["namespace"]?.string, let name = reference?["name"]?.string,
                !namespace.isEmpty, !name.isEmpty
            {
                keys.insert(Resource.persistentVolumeClaims.key(namespace: namespace, name))
            }
        }
        let isFree = change.new.map { $0.value["spec", "claimRef"] == nil } ?? true
        if isFree { keys.formUnion(waiting(in: view).map(\.key)) }
        return keys.sorted()
    }

    private func waiting(in view: any ObjectView) -> [StoredObject] {
        view.objects(.persistentVolumeClaims, namespace: nil).filter { $0.value["status", "phase"] != "Bound" }
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Timestamp) -> Decision {
        if key.resource == Resource.persistentVolumes.storeName {
            guard let volume = view.get(.persistentVolumes, namespace: nil, key.name).map(KubeObject.init) else {
                return Decision()
            }
            return Decision(VolumeState(binder: self, view: view).actions(volume))
        }
        guard let claim = view.get(.persistentVolumeClaims, namespace: key.namespace, key.name).map(KubeObject.init)
        else { return Decision() }
        return Decision(ClaimState(binder: self, view: view).actions(claim))
    }

    /// An event about a claim or volume, if it says something new.
    func event(
        _ object: KubeObject, _ resource: Resource, _ type: String, _ reason: String, _ message: String
    ) -> [ObjectAction] {
        guard told.isNews("\(reason) \(message)", about: object.uid) else { return [] }
        return [.event(object, resource, type: type, reason: reason, message: message)]
    }
}
