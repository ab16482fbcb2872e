internal import JSON
package import KubeObjects
internal import KubeSchema
package import KubeStore
package import Linux

/// Keeps count of what namespaces use of their quotas (resourcequota-controller). That nobody uses more is the server's to see
/// to, when something is made.
package struct ResourceQuotaController: Controller {
    package let name = "resourcequota-controller"
    package let resources: [Resource]
    private let kinds: [String: Resource]

    /// - Parameter contents: all namespaced kinds that are stored, which quotas can count.
    package init(contents: [Resource]) {
        let known: [Resource] = [.resourceQuotas, .pods, .services, .persistentVolumeClaims]
        let all = known + contents.filter { $0.isNamespaced && !known.contains($0) }
        resources = all
        kinds = Dictionary(all.map { ($0.description, $0) }) { first, _ in first }
    }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        if change.resource == .resourceQuotas, let quota = change.new, change.old != nil { return [quota.key] }
        guard isSeen(change), let namespace = change.key.namespace else { return [] }
        return view.objects(.resourceQuotas, namespace: namespace).map(\.key)
    }

    /// Most kinds are only counted.
    private func isSeen(_ change: ObjectCache.Change) -> Bool {
        guard let old = change.old?.value, let new = change.new?.value else { return true }
        switch change.resource {
        case .pods:
            return SchedulingPod.isFinished(old) != SchedulingPod.isFinished(new) || old["spec"] != new["spec"]
        case .services, .persistentVolumeClaims: return old["spec"] != new["spec"]
        default: return false
        }
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Linux.Timestamp) -> Decision {
        guard var quota = view.get(.resourceQuotas, namespace: key.namespace, key.name).map(KubeObject.init),
            !quota.isBeingDeleted
        else { return Decision() }
        let hard = quota.spec["hard"] ?? [:]
        let usage = QuotaUsage(quota, kinds: kinds, in: view)
        var used: [String: String] = [:]
        for member in hard.object?.members ?? [] { used[member.key] = usage.used(member.key).description }
        guard quota.status["hard"] != hard || quota.status["used"] != used.json else { return Decision() }
        quota.status = ["hard": hard, "used": used.json]
        return Decision([.update(.resourceQuotas, quota, subresource: "status")])
    }
}
