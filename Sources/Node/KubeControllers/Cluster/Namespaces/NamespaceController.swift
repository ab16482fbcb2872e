internal import JSON
package import KubeObjects
package import KubeStore
package import Linux

/// Clears a namespace that is being deleted, pods first, and lets it go when nothing is left (KEP-5080).
///
/// Invariants
/// 1. A namespace is let go only when nothing of the kinds known is in it.
///    (test: `a namespace goes when the last object in it has gone`)
/// 2. While a pod is left, only pods are deleted. (test: `pods go before everything else`)
package struct NamespaceController: Controller {
    package let name = "namespace-controller"
    package let resources: [Resource]
    /// What can be in a namespace.
    private let contents: [Resource]

    static let finalizer = "kubernetes"

    /// - Parameter contents: all namespaced kinds that are stored.
    package init(contents: [Resource]) {
        self.contents = contents.filter(\.isNamespaced)
        resources = [.namespaces] + self.contents
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
        let left = NamespaceContents(of: key.name, kinds: contents, in: view)
        var actions: [ObjectAction] = []
        let finalizers = (namespace.spec["finalizers"]?.array ?? []).compactMap(\.string)
        if left.isEmpty, finalizers.contains(Self.finalizer) {
            namespace.spec["finalizers"] = finalizers.filter { $0 != Self.finalizer }.json
            return Decision([.update(.namespaces, namespace, subresource: "finalize")])
        }
        if left.isEmpty, finalizers.isEmpty, namespace.metadata.finalizers.isEmpty {
            // The server removes it when the last finalizer goes; one that was stored without any goes now.
            let options = DeletionOptions(uid: namespace.uid)
            return Decision([.delete(.namespaces, namespace: nil, name: key.name, options)])
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
}
