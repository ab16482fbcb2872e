import JSON

/// Rules for the volumes of a pod (`ValidateVolumes`).
enum VolumeRules {
    static func check(_ volumes: Located, _ schema: Schema, _ causes: inout Causes) {
        let type = schema.type(named: "core/v1.VolumeSource").map { schema[$0] }
        let sources = type?.fields.map(\.name) ?? []
        var names: Set<String> = []
        for volume in volumes.elements {
            let name = volume["name"]
            if name.isEmpty {
                causes.required(name)
            } else {
                causes.invalid(name, Names.dnsLabel(name.text))
                if !names.insert(name.text).inserted { causes.duplicate(name) }
            }
            let named = sources.map { volume[$0] }.filter(\.exists)
            if named.isEmpty { causes.required(volume, "must specify a volume type") }
            for extra in named.dropFirst() { causes.forbidden(extra, "may not specify more than 1 volume type") }
            source(volume, &causes)
        }
    }

    /// Fields that sources cannot do without.
    private static let required = [
        ("hostPath", "path"), ("secret", "secretName"), ("configMap", "name"), ("persistentVolumeClaim", "claimName"),
        ("nfs", "server"), ("nfs", "path"), ("csi", "driver"), ("gitRepo", "repository"), ("image", "reference"),
        ("iscsi", "targetPortal"), ("iscsi", "iqn"), ("awsElasticBlockStore", "volumeID"),
        ("gcePersistentDisk", "pdName"),
    ]

    private static func source(_ volume: Located, _ causes: inout Causes) {
        for (source, field) in required where volume[source].exists && volume[source][field].isEmpty {
            causes.required(volume[source][field])
        }
        for source in ["secret", "configMap", "downwardAPI", "projected"] where volume[source].exists {
            mode(volume[source]["defaultMode"], "defaultMode", &causes)
            if source != "projected" { items(volume[source]["items"], isDownward: source == "downwardAPI", &causes) }
        }
        if volume["hostPath"]["path"].text.split(separator: "/").contains("..") {
            causes.invalid(volume["hostPath"]["path"], "must not contain '..'")
        }
        ResourceRules.nonNegative(volume["emptyDir"]["sizeLimit"], &causes)
        for part in volume["projected"]["sources"].elements { projection(part, &causes) }
        if volume["ephemeral"].exists, !volume["ephemeral"]["volumeClaimTemplate"].exists {
            causes.required(volume["ephemeral"]["volumeClaimTemplate"])
        }
    }

    private static func projection(_ part: Located, _ causes: inout Causes) {
        let kinds = [
            "secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate",
        ]
        let named = kinds.map { part[$0] }.filter(\.exists)
        for extra in named.dropFirst() { causes.forbidden(extra, "may not specify more than 1 volume type per source") }
        for kind in ["secret", "configMap"] where part[kind].exists {
            if part[kind]["name"].isEmpty { causes.required(part[kind]["name"]) }
            items(part[kind]["items"], isDownward: false, &causes)
        }
        items(part["downwardAPI"]["items"], isDownward: true, &causes)
        let token = part["serviceAccountToken"]
        guard token.exists else { return }
        if let seconds = token["expirationSeconds"].integer {
            if seconds < 600 {
                causes.invalid(token["expirationSeconds"], "may not specify a duration less than 10 minutes")
            }
            if seconds > 1 << 32 {
                causes.invalid(token["expirationSeconds"], "may not specify a duration larger than 2^32 seconds")
            }
        }
        if token["path"].isEmpty { causes.required(token["path"]) } else { relativePath(token["path"], &causes) }
    }

    private static func items(_ items: Located, isDownward: Bool, _ causes: inout Causes) {
        for item in items.elements {
            if item["path"].isEmpty { causes.required(item["path"]) } else { relativePath(item["path"], &causes) }
            mode(item["mode"], "mode", &causes)
            if !isDownward {
                if item["key"].isEmpty { causes.required(item["key"]) }
                continue
            }
            let (field, resource) = (item["fieldRef"], item["resourceFieldRef"])
            switch (field.exists, resource.exists) {
            case (true, true):
                causes.invalid(
                    item, "fieldRef and resourceFieldRef can not be specified simultaneously", value: "resource")
            case (false, false): causes.required(item, "one of fieldRef and resourceFieldRef is required")
            case (true, false): DownwardRules.checkFile(field, &causes)
            case (false, true):
                if resource["containerName"].isEmpty { causes.required(resource["containerName"]) }
                if resource["resource"].isEmpty { causes.required(resource["resource"]) }
            }
        }
    }

    private static func mode(_ mode: Located, _ name: String, _ causes: inout Causes) {
        guard let bits = mode.integer, !(0...0o777).contains(bits) else { return }
        causes.invalid(mode, "must be a number between 0 and 0777 (octal), both inclusive")
    }

    /// A path that stays below where it begins.
    static func relativePath(_ path: Located, _ causes: inout Causes) {
        if path.text.hasPrefix("/") { causes.invalid(path, "must be a relative path") }
        if path.text.split(separator: "/").contains("..") { causes.invalid(path, "must not contain '..'") }
    }
}
