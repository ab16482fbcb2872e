internal import JSON
internal import KubeObjects
internal import KubeStore
internal import Linux

/// What is left in a namespace that is being deleted.
struct NamespaceContents {
    private let namespace: String
    private let left: [(kind: Resource, objects: [StoredObject])]

    init(of namespace: String, kinds: [Resource], in view: any ObjectView) {
        self.namespace = namespace
        left = kinds.compactMap { kind in
            let objects = view.objects(kind, namespace: namespace)
            return objects.isEmpty ? nil : (kind, objects.sorted { $0.key < $1.key })
        }.sorted { $0.kind.description < $1.kind.description }
    }

    var isEmpty: Bool { left.isEmpty }

    /// Of what is not on its way out yet. Pods first: they may need what else is there to end well.
    var deletions: [ObjectAction] {
        let pods = left.filter { $0.kind == .pods }
        return (pods.isEmpty ? left : pods).flatMap { kind, objects in
            objects.compactMap { object -> ObjectAction? in
                guard object.value["metadata", "deletionTimestamp"] == nil else { return nil }
                let options = DeletionOptions(propagation: .background, uid: object.uid)
                return .delete(kind, namespace: namespace, name: object.key.name, options)
            }
        }
    }

    /// Sets the conditions in which Kubernetes tells what a namespace waits for.
    func describe(in object: inout KubeObject, now: Timestamp) {
        object.setCondition(
            "NamespaceDeletionDiscoveryFailure", false, reason: "ResourcesDiscovered",
            message: "All resources successfully discovered", now: now)
        object.setCondition(
            "NamespaceDeletionGroupVersionParsingFailure", false, reason: "ParsedGroupVersions",
            message: "All legacy kube types successfully parsed", now: now)
        // What could not be deleted stays said until it could.
        if deletions.isEmpty || object.condition("NamespaceDeletionContentFailure")?["status"] != "True" {
            object.setCondition(
                "NamespaceDeletionContentFailure", false, reason: "ContentDeleted",
                message: "All content successfully deleted, may be waiting on finalization", now: now)
        }
        if left.isEmpty {
            object.setCondition(
                "NamespaceContentRemaining", false, reason: "ContentRemoved",
                message: "All content successfully removed", now: now)
        } else {
            let list = left.map { "\($0.kind.full) has \($0.objects.count) resource instances" }
            object.setCondition(
                "NamespaceContentRemaining", true, reason: "SomeResourcesRemain",
                message: "Some resources are remaining: " + list.joined(separator: ", "), now: now)
        }
        let finalizers = finalizerCounts
        if finalizers.isEmpty {
            object.setCondition(
                "NamespaceFinalizersRemaining", false, reason: "ContentHasNoFinalizers",
                message: "All content-preserving finalizers finished", now: now)
        } else {
            let list = finalizers.sorted { $0.key < $1.key }.map { "\($0.key) in \($0.value) resource instances" }
            object.setCondition(
                "NamespaceFinalizersRemaining", true, reason: "SomeFinalizersRemain",
                message: "Some content in the namespace has finalizers remaining: " + list.joined(separator: ", "),
                now: now)
        }
    }

    private var finalizerCounts: [String: Int] {
        var counts: [String: Int] = [:]
        for object in left.flatMap(\.objects) {
            for finalizer in KubeObject(object).metadata.finalizers { counts[finalizer, default: 0] += 1 }
        }
        return counts
    }
}

extension Resource {
    /// As these messages name a kind: "pods.", "deployments.apps".
    fileprivate var full: String { "\(plural).\(group)" }
}
