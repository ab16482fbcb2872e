package import JSON

/// Fills in what an object leaves open, as `pkg/apis/*/v1/defaults.go` of Kubernetes does, so that `kubectl get -o yaml`
/// shows the same. What depends on other objects (cluster addresses, a job's selector, priorities) is filled in by who
/// knows those.
///
/// Invariants (tests in DefaultingTests):
/// 1. What is there stays. (`defaults change nothing that was set`)
/// 2. Defaults twice are defaults once. (`defaulting takes whatever decodes`)
/// 3. Any object that decodes is taken, and still decodes. (the same)
package enum Defaulting {
    package static func apply(to object: inout JSONValue, of kind: Kind, in schema: Schema) {
        fillFallbacks(&object, kind.type, schema)
        switch (kind.id.group, kind.id.kind) {
        case ("", "Pod"): PodDefaults.pod(&object)
        case ("", "PodTemplate"): object.update("template", PodDefaults.template)
        case ("", "ReplicationController"): WorkloadDefaults.replicationController(&object)
        case ("", "Service"): ServiceDefaults.service(&object)
        case ("", "Namespace"): namespace(&object)
        case ("", "Node"): node(&object)
        case ("", "Secret"): secret(&object)
        case ("", "PersistentVolume"): StorageDefaults.volume(&object)
        case ("", "PersistentVolumeClaim"): StorageDefaults.claim(&object)
        case ("", "LimitRange"): limitRange(&object)
        case ("apps", "Deployment"): WorkloadDefaults.deployment(&object)
        case ("apps", "ReplicaSet"): WorkloadDefaults.replicaSet(&object)
        case ("apps", "StatefulSet"): WorkloadDefaults.statefulSet(&object)
        case ("apps", "DaemonSet"): WorkloadDefaults.daemonSet(&object)
        case ("batch", "Job"): JobDefaults.job(&object)
        case ("batch", "CronJob"): JobDefaults.cronJob(&object)
        case ("autoscaling", "HorizontalPodAutoscaler"): AutoscalerDefaults.autoscaler(&object, kind)
        case ("networking.k8s.io", "NetworkPolicy"): ServiceDefaults.networkPolicy(&object)
        case ("networking.k8s.io", "IngressClass"):
            object.update("spec") { spec in spec.update("parameters") { $0.fill("scope", "Cluster") } }
        case ("discovery.k8s.io", "EndpointSlice"): ServiceDefaults.endpointSlice(&object)
        case ("rbac.authorization.k8s.io", "RoleBinding"), ("rbac.authorization.k8s.io", "ClusterRoleBinding"):
            binding(&object)
        case ("apiextensions.k8s.io", "CustomResourceDefinition"): customResourceDefinition(&object)
        case ("scheduling.k8s.io", "PriorityClass"): object.fill("preemptionPolicy", "PreemptLowerPriority")
        case ("storage.k8s.io", "StorageClass"):
            object.fill("reclaimPolicy", "Delete")
            object.fill("volumeBindingMode", "Immediate")
        default: break
        }
    }

    /// Values that the schema itself names, in all objects that are there.
    private static func fillFallbacks(_ json: inout JSONValue, _ id: ObjectType.ID, _ schema: Schema) {
        let type = schema[id]
        for field in type.fields {
            if let fallback = field.fallback { json.fill(field.name, fallback) }
        }
        for name in json.object?.keys ?? [] {
            guard let field = type.field(name), case .object = field.type.innermost else { continue }
            json.update(name) { fillFallbacks(in: &$0, field.type, schema) }
        }
    }

    private static func fillFallbacks(in json: inout JSONValue, _ type: FieldType, _ schema: Schema) {
        switch type {
        case .object(let id): fillFallbacks(&json, id, schema)
        case .list(let element): json.updateElements { fillFallbacks(in: &$0, element, schema) }
        case .map(let element):
            json.object = json.object?.mapValues { value in
                var value = value
                fillFallbacks(in: &value, element, schema)
                return value
            }
        default: break
        }
    }

    private static func namespace(_ object: inout JSONValue) {
        object["status", default: [:]].fill("phase", "Active")
        // The label by which selectors find a namespace by name; it follows the name whatever was written.
        guard let name = object["metadata", "name"], name.string?.isEmpty == false else { return }
        object["metadata", "labels", "kubernetes.io/metadata.name"] = name
    }

    /// Text that was written in place of base64 goes into the data, and is not kept (a conversion in Kubernetes).
    private static func secret(_ object: inout JSONValue) {
        object.fill("type", "Opaque", emptyToo: true)
        for entry in object["stringData"]?.object?.members ?? [] {
            let bytes = Array((entry.value.string ?? "").utf8)
            object["data", default: [:]][entry.key] = .string(Base64.text(bytes))
        }
        object["stringData"] = nil
    }

    private static func node(_ object: inout JSONValue) {
        object.update("status") { status in
            guard let capacity = status["capacity"] else { return }
            status.fill("allocatable", capacity)
        }
    }

    /// Limits default to the maximum, requests to the limit or else the minimum.
    private static func limitRange(_ object: inout JSONValue) {
        object.update("spec") { spec in
            spec.update("limits") { limits in
                limits.updateElements { item in
                    guard item["type"]?.string == "Container" else { return }
                    item.fillMap("default", from: item["max"])
                    item.fillMap("defaultRequest", from: item["default"])
                    item.fillMap("defaultRequest", from: item["min"])
                }
            }
        }
    }

    private static func customResourceDefinition(_ object: inout JSONValue) {
        object.update("spec") { spec in
            spec.update("names") { names in
                guard let kind = names["kind"]?.string, !kind.isEmpty else { return }
                names.fill("singular", .string(kind.lowercased()), emptyToo: true)
                names.fill("listKind", .string(kind + "List"), emptyToo: true)
            }
            spec.fill("conversion", ["strategy": "None"])
        }
    }

    private static func binding(_ object: inout JSONValue) {
        let group: JSONValue = "rbac.authorization.k8s.io"
        object.update("roleRef") { $0.fill("apiGroup", group, emptyToo: true) }
        object.update("subjects") { subjects in
            subjects.updateElements { subject in
                switch subject["kind"]?.string {
                case "User", "Group": subject.fill("apiGroup", group, emptyToo: true)
                default: break
                }
            }
        }
    }
}

extension JSONValue {
    /// Sets a member that is missing.
    /// - Parameter emptyToo: Whether an empty string counts as missing, as it does for strings that are no pointers in Go.
    mutating func fill(_ name: String, _ value: JSONValue, emptyToo: Bool = false) {
        guard case .object(let members) = self else { return }
        if let now = members[name], !now.isNull, !(emptyToo && now == "") { return }
        self[name] = value
    }

    /// Adds the entries of a map that are missing here.
    mutating func fillMap(_ name: String, from other: JSONValue?) {
        for entry in other?.object?.members ?? [] { self[name, default: [:]].fill(entry.key, entry.value) }
    }

    /// Changes a member that is there.
    mutating func update(_ name: String, _ change: (inout JSONValue) -> Void) {
        guard let now = self[name], !now.isNull else { return }
        var value = now
        change(&value)
        if value != now { self[name] = value }
    }

    mutating func updateElements(_ change: (inout JSONValue) -> Void) {
        guard var elements = array else { return }
        for index in elements.indices { change(&elements[index]) }
        self = .array(elements)
    }
}
