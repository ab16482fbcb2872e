import JSON

/// Rules for config maps, secrets, quotas, limit ranges and nodes.
enum ConfigRules {
    /// The keys and values of one config map or secret together, in bytes.
    static let sizeLimit = 1024 * 1024

    static func configMap(_ object: Located, _ causes: inout Causes) {
        var size = 0
        for field in ["data", "binaryData"] {
            for (key, value) in object[field].entries {
                causes.invalid(value, Names.configKey(key), value: .string(key))
                size += field == "data" ? value.text.utf8.count : value.text.utf8.count / 4 * 3
                if field == "binaryData", object["data"].entry(key).exists {
                    causes.invalid(value, "duplicate of key present in data", value: .string(key))
                }
            }
        }
        if size > sizeLimit { causes.tooLong(Located(nil), limit: sizeLimit) }
    }

    static func secret(_ object: Located, _ causes: inout Causes) {
        var size = 0
        for (key, value) in object["data"].entries {
            causes.invalid(value, Names.configKey(key), value: .string(key))
            size += value.text.utf8.count / 4 * 3
        }
        if size > sizeLimit { causes.tooLong(object["data"], limit: sizeLimit) }
        for key in required(object["type"].text)
        where !object["data"].entry(key).exists && object["stringData"].entry(key).isEmpty {
            causes.required(object["data"].entry(key))
        }
        if object["type"].text == "kubernetes.io/service-account-token",
            object["metadata"]["annotations"].entry("kubernetes.io/service-account.name").isEmpty
        {
            causes.required(object["metadata"]["annotations"].entry("kubernetes.io/service-account.name"))
        }
    }

    /// The keys that a type of secrets must have.
    private static func required(_ type: String) -> [String] {
        switch type {
        case "kubernetes.io/tls": ["tls.crt", "tls.key"]
        case "kubernetes.io/dockerconfigjson": [".dockerconfigjson"]
        case "kubernetes.io/dockercfg": [".dockercfg"]
        case "kubernetes.io/ssh-auth": ["ssh-privatekey"]
        default: []
        }
    }

    static func quota(_ spec: Located, _ causes: inout Causes) {
        for (name, amount) in spec["hard"].entries {
            causes.invalid(amount, Names.labelKey(name), value: .string(name))
            ResourceRules.nonNegative(amount, &causes)
        }
    }

    static func limitRange(_ spec: Located, _ causes: inout Causes) {
        var types: Set<String> = []
        for item in spec["limits"].elements {
            let type = item["type"]
            causes.invalid(type, Names.labelKey(type.text), value: .string(type.text))
            if !types.insert(type.text).inserted { causes.duplicate(type) }
            let names = Set(["min", "max"].flatMap { item[$0].entries.map(\.key) })
            for name in names.sorted() {
                let (low, high) = (item["min"].entry(name), item["max"].entry(name))
                if let min = ResourceRules.quantity(low), let max = ResourceRules.quantity(high), min > max {
                    causes.invalid(low, "min value \(min) is greater than max value \(max)")
                }
            }
            if type.text == "Pod" {
                for field in ["default", "defaultRequest"] where !item[field].isEmpty {
                    causes.forbidden(item[field], "may not be specified when `type` is 'Pod'")
                }
            }
        }
    }

    static func node(_ spec: Located, _ causes: inout Causes) {
        var seen: Set<[String]> = []
        for taint in spec["taints"].elements {
            causes.invalid(taint["key"], Names.labelKey(taint["key"].text), value: .string(taint["key"].text))
            causes.invalid(taint["value"], Names.labelValue(taint["value"].text))
            if taint["effect"].isEmpty { causes.required(taint["effect"]) }
            if !seen.insert([taint["key"].text, taint["effect"].text]).inserted { causes.duplicate(taint) }
        }
    }
}

/// Rules for volumes and claims.
enum StorageRules {
    static func claim(_ spec: Located, _ causes: inout Causes) {
        if spec["accessModes"].isEmpty { causes.required(spec["accessModes"], "at least 1 access mode is required") }
        SelectorRules.check(spec["selector"], &causes)
        size(spec["resources"]["requests"].entry("storage"), &causes)
        let name = spec["storageClassName"]
        if !name.isEmpty { causes.invalid(name, Names.dnsSubdomain(name.text)) }
    }

    static func volume(_ spec: Located, _ schema: Schema, _ causes: inout Causes) {
        if spec["accessModes"].isEmpty { causes.required(spec["accessModes"]) }
        if spec["capacity"].isEmpty {
            causes.required(spec["capacity"])
        } else {
            size(spec["capacity"].entry("storage"), &causes)
        }
        let type = schema.type(named: "core/v1.PersistentVolumeSource").map { schema[$0] }
        let named = (type?.fields ?? []).map { spec[$0.name] }.filter(\.exists)
        if named.isEmpty { causes.required(spec, "must specify a volume type") }
        for extra in named.dropFirst() { causes.forbidden(extra, "may not specify more than 1 volume type") }
        if spec["local"].exists, !spec["nodeAffinity"].exists {
            causes.required(spec["nodeAffinity"], "Local volume requires node affinity")
        }
        if spec["hostPath"].exists, spec["hostPath"]["path"].isEmpty { causes.required(spec["hostPath"]["path"]) }
    }

    private static func size(_ size: Located, _ causes: inout Causes) {
        guard let amount = ResourceRules.quantity(size) else { return causes.required(size) }
        if amount <= .zero { causes.invalid(size, "must be greater than zero") }
    }
}
