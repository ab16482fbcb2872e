import JSON
import KubeObjects
import KubeSchema
import Linux

/// What an object gets by being made (`rest.BeforeCreate` and the kinds' `PrepareForCreate`).
enum NewObject {
    /// Bytes of a generated name's beginning: behind it come five more, and all are a label.
    static let generatedBase = 58
    static let suffixLength = 5

    /// Puts the namespace and the name of the path into an object, or refuses one that says others.
    static func place(_ object: inout JSONValue, _ call: Call) throws(APIFailure) {
        if object["metadata"]?.object == nil { object["metadata"] = [:] }
        let said = object["metadata", "namespace"]?.string ?? ""
        switch call.namespace {
        case nil: object["metadata", "namespace"] = nil
        case let namespace?:
            guard said.isEmpty || said == namespace else {
                throw .badRequest(
                    "the namespace of the provided object does not match the namespace sent on the request")
            }
            object["metadata", "namespace"] = .string(namespace)
        }
        guard let name = call.name, !name.isEmpty else { return }
        let saidName = object["metadata", "name"]?.string ?? ""
        guard saidName.isEmpty || saidName == name else {
            throw .badRequest(
                "the name of the object (\(saidName)) does not match the name on the URL (\(name))")
        }
        object["metadata", "name"] = .string(name)
    }

    /// What only the server writes.
    static func begin(_ object: inout JSONValue, _ call: Call, uid: String, now: Timestamp) {
        var metadata = object["metadata"]?.object ?? [:]
        for field in ["resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"] {
            metadata[field] = nil
        }
        metadata["uid"] = .string(uid)
        metadata["creationTimestamp"] = .string(now.kubeTime)
        let strategy = Strategy(call.served)
        if strategy.countsGenerations { metadata["generation"] = 1 }
        object["metadata"] = .object(metadata)
        if strategy.hasStatus { object["status"] = firstStatus(object, call) }
        switch (call.kind.id.group, call.kind.id.kind) {
        case ("", "Namespace"): namespace(&object)
        case ("batch", "Job"): JobIdentity.fill(&object, uid: uid)
        default: break
        }
    }

    /// The status that a new object has; nil for none.
    private static func firstStatus(_ object: JSONValue, _ call: Call) -> JSONValue? {
        guard !call.isCustom else { return nil }
        switch (call.kind.id.group, call.kind.id.kind) {
        // Kubelets say what they are when they register.
        case ("", "Node"): return object["status"]
        case ("", "Pod"): return PodQuality.firstStatus(object)
        case ("", "Namespace"): return ["phase": "Active"]
        case ("", "PersistentVolume"), ("", "PersistentVolumeClaim"): return ["phase": "Pending"]
        case ("", "Service"), ("networking.k8s.io", "Ingress"): return ["loadBalancer": [:]]
        case ("apps", "ReplicaSet"), ("", "ReplicationController"): return ["replicas": 0]
        default: return [:]
        }
    }

    /// The namespace stays until its content is gone: the finalizer `kubernetes` stands for that.
    private static func namespace(_ object: inout JSONValue) {
        var finalizers = object["spec", "finalizers"]?.array ?? []
        if !finalizers.contains("kubernetes") { finalizers.append("kubernetes") }
        object["spec", "finalizers"] = .array(finalizers)
    }

    /// A name from `generateName`, when the object has no name.
    static func generateName(_ object: inout JSONValue, _ chance: Chance) {
        guard (object["metadata", "name"]?.string ?? "").isEmpty,
            let base = object["metadata", "generateName"]?.string, !base.isEmpty
        else { return }
        object["metadata", "name"] = .string(String(base.prefix(generatedBase)) + chance.suffix(suffixLength))
    }
}

/// What ties a job's pods to it (`generateSelector` of the job strategy).
enum JobIdentity {
    static func fill(_ object: inout JSONValue, uid: String) {
        guard object["spec", "manualSelector"]?.bool != true else { return }
        let name = object["metadata", "name"]?.string ?? ""
        for (key, value) in [
            ("controller-uid", uid), ("job-name", name), ("batch.kubernetes.io/controller-uid", uid),
            ("batch.kubernetes.io/job-name", name),
        ] {
            object["spec", "template", "metadata", "labels", key] = .string(value)
        }
        object["spec", "selector", "matchLabels", "batch.kubernetes.io/controller-uid"] = .string(uid)
    }
}
