import JSON
import KubeObjects
import KubeSchema
import KubeStore

/// Which owners a change of something concerns.
enum Owners {
    /// Those that manage it or did, and when nobody does all that select it and may adopt it.
    static func concerned(
        by change: ObjectCache.Change, _ owner: Resource, in view: any ObjectView,
        selector: (KubeObject) -> LabelSelector
    ) -> [ObjectKey] {
        var keys: [ObjectKey] = []
        for object in [change.old, change.new].compactMap(\.self).map({ KubeObject($0) }) {
            guard let key = manager(of: object, owner), !keys.contains(key) else { continue }
            keys.append(key)
        }
        guard let new = change.new.map({ KubeObject($0) }), new.metadata.controller == nil else { return keys }
        let labels = new.json["metadata", "labels"]
        for candidate in view.objects(owner, namespace: new.namespace) where !keys.contains(candidate.key) {
            if selector(KubeObject(candidate)).matches(labels) { keys.append(candidate.key) }
        }
        return keys
    }

    /// The key of the owner of that resource that manages an object.
    static func manager(of object: KubeObject, _ owner: Resource) -> ObjectKey? {
        guard let reference = object.metadata.controller, reference.kind == owner.kind, !reference.name.isEmpty,
            reference.apiVersion.split(separator: "/").dropLast().joined() == owner.group
        else { return nil }
        return owner.key(namespace: object.namespace, reference.name)
    }

    /// The selector of a spec; one that cannot be read selects nothing.
    static func selector(_ object: KubeObject) -> LabelSelector {
        (try? LabelSelector(object: object.json["spec", "selector"])) ?? .nothing
    }
}
