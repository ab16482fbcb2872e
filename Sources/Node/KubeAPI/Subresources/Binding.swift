import JSON
import KubeObjects
import KubeSchema
import KubeStore

/// Puts a pod on a node: `spec.nodeName`, the condition PodScheduled and the binding's annotations in one write
/// (`assignPod` of the pod registry).
enum PodBinding {
    /// - Returns: the pod on its node.
    static func apply(
        _ binding: JSONValue, to pod: JSONValue, now: Timestamp
    ) throws(APIFailure) -> JSONValue {
        let name = pod["metadata", "name"]?.string ?? ""
        let (node, kind) = (binding["target", "name"]?.string ?? "", binding["target", "kind"]?.string ?? "")
        guard !node.isEmpty, ["", "Node"].contains(kind) else {
            throw invalid(name, kind: kind, node: node)
        }
        func conflict(_ why: String) -> APIFailure {
            APIFailure(
                409, "Conflict", "Operation cannot be fulfilled on pods/binding \"\(name)\": \(why)",
                details: ["name": .string(name), "kind": "pods/binding"])
        }
        for (field, word) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
            guard let wanted = binding["metadata", field]?.string, !wanted.isEmpty,
                wanted != pod["metadata", field]?.string
            else { continue }
            throw conflict(
                "Precondition failed: \(word) in precondition: \(wanted), \(word) in object meta: "
                    + (pod["metadata", field]?.string ?? ""))
        }
        guard pod["metadata", "deletionTimestamp"] == nil else {
            throw conflict("pod \(name) is being deleted, cannot be assigned to a host")
        }
        if let there = pod["spec", "nodeName"]?.string, !there.isEmpty {
            throw conflict("pod \(name) is already assigned to node \(there.goQuoted)")
        }
        guard pod["spec", "schedulingGates"]?.array?.isEmpty ?? true else {
            throw conflict("pod \(name) has non-empty .spec.schedulingGates")
        }
        var pod = pod
        pod["spec", "nodeName"] = .string(node)
        for annotation in binding["metadata", "annotations"]?.object?.members ?? [] {
            pod["metadata", "annotations", annotation.key] = annotation.value
        }
        var conditions = (pod["status", "conditions"]?.array ?? []).filter { $0["type"] != "PodScheduled" }
        conditions.append(["type": "PodScheduled", "status": "True", "lastTransitionTime": .string(now.kubeTime)])
        pod["status", "conditions"] = .array(conditions)
        return pod
    }

    private static func invalid(_ name: String, kind: String, node: String) -> APIFailure {
        var causes: [Cause] = []
        let target = FieldPath.root.child("target")
        if !["", "Node"].contains(kind) {
            causes.append(
                Cause(
                    reason: .notSupported, path: target.child("kind"), value: .string(kind),
                    detail: "supported values: \"Node\", \"<empty>\""))
        }
        if node.isEmpty { causes.append(Cause(reason: .required, path: target.child("name"), value: "", detail: "")) }
        return .invalid(
            InvalidObject(
                kind: GroupVersionKind(group: "", version: "v1", kind: "Binding"), name: name, causes: causes))
    }
}

extension APIServer {
    static let bindings: ServedKind = {
        guard let kind = Schema.kubernetes.kind(group: "", version: "v1", plural: "bindings") else {
            preconditionFailure("the schema has no v1 Binding")
        }
        return ServedKind(kind, in: .kubernetes)
    }()

    /// - Parameter call: the pod; its name is the binding's.
    /// - Returns: the pod as it is then.
    @discardableResult
    func bind(_ call: Call, _ binding: JSONValue) async throws(APIFailure) -> ShownObject {
        let key = try call.key()
        let now = time()
        if call.options.isDryRun {
            return .value(try PodBinding.apply(binding, to: try await get(call).value, now: now))
        }
        let outcome: Result<WrittenObject, APIFailure>
        do throws(ObjectStoreFailure) {
            outcome = try await store.modify(key) { pod throws(APIFailure) in
                try PodBinding.apply(binding, to: pod.value, now: now)
            }
        } catch { throw failure(error, call) }
        return .stored(try outcome.get().object)
    }
}
