import JSON

/// Volumes, claims and their classes.
enum StoragePrinters {
    static let all: [String: Printer] = [
        "PersistentVolume": volume, "PersistentVolumeClaim": claim, "StorageClass.storage.k8s.io": storageClass,
    ]

    private static func modes(_ list: [JSONValue]) -> JSONValue {
        let short = [
            ("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP"),
        ]
        let modes = Set(list.compactMap(\.string))
        return .string(short.filter { modes.contains($0.0) }.map(\.1).joined(separator: ","))
    }

    private static func storage(_ amounts: JSONValue?) -> JSONValue { .string(amounts?["storage"]?.string ?? "0") }

    /// The class is an annotation in old objects.
    private static func storageClass(_ subject: TableSubject) -> JSONValue {
        let annotation = subject.json["metadata", "annotations", "volume.beta.kubernetes.io/storage-class"]?.string
        return .string(annotation ?? subject.spec.text("storageClassName"))
    }

    private static func phase(_ subject: TableSubject) -> JSONValue {
        .string(subject.isBeingDeleted ? "Terminating" : subject.status.text("phase"))
    }

    private static func specText(_ name: String, _ subject: TableSubject) -> JSONValue {
        .string(subject.spec[name]?.string ?? TableSubject.unset)
    }

    private static let common = [
        "metadata.annotations", "status", "spec.accessModes", "spec.storageClassName", "spec.volumeAttributesClassName",
        "spec.volumeMode",
    ]

    private static let volume = Printer(
        common + ["spec.capacity", "spec.persistentVolumeReclaimPolicy", "spec.claimRef"]
    ) { subject in
        let spec = subject.spec
        let claim = spec["claimRef"].map { "\($0.text("namespace"))/\($0.text("name"))" } ?? ""
        return [
            subject.name, storage(spec["capacity"]), modes(spec.list("accessModes")),
            .string(spec.text("persistentVolumeReclaimPolicy")), phase(subject), .string(claim), storageClass(subject),
            specText("volumeAttributesClassName", subject), .string(subject.status.text("reason")), subject.age,
            specText("volumeMode", subject),
        ]
    }

    private static let claim = Printer(common + ["spec.volumeName"]) { subject in
        let (volume, status) = (subject.spec.text("volumeName"), subject.status)
        return [
            subject.name, phase(subject), .string(volume), volume.isEmpty ? "" : storage(status["capacity"]),
            volume.isEmpty ? "" : modes(status.list("accessModes")), storageClass(subject),
            specText("volumeAttributesClassName", subject), subject.age, specText("volumeMode", subject),
        ]
    }

    private static let storageClass = Printer(
        ["metadata.annotations", "provisioner", "reclaimPolicy", "volumeBindingMode", "allowVolumeExpansion"]
    ) { subject in
        let json = subject.json
        let isDefault = ["storageclass.kubernetes.io", "storageclass.beta.kubernetes.io"].contains {
            json["metadata", "annotations", $0 + "/is-default-class"]?.string == "true"
        }
        return [
            .string((json["metadata", "name"]?.string ?? "") + (isDefault ? " (default)" : "")),
            .string(json.text("provisioner")), .string(json.text("reclaimPolicy", or: "Delete")),
            .string(json.text("volumeBindingMode", or: "Immediate")),
            .bool(json["allowVolumeExpansion"]?.bool ?? false), subject.age,
        ]
    }
}
