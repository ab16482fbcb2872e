internal import JSON
import KubeObjects

/// Makes volumes that are directories on the node, for classes with the provisioner forkless.dev/local-path.
///
/// It makes the object only. Whoever runs pods makes the directory, when the first pod mounts it; `VolumeReclaimer` removes it
/// when the volume goes. Sizes are not enforced, as with every such provisioner.
package struct LocalPathProvisioner: Sendable {
    let node: String
    /// An absolute path.
    let directory: String

    /// Why there can be no volume for the claim; nil when there can.
    func problem(_ claim: KubeObject) -> String? {
        if claim.spec["selector"].map({ !$0.isNull }) ?? false {
            return "failed to provision volume: claim.Spec.Selector is not supported"
        }
        if claim.spec["volumeMode"]?.string == "Block" {
            return "failed to provision volume: \(VolumeNames.localPath) makes file systems, not block devices"
        }
        if claim.spec["dataSource"] != nil || claim.spec["dataSourceRef"] != nil {
            return "failed to provision volume: \(VolumeNames.localPath) cannot fill volumes from a data source"
        }
        return nil
    }

    func volume(for claim: KubeObject, _ storageClass: KubeObject) -> KubeObject {
        var volume = KubeObject(json: ["apiVersion": "v1", "kind": "PersistentVolume"])
        let name = "pvc-\(claim.uid)"
        volume.metadata.name = name
        volume.metadata.annotations = [VolumeNames.provisionedBy: VolumeNames.localPath]
        volume.metadata.finalizers = [VolumeNames.volumeProtection, VolumeNames.directoryFinalizer]
        let path = "\(directory)/\(name)_\(claim.namespace ?? "")_\(claim.name)"
        let hostname: JSONValue = [
            "key": "kubernetes.io/hostname", "operator": "In", "values": [.string(node)],
        ]
        var spec: JSONValue = [
            "capacity": ["storage": claim.spec["resources"]?["requests"]?["storage"] ?? "0"],
            "hostPath": ["path": .string(path), "type": "DirectoryOrCreate"],
            "accessModes": claim.spec["accessModes"] ?? [],
            "claimRef": VolumeChoice.reference(claim),
            "persistentVolumeReclaimPolicy": storageClass.json["reclaimPolicy"] ?? "Delete",
            "storageClassName": .string(storageClass.name), "volumeMode": "Filesystem",
            "nodeAffinity": ["required": ["nodeSelectorTerms": [["matchExpressions": [hostname]]]]],
        ]
        if let options = storageClass.json["mountOptions"] { spec["mountOptions"] = options }
        volume.spec = spec
        return volume
    }
}

extension VolumeChoice {
    /// core/v1.ObjectReference to a claim.
    static func reference(_ claim: KubeObject) -> JSONValue {
        [
            "kind": "PersistentVolumeClaim", "namespace": .string(claim.namespace ?? ""), "name": .string(claim.name),
            "uid": .string(claim.uid), "apiVersion": "v1",
            "resourceVersion": .string(claim.metadata.resourceVersion ?? ""),
        ]
    }
}
