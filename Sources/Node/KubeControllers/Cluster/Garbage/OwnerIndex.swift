internal import KubeObjects
internal import KubeStore
internal import Linux

/// Who depends on whom, kept by the changes that pass: no decision has to look through everything.
///
/// What it says is where to look; that a reference is there is seen in the object itself.
struct OwnerIndex {
    /// By the owner's uid.
    private var dependents: [String: Set<ObjectKey>] = [:]
    private var places: [String: ObjectKey] = [:]
    /// Owners that were seen to go while something depended on them.
    private var gone: Set<String> = []
    /// When an owner that was never seen was first looked for.
    private var missed: [String: Timestamp] = [:]
    private var told: Set<String> = []
    /// What has owners of kinds that are not known.
    private var waiting: Set<ObjectKey> = []

    mutating func take(_ key: ObjectKey, old: KubeObject?, new: KubeObject?) {
        for reference in old?.metadata.ownerReferences ?? [] { remove(key, from: reference.uid) }
        for reference in new?.metadata.ownerReferences ?? [] { dependents[reference.uid, default: []].insert(key) }
        if new == nil { waiting.remove(key) }
        if let old, old.uid != new?.uid {
            if places[old.uid] == key { places[old.uid] = nil }
            if dependents[old.uid] != nil { gone.insert(old.uid) }
        }
        if let new {
            places[new.uid] = key
            missed[new.uid] = nil
        }
    }

    private mutating func remove(_ key: ObjectKey, from owner: String) {
        dependents[owner]?.remove(key)
        guard dependents[owner]?.isEmpty ?? false else { return }
        dependents[owner] = nil
        gone.remove(owner)
        missed[owner] = nil
        told.remove(owner)
    }

    func dependents(of uid: String) -> [ObjectKey] { (dependents[uid] ?? []).sorted() }

    /// Whether an owner was seen to go.
    func hasGone(_ uid: String) -> Bool { gone.contains(uid) }

    mutating func note(_ key: ObjectKey, isUnjudged: Bool) {
        if isUnjudged { waiting.insert(key) } else { waiting.remove(key) }
    }

    /// What is to be looked at again when a kind comes.
    var unjudged: [ObjectKey] { waiting.sorted() }

    /// Where the object of a uid is, whatever a reference says.
    func place(of uid: String) -> ObjectKey? { places[uid] }

    /// When an owner that cannot be found is certain not to be there: at once when it was seen to go; else after a while, for
    /// it may have been made just before what depends on it, and be seen just after.
    mutating func absence(of uid: String, now: Timestamp) -> Timestamp {
        if gone.contains(uid) { return now }
        let first = missed[uid] ?? now
        missed[uid] = first
        return first.later(bySeconds: GarbageCollector.patience)
    }

    /// Whether this is the first time that somebody is told of an invalid reference to an owner.
    mutating func isNews(_ uid: String) -> Bool { told.insert(uid).inserted }
}
