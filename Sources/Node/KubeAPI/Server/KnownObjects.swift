import KubeObjects
import KubeStore
import Synchronization

/// Objects that every request is judged by (namespaces, roles, quotas ...), in memory, as the store has them.
///
/// Invariants
/// 1. What somebody has been told is written counts for the next request: whoever writes waits until it is here.
///    (test: `a role counts for the next request`)
/// 2. A watch that breaks off is begun anew. (as in ObjectCache)
final class KnownObjects: Sendable {
    private struct Waiter {
        var resource: String
        var revision: Int64
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var objects: [String: [ObjectKey: StoredObject]] = [:]
        /// Up to which revision each resource is here; missing before the first list.
        var revisions: [String: Int64] = [:]
        /// How often anything of a resource has changed.
        var changes: [String: Int] = [:]
        var waiters: [Waiter] = []
        var isEnded = false
    }

    private let store: any ObjectStoring
    private let resources: [Resource]
    private let names: Set<String>
    private let state = Mutex(State())

    init(_ store: any ObjectStoring, _ resources: [Resource]) {
        self.store = store
        self.resources = resources
        names = Set(resources.map(\.storeName))
    }

    /// Watches until the task is cancelled or the store ends its watches.
    func run() async {
        await withTaskGroup { group in
            for resource in resources { group.addTask { await self.follow(resource) } }
        }
        let waiters = state.withLock { state in
            state.isEnded = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume() }
    }

    /// Waits until everything that was stored at the beginning is here.
    func synced() async { for resource in resources { await reached(resource.storeName, 0) } }

    /// Waits until a resource, if it is one of those that are kept, is here as it was at `revision`.
    func reached(_ resource: String, _ revision: Int64) async {
        guard names.contains(resource) else { return }
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.isEnded { return true }
                if let now = state.revisions[resource], now >= revision { return true }
                state.waiters.append(
                    Waiter(resource: resource, revision: revision, continuation: continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    func get(_ resource: Resource, namespace: String? = nil, _ name: String) -> StoredObject? {
        guard !name.isEmpty, namespace != "" else { return nil }
        let key = resource.key(namespace: namespace, name)
        return state.withLock { $0.objects[resource.storeName]?[key] }
    }

    /// In no order.
    func objects(_ resource: Resource, namespace: String? = nil) -> [StoredObject] {
        state.withLock { state in
            guard let all = state.objects[resource.storeName] else { return [] }
            guard let namespace else { return Array(all.values) }
            return all.values.filter { $0.key.namespace == namespace }
        }
    }

    /// Grows with every change of a resource's objects.
    func changes(_ resource: Resource) -> Int { state.withLock { $0.changes[resource.storeName] ?? 0 } }

    private func follow(_ resource: Resource) async {
        while !Task.isCancelled {
            do throws(ObjectStoreFailure) {
                let watch = try await store.watch(WatchRequest(resource.scope(), .initialEvents, bookmarks: true))
                var initial: [ObjectKey: StoredObject]? = [:]
                while let event = try await watch.next() { take(event, resource.storeName, &initial) }
                return
            } catch {
                // What is here stays until the store answers again.
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private func take(_ event: WatchEvent, _ name: String, _ initial: inout [ObjectKey: StoredObject]?) {
        switch event {
        case .added(let object), .modified(let object):
            if initial != nil {
                initial?[object.key] = object
            } else {
                advance(name, object.revision, isChange: true) { $0[object.key] = object }
            }
        case .deleted(let object): advance(name, object.revision, isChange: true) { $0[object.key] = nil }
        case .bookmark(let revision, _):
            let all = initial
            initial = nil
            advance(name, revision, isChange: all != nil) { objects in if let all { objects = all } }
        }
    }

    private func advance(
        _ name: String, _ revision: Int64, isChange: Bool, _ change: (inout [ObjectKey: StoredObject]) -> Void
    ) {
        let ready = state.withLock { state in
            if isChange { state.changes[name, default: 0] += 1 }
            change(&state.objects[name, default: [:]])
            state.revisions[name] = max(revision, state.revisions[name] ?? 0)
            let ready = state.waiters.filter { $0.resource == name && $0.revision <= revision }
            if !ready.isEmpty { state.waiters.removeAll { $0.resource == name && $0.revision <= revision } }
            return ready
        }
        for waiter in ready { waiter.continuation.resume() }
    }
}
