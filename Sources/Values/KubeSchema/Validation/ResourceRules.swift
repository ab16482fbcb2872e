import JSON

/// Rules for requests and limits (`ValidateResourceRequirements`).
enum ResourceRules {
    private static let standard: Set = ["cpu", "memory", "ephemeral-storage"]

    static func check(_ resources: Located, _ causes: inout Causes) {
        for (name, limit) in resources["limits"].entries {
            self.name(name, limit, &causes)
            nonNegative(limit, &causes)
        }
        for (name, request) in resources["requests"].entries {
            self.name(name, request, &causes)
            nonNegative(request, &causes)
            guard let limit = quantity(resources["limits"].entry(name)), let wanted = quantity(request) else {
                continue
            }
            let place = Located(request.json, resources["requests"].path)
            if isExtended(name), wanted != limit {
                causes.invalid(place, "must be equal to \(name) limit of \(limit)")
            } else if wanted > limit {
                causes.invalid(place, "must be less than or equal to \(name) limit of \(limit)")
            }
        }
    }

    private static func name(_ name: String, _ place: Located, _ causes: inout Causes) {
        let problems = Names.labelKey(name)
        causes.invalid(place, problems, value: .string(name))
        guard problems.isEmpty, !standard.contains(name), !name.hasPrefix("hugepages-") else { return }
        guard name.contains("/") else {
            causes.invalid(place, "must be a standard resource type or fully qualified", value: .string(name))
            return causes.invalid(place, "must be a standard resource for containers", value: .string(name))
        }
        if isExtended(name), let amount = quantity(place), !amount.isWhole {
            causes.invalid(place, "must be an integer")
        }
    }

    private static func isExtended(_ name: String) -> Bool {
        name.contains("/") && !name.hasPrefix("requests.") && !name.hasPrefix("kubernetes.io/")
    }

    static func nonNegative(_ place: Located, _ causes: inout Causes) {
        if let amount = quantity(place), amount.isNegative {
            causes.invalid(place, "must be greater than or equal to 0")
        }
    }

    static func quantity(_ place: Located) -> Quantity? { place.json?.string.flatMap { try? Quantity($0) } }
}

/// Rules for security contexts.
enum SecurityRules {
    private static let ids: ClosedRange<Int64> = 0...Int64(Int32.max)

    static func checkPod(_ context: Located, _ causes: inout Causes) {
        for field in ["runAsUser", "runAsGroup", "fsGroup"] { causes.inRange(context[field], ids) }
        for group in context["supplementalGroups"].elements { causes.inRange(group, ids) }
        profile(context["seccompProfile"], &causes)
        var names: Set<String> = []
        for sysctl in context["sysctls"].elements {
            if sysctl["name"].isEmpty {
                causes.required(sysctl["name"])
            } else if !names.insert(sysctl["name"].text).inserted {
                causes.duplicate(sysctl["name"])
            }
        }
    }

    static func checkContainer(_ context: Located, _ causes: inout Causes) {
        for field in ["runAsUser", "runAsGroup"] { causes.inRange(context[field], ids) }
        profile(context["seccompProfile"], &causes)
        let escalation = context["allowPrivilegeEscalation"]
        guard escalation.json?.bool == false else { return }
        if context["privileged"].isTrue {
            causes.invalid(
                context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true", value: context.json)
        }
        if context["capabilities"]["add"].elements.contains(where: {
            $0.text == "SYS_ADMIN" || $0.text == "CAP_SYS_ADMIN"
        }) {
            causes.invalid(
                context, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN",
                value: context.json)
        }
    }

    private static func profile(_ profile: Located, _ causes: inout Causes) {
        guard profile.exists else { return }
        let local = profile["localhostProfile"]
        switch profile["type"].text {
        case "": causes.required(profile["type"], "type is required when seccompProfile is set")
        case "Localhost":
            if local.isEmpty {
                causes.required(local, "must be set when seccomp type is Localhost")
            } else {
                VolumeRules.relativePath(local, &causes)
            }
        default:
            if local.exists { causes.invalid(local, "can only be set when seccomp type is Localhost") }
        }
    }
}
