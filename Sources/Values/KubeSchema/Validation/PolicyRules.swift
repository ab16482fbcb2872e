import JSON

/// Rules for autoscalers, budgets, priorities and leases.
enum PolicyRules {
    static func autoscaler(_ spec: Located, _ kind: Kind, _ causes: inout Causes) {
        let (low, high) = (spec["minReplicas"], spec["maxReplicas"])
        if let min = low.integer, min < 0 { causes.invalid(low, "must be greater than or equal to 0") }
        // Without pods nothing is measured of them (HPAScaleToZero). v1 has its metrics elsewhere; it is checked as v2 too.
        let isWhole = { (metric: Located) in ["Object", "External"].contains(metric["type"].text) }
        if kind.id.version != "v1", low.integer == 0, !spec["metrics"].elements.contains(where: isWhole) {
            causes.invalid(
                spec["metrics"],
                "must specify at least one Object or External metric to support scaling to zero replicas",
                value: spec["metrics"].json ?? [])
        }
        let max = high.integer ?? 0
        if max < 1 { causes.invalid(high, "must be greater than 0", value: .integer(max)) }
        if let min = low.integer, max < min {
            causes.invalid(high, "must be greater than or equal to `minReplicas`", value: .integer(max))
        }
        let target = spec["scaleTargetRef"]
        for field in ["kind", "name"] {
            if target[field].isEmpty {
                causes.required(target[field])
            } else {
                causes.invalid(target[field], Names.pathSegment(target[field].text))
            }
        }
        for metric in spec["metrics"].elements { self.metric(metric, &causes) }
        for direction in ["scaleUp", "scaleDown"] { rules(spec["behavior"][direction], &causes) }
    }

    private static let sources = [
        "Object": "object", "Pods": "pods", "Resource": "resource", "ContainerResource": "containerResource",
        "External": "external",
    ]

    private static func metric(_ metric: Located, _ causes: inout Causes) {
        let type = metric["type"]
        if type.isEmpty { return causes.required(type, "must specify a metric source type") }
        guard let source = sources[type.text] else { return causes.notSupported(type, sources.keys.sorted()) }
        guard metric[source].exists else {
            return causes.required(metric[source], "must populate information for the given metric source")
        }
        let target = metric[source]["target"]
        if target["type"].isEmpty { causes.required(target["type"], "must specify a metric target type") }
        if let percent = target["averageUtilization"].integer, percent < 1 {
            causes.invalid(target["averageUtilization"], "must be greater than 0")
        }
    }

    private static func rules(_ rules: Located, _ causes: inout Causes) {
        causes.inRange(rules["stabilizationWindowSeconds"], 0...3600)
        for policy in rules["policies"].elements {
            if (policy["value"].integer ?? 0) <= 0 {
                causes.invalid(policy["value"], "must be greater than zero", value: policy["value"].json ?? 0)
            }
            causes.inRange(Located(policy["periodSeconds"].json ?? 0, policy["periodSeconds"].path), 1...1800)
        }
    }

    static func budget(_ spec: Located, _ causes: inout Causes) {
        if spec["minAvailable"].exists, spec["maxUnavailable"].exists {
            causes.invalid(spec, "minAvailable and maxUnavailable cannot be both set", value: spec.json)
        }
        for field in ["minAvailable", "maxUnavailable"] { WorkloadRules.numberOrPercent(spec[field], &causes) }
        SelectorRules.check(spec["selector"], &causes)
    }

    static func priority(_ object: Located, _ causes: inout Causes) {
        let name = object["metadata"]["name"]
        if name.text.hasPrefix("system-"), !["system-cluster-critical", "system-node-critical"].contains(name.text) {
            causes.forbidden(
                name,
                "priority class names with 'system-' prefix are reserved for system use only. error: \(name.text) is not a known "
                    + "system priority class")
        } else if let value = object["value"].integer, value > 1_000_000_000, !name.text.hasPrefix("system-") {
            causes.forbidden(object["value"], "maximum allowed value of a user defined priority is 1000000000")
        }
    }

    static func lease(_ spec: Located, _ causes: inout Causes) {
        if let seconds = spec["leaseDurationSeconds"].integer, seconds <= 0 {
            causes.invalid(spec["leaseDurationSeconds"], "must be greater than 0")
        }
        causes.nonNegative(spec["leaseTransitions"])
    }
}

/// Rules for roles and bindings (`pkg/apis/rbac/validation`).
enum AccessRules {
    static func check(_ object: Located, _ kind: Kind, _ causes: inout Causes) {
        if kind.id.kind.hasSuffix("Binding") { return binding(object, isNamespaced: kind.isNamespaced, &causes) }
        for rule in object["rules"].elements { self.rule(rule, isNamespaced: kind.isNamespaced, &causes) }
    }

    private static func rule(_ rule: Located, isNamespaced: Bool, _ causes: inout Causes) {
        if rule["verbs"].isEmpty { causes.required(rule["verbs"], "verbs must contain at least one value") }
        if !rule["nonResourceURLs"].isEmpty {
            if isNamespaced {
                causes.invalid(rule["nonResourceURLs"], "namespaced rules cannot apply to non-resource URLs")
            }
            if !rule["apiGroups"].isEmpty || !rule["resources"].isEmpty || !rule["resourceNames"].isEmpty {
                causes.invalid(
                    rule["nonResourceURLs"], "rules cannot apply to both regular resources and non-resource URLs")
            }
            return
        }
        if rule["apiGroups"].isEmpty {
            causes.required(rule["apiGroups"], "resource rules must supply at least one api group")
        }
        if rule["resources"].isEmpty {
            causes.required(rule["resources"], "resource rules must supply at least one resource")
        }
    }

    private static func binding(_ object: Located, isNamespaced: Bool, _ causes: inout Causes) {
        let role = object["roleRef"]
        let group = "rbac.authorization.k8s.io"
        if role["apiGroup"].text != group { causes.notSupported(role["apiGroup"], [group]) }
        let kinds = isNamespaced ? ["ClusterRole", "Role"] : ["ClusterRole"]
        if !kinds.contains(role["kind"].text) { causes.notSupported(role["kind"], kinds) }
        if role["name"].isEmpty {
            causes.required(role["name"])
        } else {
            causes.invalid(role["name"], Names.pathSegment(role["name"].text))
        }
        for subject in object["subjects"].elements {
            if subject["name"].isEmpty { causes.required(subject["name"]) }
            switch subject["kind"].text {
            case "ServiceAccount":
                if !subject["apiGroup"].isEmpty { causes.notSupported(subject["apiGroup"], [""]) }
                if !subject["name"].isEmpty {
                    causes.invalid(subject["name"], Names.dnsSubdomain(subject["name"].text))
                }
                if !isNamespaced, subject["namespace"].isEmpty { causes.required(subject["namespace"]) }
            case "User", "Group":
                if subject["apiGroup"].text != group { causes.notSupported(subject["apiGroup"], [group]) }
            default: causes.notSupported(subject["kind"], ["Group", "ServiceAccount", "User"])
            }
        }
    }
}
