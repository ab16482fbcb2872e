internal import JSON
package import KubeObjects
package import KubeStore
package import Linux
internal import Synchronization

/// Removes what no living owner is left of, and sees foreground deletion and orphaning through
/// (garbage-collector-controller).
///
/// Invariants
/// 1. What has an owner that is there is never deleted.
///    (test: `exactly what has no living owner goes, whatever is deleted in whatever way`)
/// 2. What has owners, none of which is there, is deleted. (the same test)
/// 3. An object deleted in the foreground goes after all that block it.
///    (test: `in the foreground the owner goes after what blocks it`)
/// 4. Kinds may come and go at any time: what has an owner of a kind that is not known, or not seen yet, waits for it.
///    (test: `an owner of a kind that is not there yet is waited for`)
package final class GarbageCollector: Controller {
    package let name = "garbage-collector-controller"
    private let kinds: StoredKinds
    private let index = Mutex(OwnerIndex())

    static let foreground = "foregroundDeletion"
    static let orphan = "orphan"
    /// Seconds for which an owner that was never seen is waited for.
    static let patience: Int64 = 2

    /// - Parameter kinds: all that are stored. Owners of other kinds are taken to be there.
    package init(kinds: StoredKinds) { self.kinds = kinds }

    package var resources: [Resource] { kinds.now.all.filter { $0 != .events } }

    package func watches(_ resource: Resource) -> Bool { resource != .events }

    package func concerned(byNewcomer resource: Resource, in view: any ObjectView) -> [ObjectKey] {
        index.withLock { $0.unjudged }
    }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        let (old, new) = (change.old.map(KubeObject.init), change.new.map(KubeObject.init))
        if let old, let new, old.uid == new.uid, old.ownership == new.ownership { return [] }
        return index.withLock { index in
            index.take(change.key, old: old, new: new)
            var keys: [ObjectKey] = []
            if let new, !new.metadata.ownerReferences.isEmpty || new.isBeingDeleted { keys.append(change.key) }
            // Owners wait for what blocks them.
            for reference in old?.metadata.ownerReferences ?? [] {
                if let owner = index.place(of: reference.uid) { keys.append(owner) }
            }
            let isGone = old.map { $0.uid != new?.uid } ?? false
            if let old, isGone { keys += index.dependents(of: old.uid) }
            if let new, new.isBeingDeleted { keys += index.dependents(of: new.uid) }
            return keys
        }
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Timestamp) -> Decision {
        let kinds = kinds.now
        guard let resource = kinds.resource(of: key),
            let object = view.get(resource, namespace: key.namespace, key.name).map(KubeObject.init)
        else { return Decision() }
        if object.isBeingDeleted { return Decision(release(object, resource, view)) }
        guard !object.metadata.ownerReferences.isEmpty else { return Decision() }
        return index.withLock { index in
            let classes = OwnerClasses(of: object, kinds: kinds, view: view, index: &index, now: now)
            index.note(key, isUnjudged: classes.isUnjudged)
            var actions = classes.invalid.filter { index.isNews($0.reference.uid) }.map { invalid in
                ObjectAction.event(
                    object, resource, type: "Warning", reason: "OwnerRefInvalidNamespace", message: invalid.message)
            }
            actions += collect(object, resource, classes, index.dependents(of: object.uid), view)
            return Decision(actions, again: classes.again)
        }
    }

    /// Lets an object go that is being deleted, when what depends on it has been seen to.
    private func release(_ object: KubeObject, _ resource: Resource, _ view: any ObjectView) -> [ObjectAction] {
        let finalizers = object.metadata.finalizers
        guard finalizers.contains(Self.orphan) || finalizers.contains(Self.foreground) else { return [] }
        var actions: [ObjectAction] = []
        var object = object
        let dependents = dependents(of: object, view)
        if finalizers.contains(Self.orphan) {
            for (resource, dependent) in dependents {
                actions.append(.update(resource, dependent.without(owners: [object.uid])))
            }
        } else if dependents.contains(where: { $0.object.blocks(object.uid) }) {
            return []
        }
        object.metadata.finalizers = finalizers.filter { $0 != Self.orphan && $0 != Self.foreground }
        return actions + [.update(resource, object)]
    }

    private func dependents(of object: KubeObject, _ view: any ObjectView) -> [(resource: Resource, object: KubeObject)]
    {
        dependents(index.withLock { $0.dependents(of: object.uid) }, of: object.uid, view)
    }

    private func dependents(
        _ keys: [ObjectKey], of uid: String, _ view: any ObjectView
    ) -> [(resource: Resource, object: KubeObject)] {
        let kinds = kinds.now
        return keys.compactMap { key in
            guard let resource = kinds.resource(of: key),
                let dependent = view.get(resource, namespace: key.namespace, key.name).map(KubeObject.init),
                dependent.metadata.ownerReferences.contains(where: { $0.uid == uid })
            else { return nil }
            return (resource, dependent)
        }
    }

    private func collect(
        _ object: KubeObject, _ resource: Resource, _ classes: OwnerClasses, _ keys: [ObjectKey], _ view: any ObjectView
    ) -> [ObjectAction] {
        if !classes.solid.isEmpty {
            let others = Set((classes.dangling + classes.waiting).map(\.uid))
            return others.isEmpty ? [] : [.update(resource, object.without(owners: others))]
        }
        let dependents = dependents(keys, of: object.uid, view)
        var options = DeletionOptions(uid: object.uid, resourceVersion: object.metadata.resourceVersion)
        if !classes.waiting.isEmpty, !dependents.isEmpty {
            options.propagation = .foreground
            // Owners that wait for each other in a circle would wait for ever: this one stops blocking.
            let isCircle = dependents.contains { $0.object.metadata.finalizers.contains(Self.foreground) }
            if isCircle, object.metadata.ownerReferences.contains(where: \.blocksOwnerDeletion) {
                options.resourceVersion = nil
                return [.update(resource, object.unblocking), delete(object, resource, options)]
            }
            return [delete(object, resource, options)]
        }
        let finalizers = object.metadata.finalizers
        options.propagation =
            finalizers.contains(Self.orphan)
            ? .orphan : finalizers.contains(Self.foreground) ? .foreground : .background
        return [delete(object, resource, options)]
    }

    private func delete(_ object: KubeObject, _ resource: Resource, _ options: DeletionOptions) -> ObjectAction {
        .delete(resource, namespace: object.namespace, name: object.name, options)
    }
}

extension KubeObject {
    /// What garbage collection looks at.
    fileprivate var ownership: [JSONValue?] {
        [
            json["metadata"]?["ownerReferences"], json["metadata"]?["finalizers"],
            json["metadata"]?["deletionTimestamp"] == nil ? nil : true,
        ]
    }

    fileprivate func blocks(_ owner: String) -> Bool {
        metadata.ownerReferences.contains { $0.uid == owner && $0.blocksOwnerDeletion }
    }

    fileprivate func without(owners: Set<String>) -> KubeObject {
        var object = self
        object.metadata.ownerReferences = metadata.ownerReferences.filter { !owners.contains($0.uid) }
        return object
    }

    fileprivate var unblocking: KubeObject {
        var object = self
        object.metadata.ownerReferences = metadata.ownerReferences.map { reference in
            var reference = reference
            reference.json["blockOwnerDeletion"] = false
            return reference
        }
        return object
    }
}
