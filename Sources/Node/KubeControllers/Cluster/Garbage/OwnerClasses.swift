internal import KubeObjects
internal import KubeStore
internal import Linux

/// What an object's owners are (classifyReferences of the garbage collector).
struct OwnerClasses {
    /// There, or of a kind that is not known here: what cannot be judged keeps what depends on it.
    private(set) var solid: [OwnerReference] = []
    /// Not there.
    private(set) var dangling: [OwnerReference] = []
    /// Being deleted, after what depends on them.
    private(set) var waiting: [OwnerReference] = []
    /// References that can never be right, with the sentence that says so.
    private(set) var invalid: [(reference: OwnerReference, message: String)] = []
    /// Whether an owner is of a kind that is not known, or not seen yet.
    private(set) var isUnjudged = false
    /// When to look again for owners that were not found.
    private(set) var again: Timestamp?

    init(
        of object: KubeObject, kinds: KindIndex, view: any ObjectView, index: inout OwnerIndex, now: Timestamp
    ) {
        for reference in object.metadata.ownerReferences {
            guard let resource = kinds.resource(of: reference), view.has(resource) else {
                // Of a kind that has gone: the owner went with it, or before.
                if index.hasGone(reference.uid) {
                    dangling.append(reference)
                } else {
                    solid.append(reference)
                    isUnjudged = true
                }
                continue
            }
            if resource.isNamespaced, object.namespace == nil {
                // The owner cannot be named: it would be deleted at the first look, and is kept instead.
                solid.append(reference)
                invalid.append((reference, Self.message(reference, nil, of: object)))
                continue
            }
            let owner = view.get(
                resource, namespace: resource.isNamespaced ? object.namespace : nil, reference.name
            ).map(KubeObject.init)
            if let owner, owner.uid == reference.uid {
                let isWaiting = owner.isBeingDeleted && owner.metadata.finalizers.contains(GarbageCollector.foreground)
                if isWaiting { waiting.append(reference) } else { solid.append(reference) }
                continue
            }
            let named = resource.key(namespace: object.namespace, reference.name)
            if let place = index.place(of: reference.uid), place != named {
                // It lives, but not where it was said to.
                dangling.append(reference)
                if place.namespace != object.namespace {
                    invalid.append((reference, Self.message(reference, object.namespace, of: object)))
                }
                continue
            }
            let absence = index.absence(of: reference.uid, now: now)
            if absence <= now {
                dangling.append(reference)
            } else {
                solid.append(reference)
                again = again.map { min($0, absence) } ?? absence
            }
        }
    }

    private static func message(_ reference: OwnerReference, _ namespace: String?, of object: KubeObject) -> String {
        let identity =
            "[\(reference.apiVersion)/\(reference.kind), namespace: \(namespace ?? ""), name: \(reference.name), "
            + "uid: \(reference.uid)]"
        return "ownerRef \(identity) does not exist in namespace \"\(object.namespace ?? "")\""
    }
}
