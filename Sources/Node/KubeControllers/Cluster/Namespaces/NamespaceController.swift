internal import JSON
package import KubeObjects
package import KubeStore
package import Linux

/// Clears a namespace that is being deleted, pods first, and lets it go when nothing is left (KEP-5080).
///
/// Invariants
/// 1. A namespace is let go only when nothing of the kinds known is in it.
///    (tests: `a namespace goes when the last object in it has gone`, `a namespace waits for a kind that is not seen yet`,
///    `what was made just before a namespace's deletion goes before it`)
/// 2. While a pod is left, only pods are deleted. (test: `pods go before everything else`)
package struct NamespaceController: Controller {
    package let name = "namespace-controller"
    private let kinds: StoredKinds

    static let finalizer = "kubernetes"

    /// - Parameter kinds: all that are stored.
    package init(kinds: StoredKinds) { self.kinds = kinds }

    package var resources: [Resource] { [.namespaces] + kinds.now.namespaced }

    package func watches(_ resource: Resource) -> Bool { resource.isNamespaced || resource == .namespaces }

    package func concerned(byNewcomer resource: Resource, in view: any ObjectView) -> [ObjectKey] {
        view.objects(.namespaces, namespace: nil).filter { $0.value["metadata", "deletionTimestamp"] != nil }.map(\.key)
    }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        if change.resource == .namespaces {
            return change.new?.value["metadata", "deletionTimestamp"] == nil ? [] : [change.key]
        }
        guard let name = change.key.namespace, let namespace = view.get(.namespaces, namespace: nil, name),
            namespace.value["metadata", "deletionTimestamp"] != nil
        else { return [] }
        return [namespace.key]
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Timestamp) -> Decision {
        guard var namespace = view.get(.namespaces, namespace: nil, key.name).map(KubeObject.init),
            namespace.isBeingDeleted
        else { return Decision() }
        // Of a kind that has just come it is not known yet what there is.
        let kinds = kinds.now.namespaced
        guard kinds.allSatisfy({ view.has($0) }) else { return Decision() }
        let left = NamespaceContents(of: key.name, kinds: kinds, in: view)
        var actions: [ObjectAction] = []
        let finalizers = (namespace.spec["finalizers"]?.array ?? []).compactMap(\.string)
        if left.isEmpty, finalizers.contains(Self.finalizer) {
            namespace.spec["finalizers"] = finalizers.filter { $0 != Self.finalizer }.json
            return Decision([
                .confirmEmpty(kinds, namespace: key.name), .update(.namespaces, namespace, subresource: "finalize"),
            ])
        }
        if left.isEmpty, finalizers.isEmpty, namespace.metadata.finalizers.isEmpty {
            // The server removes it when the last finalizer goes; one that was stored without any goes now.
            let options = DeletionOptions(uid: namespace.uid)
            return Decision([
                .confirmEmpty(kinds, namespace: key.name),
                .delete(.namespaces, namespace: nil, name: key.name, options),
            ])
        }
        let before = namespace.status
        var status = before
        status["phase"] = "Terminating"
        namespace.status = status
        left.describe(in: &namespace, now: now)
        if namespace.status != before { actions.append(.update(.namespaces, namespace, subresource: "status")) }
        actions += left.deletions
        return Decision(actions)
    }

    /// Says in the namespace what could not be deleted (makeDeleteContentCondition).
    package func failed(
        _ action: ObjectAction, _ failure: APIFailure, about key: ObjectKey, in view: any ObjectView, now: Timestamp
    ) -> [ObjectAction] {
        guard case .delete(let resource, _, _, _) = action, resource != .namespaces,
            var namespace = view.get(.namespaces, namespace: nil, key.name).map(KubeObject.init)
        else { return [] }
        let before = namespace.status
        namespace.setCondition(
            "NamespaceDeletionContentFailure", true, reason: "ContentDeletionFailed",
            message: "Failed to delete all resource types, 1 remaining: \(failure.message)", now: now)
        let status: [ObjectAction] =
            namespace.status == before ? [] : [.update(.namespaces, namespace, subresource: "status")]
        // What comes behind it is not held up.
        let all = NamespaceContents(of: key.name, kinds: kinds.now.namespaced, in: view).deletions
        return status + (all.firstIndex(of: action).map { Array(all[($0 + 1)...]) } ?? [])
    }
}
