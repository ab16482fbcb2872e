internal import JSON
package import KubeObjects
internal import KubeSchema
package import KubeStore
package import Linux

/// Keeps count of what namespaces use of their quotas (resourcequota-controller). That nobody uses more is the server's to see
/// to, when something is made.
package struct ResourceQuotaController: Controller {
    package let name = "resourcequota-controller"
    private let kinds: StoredKinds

    /// - Parameter kinds: all that are stored; quotas can count those that have namespaces.
    package init(kinds: StoredKinds) { self.kinds = kinds }

    private static let known: [Resource] = [.resourceQuotas, .pods, .services, .persistentVolumeClaims]

    package var resources: [Resource] {
        Self.known + kinds.now.namespaced.filter { !Self.known.contains($0) }
    }

    package func watches(_ resource: Resource) -> Bool { resource.isNamespaced }

    package func concerned(byNewcomer resource: Resource, in view: any ObjectView) -> [ObjectKey] {
        resource.isNamespaced ? view.objects(.resourceQuotas, namespace: nil).map(\.key) : []
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
        let usage = QuotaUsage(quota, kinds: kinds.now, in: view)
        var used: [String: String] = [:]
        for member in hard.object?.members ?? [] {
            // Of a kind that is not seen yet what was counted before stands.
            used[member.key] = usage.used(member.key)?.description ?? quota.status["used"]?[member.key]?.string
        }
        guard quota.status["hard"] != hard || quota.status["used"] != used.json else { return Decision() }
        quota.status = ["hard": hard, "used": used.json]
        return Decision([.update(.resourceQuotas, quota, subresource: "status")])
    }
}
