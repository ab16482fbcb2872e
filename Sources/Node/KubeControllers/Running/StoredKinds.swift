package import KubeObjects
internal import KubeStore
internal import Synchronization

/// The kinds whose objects are kept, as CustomResourceDefinitions have them come and go: what controllers look at that look at
/// every kind there is.
package final class StoredKinds: Sendable {
    private let generation: @Sendable () -> Int
    private let read: @Sendable () -> KindIndex
    private let news: @Sendable () -> AsyncStream<Void>
    private let latest = Mutex<(generation: Int, index: KindIndex)?>(nil)

    package init(_ catalog: any KindCatalog) {
        generation = { catalog.generation }
        read = {
            let kinds = catalog.storedKinds
            return KindIndex(
                kinds.filter { $0.custom == nil }.map(\.resource),
                passing: kinds.filter { $0.custom != nil }.map(\.resource))
        }
        news = { catalog.changes() }
    }

    /// Kinds of which none comes or goes.
    package init(_ resources: [Resource]) {
        generation = { 1 }
        read = { KindIndex(resources) }
        news = { AsyncStream { $0.yield() } }
    }

    package var now: KindIndex {
        // Asked first: an index that is newer than its generation is made once more, one that is older would stay.
        let generation = generation()
        if let known = latest.withLock({ $0 }), known.generation == generation { return known.index }
        let index = read()
        latest.withLock { latest in
            if latest.map({ $0.generation < generation }) ?? true { latest = (generation, index) }
        }
        return index
    }

    /// An element at once, and one whenever kinds have come or gone.
    func changes() -> AsyncStream<Void> { news() }
}

/// Kinds by what they are called in several places.
package struct KindIndex: Sendable {
    package let all: [Resource]
    package let namespaced: [Resource]
    /// Those that come and go.
    let passing: [Resource]
    private let byStoreName: [String: Resource]
    private let byGroupKind: [String: Resource]
    private let byName: [String: Resource]

    init(_ lasting: [Resource], passing: [Resource] = []) {
        let resources = lasting + passing
        all = resources
        self.passing = passing
        namespaced = resources.filter(\.isNamespaced)
        byStoreName = Dictionary(resources.map { ($0.storeName, $0) }) { first, _ in first }
        byGroupKind = Dictionary(resources.map { ("\($0.group)/\($0.kind)", $0) }) { first, _ in first }
        byName = Dictionary(resources.map { ($0.description, $0) }) { first, _ in first }
    }

    func resource(of key: ObjectKey) -> Resource? { byStoreName[key.resource] }

    /// By group and kind: the version in which an owner was named does not matter.
    func resource(of reference: OwnerReference) -> Resource? {
        let parts = reference.apiVersion.split(separator: "/", omittingEmptySubsequences: false)
        let group = parts.count == 2 ? String(parts[0]) : ""
        return byGroupKind["\(group)/\(reference.kind)"]
    }

    /// By what quotas call it behind `count/`: "pods", "deployments.apps".
    func resource(named name: String) -> Resource? { byName[name] }
}
