import JSON
import KubeObjects
import KubeSchema
import KubeStore

/// Charges a new object to the quotas of its namespace (plugin/resourcequota): pure; what it gives is written in the commit
/// that makes the object, so that no two objects are given the same room.
///
/// Invariant: what has been admitted by charges never exceeds a quota. (test: `a quota holds against many at once`)
enum QuotaCharge {
    /// - Parameter quotas: those of the namespace.
    /// - Returns: the quotas as they are then, each for the revision it was decided by.
    static func writes(_ request: AdmissionRequest, _ quotas: [StoredObject]) throws(APIFailure) -> [ObjectWrite] {
        guard request.operation == .create || request.operation == .update, request.call.subresource == nil else {
            return []
        }
        let resource = request.call.resource
        var usage = QuotaUsage.of(request.object, resource)
        // What becomes less is given back by who counts anew.
        if let old = request.old { usage.keepIncrease(over: QuotaUsage.of(old, resource)) }
        var writes: [ObjectWrite] = []
        for quota in quotas.sorted(by: { $0.key < $1.key })
        where QuotaUsage.matches(quota.value, request.object, resource) {
            // What is limited is what the controller has taken over from the spec.
            let hard = Amounts(quota.value["status", "hard"])
            let concerned = usage.sorted.filter { hard[$0.key] != nil }
            if request.operation == .create { try checkSaid(request, hard, quota.key.name) }
            guard !concerned.isEmpty else { continue }
            let used = try charged(concerned, hard, quota, request)
            var value = quota.value
            for (name, amount) in used.sorted { value["status", "used", name] = .string("\(amount)") }
            writes.append(.update(quota.key, value, if: Precondition(revision: quota.revision)))
        }
        return writes
    }

    private static func charged(
        _ concerned: [(key: String, value: Quantity)], _ hard: Amounts, _ quota: StoredObject,
        _ request: AdmissionRequest
    ) throws(APIFailure) -> Amounts {
        let used = Amounts(quota.value["status", "used"])
        let unknown = concerned.filter { used[$0.key] == nil }.map(\.key)
        guard unknown.isEmpty else {
            throw request.forbidden(
                "status unknown for quota: \(quota.key.name), resources: \(unknown.joined(separator: ","))")
        }
        var result = used
        var over: [(key: String, value: Quantity)] = []
        for (name, amount) in concerned {
            let sum = used[name]! + amount
            if hard[name]! < sum, !amount.isZero { over.append((name, amount)) }
            result[name] = sum
        }
        guard over.isEmpty else {
            func list(_ value: (String, Quantity) -> Quantity) -> String {
                over.map { "\($0.key)=\(value($0.key, $0.value))" }.joined(separator: ",")
            }
            throw request.forbidden(
                "exceeded quota: \(quota.key.name), requested: \(list { $1 }), used: \(list { name, _ in used[name]! }), "
                    + "limited: \(list { name, _ in hard[name]! })")
        }
        return result
    }

    /// A pod has to say what a quota counts of each of its containers (`podEvaluator.Constraints`).
    private static func checkSaid(_ request: AdmissionRequest, _ hard: Amounts, _ name: String) throws(APIFailure) {
        guard request.isFor(.pods) else { return }
        let spec = request.object["spec"] ?? [:]
        var missing: [String] = []
        for limited in hard.all.keys.sorted() {
            let (field, resource): (String, String)
            switch limited {
            case "cpu", "memory", "requests.cpu", "requests.memory":
                (field, resource) = ("requests", limited.without(prefix: "requests."))
            case "limits.cpu", "limits.memory": (field, resource) = ("limits", limited.without(prefix: "limits."))
            default: continue
            }
            if spec["resources", field, resource] != nil { continue }
            let silent = PodTemplates.containers(spec, ["containers", "initContainers"]).filter {
                $0["resources", field, resource] == nil
            }
            guard !silent.isEmpty else { continue }
            missing.append("\(limited) for: \(silent.map { $0["name"]?.string ?? "" }.joined(separator: ","))")
        }
        guard missing.isEmpty else {
            throw request.forbidden("failed quota: \(name): must specify \(missing.joined(separator: "; "))")
        }
    }
}

extension String {
    /// Without a beginning that it may have.
    func without(prefix: String) -> String { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self }
}
