import JSON
import KubeObjects
import KubeSchema
import KubeStore

/// Claims that name no class get the default one (plugin/storage/storageclass/setdefault), and only grow where their class
/// lets them (plugin/storage/persistentvolume/resize).
struct DefaultStorageClass: AdmissionRule {
    private static let mark = "storageclass.kubernetes.io/is-default-class"
    private static let oldName = "volume.beta.kubernetes.io/storage-class"

    func change(_ request: inout AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        guard request.operation == .create, request.isFor(.persistentVolumeClaims),
            request.object["spec", "storageClassName"] == nil,
            request.object["metadata", "annotations", Self.oldName] == nil
        else { return }
        let classes = view.objects(.storageClasses).filter {
            $0.value["metadata", "annotations", Self.mark]?.string == "true"
        }
        // Of several the newest; of those the first by name.
        let chosen = classes.max { a, b in
            let (old, new) = (Self.time(a.value), Self.time(b.value))
            return old == new ? a.key > b.key : old < new
        }
        if let chosen { request.object["spec", "storageClassName"] = .string(chosen.key.name) }
    }

    private static func time(_ object: JSONValue) -> String { object["metadata", "creationTimestamp"]?.string ?? "" }

    func check(_ request: AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        guard request.operation == .update, request.isFor(.persistentVolumeClaims), let old = request.old,
            let before = Amounts(old["spec", "resources", "requests"])["storage"],
            let now = Amounts(request.object["spec", "resources", "requests"])["storage"], before < now
        else { return }
        let name = request.object["spec", "storageClassName"]?.string ?? ""
        guard view.get(.storageClasses, name)?.value["allowVolumeExpansion"]?.bool == true else {
            throw request.forbidden(
                "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support "
                    + "resize")
        }
    }
}

/// Volumes and claims that are in use stay until they are not (plugin/storage/storageobjectinuseprotection).
struct StorageProtection: AdmissionRule {
    func change(_ request: inout AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        guard request.operation == .create else { return }
        let finalizer: JSONValue
        if request.isFor(.persistentVolumeClaims) {
            finalizer = "kubernetes.io/pvc-protection"
        } else if request.isFor(.persistentVolumes) {
            finalizer = "kubernetes.io/pv-protection"
        } else {
            return
        }
        var finalizers = request.object["metadata", "finalizers"]?.array ?? []
        guard !finalizers.contains(finalizer) else { return }
        finalizers.append(finalizer)
        request.object["metadata", "finalizers"] = .array(finalizers)
    }
}
