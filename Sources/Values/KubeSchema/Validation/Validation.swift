package import JSON

/// Says what is wrong with an object that has been decoded and filled in: the rules of `pkg/apis/*/validation` that
/// people meet, with their sentences. What it does not check is stored as it is.
///
/// Invariants (tests in ValidationTests):
/// 1. Any object that decodes is taken, none traps. (`validation takes whatever decodes`)
/// 2. Manifests as people write them have no causes. (`ordinary objects are valid`)
package struct Validation: Sendable {
    private let schema: Schema
    private let kind: Kind

    package init(_ kind: Kind, in schema: Schema) {
        self.kind = kind
        self.schema = schema
    }

    /// For an object that is to be created.
    /// - Throws: `InvalidObject`, which the server answers 422 with.
    package func checkNew(_ object: JSONValue) throws(InvalidObject) {
        var causes = Causes()
        let place = Located(object)
        if !kind.isVirtual { MetadataRules.check(place, kind, &causes) }
        check(place, &causes)
        try finish(object, causes)
    }

    /// For an object that is to take the place of `old`.
    /// - Throws: `InvalidObject`.
    package func checkUpdate(_ object: JSONValue, of old: JSONValue) throws(InvalidObject) {
        var causes = Causes()
        let place = Located(object)
        MetadataRules.checkUpdate(place, Located(old), &causes)
        MetadataRules.checkCommon(place["metadata"], &causes)
        check(place, &causes)
        UpdateRules.check(place, Located(old), kind, &causes)
        try finish(object, causes)
    }

    private func finish(_ object: JSONValue, _ causes: Causes) throws(InvalidObject) {
        guard !causes.list.isEmpty else { return }
        let metadata = object["metadata"]
        let name = metadata?["name"]?.string ?? metadata?["generateName"]?.string ?? ""
        throw InvalidObject(kind: kind.id, name: name, causes: causes.list)
    }

    private func check(_ object: Located, _ causes: inout Causes) {
        EnumerationRules.check(object, kind.type, schema, &causes)
        let spec = object["spec"]
        switch (kind.id.group, kind.id.kind) {
        case ("", "Pod"): PodRules.check(spec, schema, &causes)
        case ("", "PodTemplate"): PodRules.template(object["template"], schema, &causes)
        case ("", "ReplicationController"): WorkloadRules.replicationController(spec, schema, &causes)
        case ("", "Service"): ServiceRules.check(spec, &causes)
        case ("", "ConfigMap"): ConfigRules.configMap(object, &causes)
        case ("", "Secret"): ConfigRules.secret(object, &causes)
        case ("", "PersistentVolumeClaim"): StorageRules.claim(spec, &causes)
        case ("", "PersistentVolume"): StorageRules.volume(spec, schema, &causes)
        case ("", "ResourceQuota"): ConfigRules.quota(spec, &causes)
        case ("", "LimitRange"): ConfigRules.limitRange(spec, &causes)
        case ("", "Node"): ConfigRules.node(spec, &causes)
        case ("apps", "Deployment"): WorkloadRules.deployment(spec, schema, &causes)
        case ("apps", "ReplicaSet"): WorkloadRules.replicaSet(spec, schema, &causes)
        case ("apps", "StatefulSet"): WorkloadRules.statefulSet(spec, schema, &causes)
        case ("apps", "DaemonSet"): WorkloadRules.daemonSet(spec, schema, &causes)
        case ("batch", "Job"): JobRules.job(spec, schema, &causes)
        case ("batch", "CronJob"): JobRules.cronJob(spec, schema, &causes)
        case ("autoscaling", "HorizontalPodAutoscaler"): PolicyRules.autoscaler(spec, kind, &causes)
        case ("autoscaling", "Scale"): causes.nonNegative(spec["replicas"])
        case ("policy", "PodDisruptionBudget"): PolicyRules.budget(spec, &causes)
        case ("networking.k8s.io", "Ingress"): NetworkRules.ingress(spec, &causes)
        case ("networking.k8s.io", "NetworkPolicy"): NetworkRules.policy(spec, &causes)
        case ("discovery.k8s.io", "EndpointSlice"): NetworkRules.endpointSlice(object, &causes)
        case ("rbac.authorization.k8s.io", _): AccessRules.check(object, kind, &causes)
        case ("node.k8s.io", "RuntimeClass"):
            let handler = object["handler"]
            if handler.isEmpty {
                causes.required(handler)
            } else {
                causes.invalid(handler, Names.dnsLabel(handler.text))
            }
        case ("scheduling.k8s.io", "PriorityClass"): PolicyRules.priority(object, &causes)
        case ("coordination.k8s.io", "Lease"): PolicyRules.lease(spec, &causes)
        case ("storage.k8s.io", "StorageClass"):
            if object["provisioner"].isEmpty { causes.required(object["provisioner"]) }
        default: break
        }
    }
}

/// Strings that may only be one of a few, wherever the schema lists them. A status is the system's own.
enum EnumerationRules {
    static func check(_ place: Located, _ id: ObjectType.ID, _ schema: Schema, _ causes: inout Causes) {
        let type = schema[id]
        for member in place.json?.object?.members ?? [] {
            guard let field = type.field(member.key), field.name != "status" || field.allowed != nil else { continue }
            check(place[field.name], field.type, field.allowed, schema, &causes)
        }
    }

    private static func check(
        _ value: Located, _ type: FieldType, _ allowed: [String]?, _ schema: Schema, _ causes: inout Causes
    ) {
        switch type {
        case .object(let id): check(value, id, schema, &causes)
        case .list(let element): for one in value.elements { check(one, element, allowed, schema, &causes) }
        case .map(let element):
            guard element != .string || allowed != nil else { return }
            for (_, one) in value.entries { check(one, element, allowed, schema, &causes) }
        case .string:
            guard let allowed, !value.isEmpty, !allowed.contains(value.text) else { return }
            causes.notSupported(value, allowed.filter { !$0.isEmpty }.sorted())
        default: break
        }
    }
}
