import JSON

/// Defaults of volumes and claims.
enum StorageDefaults {
    static func volume(_ object: inout JSONValue) {
        object["status", default: [:]].fill("phase", "Pending", emptyToo: true)
        object.update("spec") { spec in
            spec.fill("persistentVolumeReclaimPolicy", "Retain", emptyToo: true)
            spec.fill("volumeMode", "Filesystem")
            spec.update("hostPath") { $0.fill("type", "") }
        }
    }

    static func claim(_ object: inout JSONValue) {
        object["status", default: [:]].fill("phase", "Pending", emptyToo: true)
        object.update("spec", claimSpec)
    }

    static func claimSpec(_ spec: inout JSONValue) { spec.fill("volumeMode", "Filesystem") }
}
