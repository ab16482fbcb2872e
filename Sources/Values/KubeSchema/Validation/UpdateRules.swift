import JSON

/// What an update may not change, by kind (`Validate…Update`).
enum UpdateRules {
    static func check(_ new: Located, _ old: Located, _ kind: Kind, _ causes: inout Causes) {
        let (spec, before) = (new["spec"], old["spec"])
        switch (kind.id.group, kind.id.kind) {
        case ("", "Pod"): pod(spec, before, &causes)
        case ("", "Service"): service(spec, before, &causes)
        case ("", "ConfigMap"): frozen(new, old, ["data", "binaryData"], &causes)
        case ("", "Secret"):
            Immutable.check(new["type"], old["type"], &causes)
            frozen(new, old, ["data"], &causes)
        case ("", "PersistentVolumeClaim"): claim(spec, before, &causes)
        case ("", "PersistentVolume"): volume(spec, before, &causes)
        case ("apps", "Deployment"), ("apps", "ReplicaSet"), ("apps", "DaemonSet"):
            Immutable.check(spec["selector"], before["selector"], &causes)
        case ("apps", "StatefulSet"):
            only(
                [
                    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
                    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
                ],
                spec, before, &causes,
                "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
                    + "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
            )
        case ("batch", "Job"): job(spec, before, &causes)
        case ("rbac.authorization.k8s.io", "RoleBinding"), ("rbac.authorization.k8s.io", "ClusterRoleBinding"):
            Immutable.check(new["roleRef"], old["roleRef"], &causes, "cannot change roleRef")
        case ("node.k8s.io", "RuntimeClass"): Immutable.check(new["handler"], old["handler"], &causes)
        case ("scheduling.k8s.io", "PriorityClass"):
            for field in ["value", "preemptionPolicy"] where new[field].json != old[field].json {
                causes.forbidden(new[field], "may not be changed in an update.")
            }
        case ("discovery.k8s.io", "EndpointSlice"): Immutable.check(new["addressType"], old["addressType"], &causes)
        case ("storage.k8s.io", "StorageClass"):
            for field in ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"]
            where new[field].json != old[field].json {
                causes.forbidden(new[field], "updates to \(field) are forbidden.")
            }
        case ("apiextensions.k8s.io", "CustomResourceDefinition"): DefinitionUpdateRules.check(new, old, &causes)
        default: break
        }
    }

    /// Refuses any change of a spec outside of the named fields.
    private static func only(
        _ fields: [String], _ spec: Located, _ before: Located, _ causes: inout Causes, _ problem: String
    ) {
        var (a, b) = (spec.json ?? [:], before.json ?? [:])
        for field in fields {
            a[field] = nil
            b[field] = nil
        }
        if a != b { causes.forbidden(spec, problem) }
    }

    private static let podFields =
        "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
        + "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously "
        + "negative)"

    private static func pod(_ spec: Located, _ before: Located, _ causes: inout Causes) {
        for list in ["containers", "initContainers"] where spec[list].elements.count != before[list].elements.count {
            return causes.forbidden(spec[list], "pod updates may not add or remove containers")
        }
        deadline(spec["activeDeadlineSeconds"], before["activeDeadlineSeconds"], &causes)
        let kept = Set(spec["tolerations"].elements.compactMap(\.json))
        for toleration in before["tolerations"].elements.compactMap(\.json) where !kept.contains(toleration) {
            causes.forbidden(
                spec["tolerations"], "existing toleration can not be modified except its tolerationSeconds")
            break
        }
        let gates = Set(before["schedulingGates"].elements.map { $0["name"].text })
        for gate in spec["schedulingGates"].elements where !gates.contains(gate["name"].text) {
            causes.forbidden(
                spec["schedulingGates"],
                "only deletion is allowed, but found new scheduling gate '\(gate["name"].text)'")
        }
        guard comparable(spec) != comparable(before) else { return }
        causes.forbidden(spec, "pod updates may not change fields other than \(podFields)\n")
    }

    /// A pod's spec without what may change: images, deadlines, tolerations, gates that are taken away.
    private static func comparable(_ spec: Located) -> JSONValue {
        var json = spec.json ?? [:]
        for field in ["activeDeadlineSeconds", "tolerations", "schedulingGates", "ephemeralContainers"] {
            json[field] = nil
        }
        for list in ["containers", "initContainers"] {
            json.update(list) { containers in containers.updateElements { $0["image"] = nil } }
        }
        return json
    }

    private static func deadline(_ new: Located, _ old: Located, _ causes: inout Causes) {
        guard let before = old.integer else { return }
        guard let now = new.integer else {
            return causes.invalid(new, "must not update from a positive integer to nil value", value: .null)
        }
        if now > before { causes.invalid(new, "must be less than or equal to previous value") }
    }

    private static func service(_ spec: Located, _ before: Located, _ causes: inout Causes) {
        // An ExternalName has no address; one that was may get one, and the reverse.
        guard spec["type"].text != "ExternalName", before["type"].text != "ExternalName" else { return }
        let (new, old) = (spec["clusterIP"], before["clusterIP"])
        guard !old.isEmpty, new.text != old.text else { return }
        causes.invalid(
            Located(nil, spec["clusterIPs"].path.index(0)), "may not change once set",
            value: spec["clusterIPs"].json ?? [new.json ?? ""])
    }

    private static func claim(_ spec: Located, _ before: Located, _ causes: inout Causes) {
        var fields = ["resources", "volumeAttributesClassName"]
        // Once, by who brings a claim and its volume together: else a claim would get at whatever volume it names.
        if before["volumeName"].isEmpty { fields.append("volumeName") }
        only(
            fields, spec, before, &causes,
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims")
        let (new, old) = (
            spec["resources"]["requests"].entry("storage"), before["resources"]["requests"].entry("storage")
        )
        if let now = ResourceRules.quantity(new), let was = ResourceRules.quantity(old), now < was {
            causes.forbidden(
                spec["resources"]["requests"].entry("storage"), "field can not be less than status.capacity")
        }
    }

    /// What of a volume's spec does not say where it is.
    private static let besideSource = [
        "capacity", "accessModes", "claimRef", "persistentVolumeReclaimPolicy", "storageClassName", "mountOptions",
        "volumeMode", "nodeAffinity", "volumeAttributesClassName",
    ]

    private static func volume(_ spec: Located, _ before: Located, _ causes: inout Causes) {
        var (new, old) = (spec.json ?? [:], before.json ?? [:])
        for field in besideSource {
            new[field] = nil
            old[field] = nil
        }
        if new != old {
            causes.forbidden(
                spec["persistentvolumesource"], "spec.persistentvolumesource is immutable after creation")
        }
        // Kubernetes names these two without "spec".
        func place(_ field: String, _ json: JSONValue?) -> Located { Located(json, FieldPath.root.child(field)) }
        Immutable.check(
            place("volumeMode", spec.json?["volumeMode"]), place("volumeMode", before.json?["volumeMode"]), &causes)
        guard before["nodeAffinity"].exists else { return }
        Immutable.check(
            place("nodeAffinity", spec.json?["nodeAffinity"]), place("nodeAffinity", before.json?["nodeAffinity"]),
            &causes)
    }

    private static func job(_ spec: Located, _ before: Located, _ causes: inout Causes) {
        for field in [
            "selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy",
        ] {
            Immutable.check(spec[field], before[field], &causes)
        }
        let isElastic =
            spec["completionMode"].text == "Indexed" && spec["completions"].integer == spec["parallelism"].integer
        if !isElastic { Immutable.check(spec["completions"], before["completions"], &causes) }
        // A job that is held back and never ran may still be placed elsewhere.
        guard spec["template"].json != before["template"].json, !before["suspend"].isTrue else { return }
        causes.invalid(spec["template"], "field is immutable")
    }

    private static func frozen(_ new: Located, _ old: Located, _ fields: [String], _ causes: inout Causes) {
        guard old["immutable"].isTrue else { return }
        let problem = "field is immutable when `immutable` is set"
        if !new["immutable"].isTrue { causes.forbidden(new["immutable"], problem) }
        for field in fields where new[field].json != old[field].json { causes.forbidden(new[field], problem) }
    }
}
