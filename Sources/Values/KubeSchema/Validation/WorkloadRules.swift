import JSON

/// Rules for what keeps sets of pods (`pkg/apis/apps/validation`).
enum WorkloadRules {
    static func deployment(_ spec: Located, _ schema: Schema, _ causes: inout Causes) {
        counts(spec, &causes)
        SelectorRules.checkWorkload(spec, "deployment", &causes)
        template(spec["template"], of: "deployment", schema, &causes)
        strategy(spec["strategy"], &causes)
        let (deadline, ready) = (spec["progressDeadlineSeconds"], spec["minReadySeconds"])
        causes.nonNegative(deadline)
        if let seconds = deadline.integer, seconds <= ready.integer ?? 0 {
            causes.invalid(deadline, "must be greater than minReadySeconds")
        }
    }

    private static func strategy(_ strategy: Located, _ causes: inout Causes) {
        let update = strategy["rollingUpdate"]
        if strategy["type"].text == "Recreate" {
            if update.exists {
                causes.forbidden(update, "may not be specified when strategy `type` is 'Recreate'")
            }
            return
        }
        guard update.exists else { return }
        let (unavailable, surge) = (update["maxUnavailable"], update["maxSurge"])
        numberOrPercent(unavailable, &causes)
        numberOrPercent(surge, &causes)
        if isZero(unavailable), isZero(surge) {
            causes.invalid(unavailable, "may not be 0 when `maxSurge` is 0", value: unavailable.json ?? 0)
        }
        notAbove100(unavailable, &causes)
    }

    static func replicaSet(_ spec: Located, _ schema: Schema, _ causes: inout Causes) {
        counts(spec, &causes)
        SelectorRules.checkWorkload(spec, "deployment", &causes)
        template(spec["template"], of: "deployment", schema, &causes)
    }

    static func replicationController(_ spec: Located, _ schema: Schema, _ causes: inout Causes) {
        counts(spec, &causes)
        if spec["selector"].isEmpty { causes.required(spec["selector"]) }
        SelectorRules.checkMatch(Located(["matchLabels": spec["selector"].json ?? [:]]), spec["template"], &causes)
        template(spec["template"], of: "deployment", schema, &causes)
    }

    static func daemonSet(_ spec: Located, _ schema: Schema, _ causes: inout Causes) {
        counts(spec, &causes)
        SelectorRules.checkWorkload(spec, "daemonset", &causes)
        template(spec["template"], of: "daemonset", schema, &causes)
        let update = spec["updateStrategy"]["rollingUpdate"]
        guard spec["updateStrategy"]["type"].text == "RollingUpdate", update.exists else { return }
        let (unavailable, surge) = (update["maxUnavailable"], update["maxSurge"])
        numberOrPercent(unavailable, &causes)
        numberOrPercent(surge, &causes)
        switch (isZero(unavailable), isZero(surge)) {
        case (true, true): causes.required(unavailable, "cannot be 0 when maxSurge is 0")
        case (false, false): causes.invalid(surge, "may not be set when maxUnavailable is non-zero")
        default: break
        }
        notAbove100(unavailable, &causes)
        notAbove100(surge, &causes)
    }

    static func statefulSet(_ spec: Located, _ schema: Schema, _ causes: inout Causes) {
        counts(spec, &causes)
        if spec["podManagementPolicy"].isEmpty { causes.required(spec["podManagementPolicy"]) }
        SelectorRules.checkWorkload(spec, "statefulset", &causes)
        // Claims become volumes of the pods under their own names.
        var template = spec["template"].json ?? [:]
        var volumes = template["spec"]?["volumes"]?.array ?? []
        for claim in spec["volumeClaimTemplates"].elements {
            let name = claim["metadata"]["name"]
            volumes.removeAll { $0["name"] == name.json }
            volumes.append(["name": name.json ?? "", "persistentVolumeClaim": ["claimName": "claim"]])
            StorageRules.claim(claim["spec"], &causes)
        }
        if !volumes.isEmpty, template["spec"]?.object != nil { template["spec", "volumes"] = .array(volumes) }
        self.template(Located(template, spec["template"].path), of: "statefulset", schema, &causes)
        let update = spec["updateStrategy"]
        causes.nonNegative(update["rollingUpdate"]["partition"])
        if update["type"].text == "OnDelete", update["rollingUpdate"].exists {
            causes.invalid(update["rollingUpdate"], "only allowed for updateStrategy 'RollingUpdate'")
        }
        causes.nonNegative(spec["ordinals"]["start"])
        for field in ["whenDeleted", "whenScaled"] {
            let policy = spec["persistentVolumeClaimRetentionPolicy"][field]
            if policy.exists, !["Retain", "Delete"].contains(policy.text) {
                causes.notSupported(policy, ["Retain", "Delete"])
            }
        }
    }

    // MARK: In common

    private static func counts(_ spec: Located, _ causes: inout Causes) {
        for field in ["replicas", "minReadySeconds", "revisionHistoryLimit"] { causes.nonNegative(spec[field]) }
    }

    /// A template of pods that run until they are deleted.
    private static func template(_ template: Located, of what: String, _ schema: Schema, _ causes: inout Causes) {
        guard template.exists else { return causes.required(template) }
        PodRules.template(template, schema, &causes)
        let policy = template["spec"]["restartPolicy"]
        if policy.exists, policy.text != "Always" { causes.notSupported(policy, ["Always"]) }
        let deadline = template["spec"]["activeDeadlineSeconds"]
        guard deadline.exists else { return }
        if what == "deployment" {
            causes.forbidden(deadline, "activeDeadlineSeconds in ReplicaSet is not Supported")
        } else {
            causes.invalid(deadline, "must not be specified")
        }
    }

    static func numberOrPercent(_ place: Located, _ causes: inout Causes) {
        if place.json?.string != nil {
            if percent(place) == nil {
                causes.invalid(
                    place,
                    "a valid percent string must be a numeric string followed by an ending '%'"
                        + Names.hint("[0-9]+%", "1%", "93%"))
            }
        } else {
            causes.nonNegative(place)
        }
    }

    private static func percent(_ place: Located) -> Int? {
        let text = place.text
        guard text.hasSuffix("%"), text.utf8.count > 1, text.utf8.dropLast().allSatisfy(Names.isDigit) else {
            return nil
        }
        return Int(text.dropLast()) ?? Int.max
    }

    private static func isZero(_ place: Located) -> Bool {
        place.json == nil || place.integer == 0 || percent(place) == 0
    }

    private static func notAbove100(_ place: Located, _ causes: inout Causes) {
        if let percent = percent(place), percent > 100 { causes.invalid(place, "must not be greater than 100%") }
    }
}
