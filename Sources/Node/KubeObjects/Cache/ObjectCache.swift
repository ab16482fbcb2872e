internal import JSON
package import KubeStore
internal import Synchronization

/// The objects of some resources as they are, kept by watching the store: what controllers decide from.
///
/// Invariants
/// 1. What is told as a change has happened to what `objects` shows. (test: `a change is in the cache when it is told`)
/// 2. A watch that breaks off is begun anew, and what changed meanwhile is told. (test: `a watch that breaks off loses nothing`)
/// 3. What was written to a resource up to its `revision` is in the cache. (test: `a worker waits for what it has written`)
package final class ObjectCache: Sendable {
    /// What happened to one object.
    package struct Change: Sendable {
        package let resource: Resource
        package let key: ObjectKey
        /// nil when it has just been made.
        package let old: StoredObject?
        /// nil when it is gone.
        package let new: StoredObject?

        package init(resource: Resource, key: ObjectKey, old: StoredObject?, new: StoredObject?) {
            self.resource = resource
            self.key = key
            self.old = old
            self.new = new
        }
    }

    private struct State {
        var objects: [String: [ObjectKey: StoredObject]] = [:]
        var revisions: [String: Int64] = [:]
        var listeners: [Int: AsyncStream<Change>.Continuation] = [:]
        var nextListener = 0
        var unsynced: Set<String>
        var waiters: [CheckedContinuation<Void, Never>] = []
        /// Nothing comes any more.
        var isOver = false

        mutating func note(_ revision: Int64, _ resource: Resource) {
            revisions[resource.storeName] = max(revision, revisions[resource.storeName] ?? 0)
        }
    }

    private let store: any ObjectStoring
    private let resources: [Resource]
    private let state: Mutex<State>

    package init(_ store: any ObjectStoring, _ resources: [Resource]) {
        self.store = store
        self.resources = resources
        state = Mutex(State(unsynced: Set(resources.map(\.storeName))))
    }

    /// Watches until the task is cancelled or the store ends.
    package func run() async {
        await withTaskGroup { group in
            for resource in resources { group.addTask { await self.follow(resource) } }
        }
        let (listeners, waiters) = state.withLock { state in
            defer { state.waiters = [] }
            state.isOver = true
            return (Array(state.listeners.values), state.waiters)
        }
        for listener in listeners { listener.finish() }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until everything that was stored at the beginning is here, or nothing will come any more.
    package func synced() async {
        await withCheckedContinuation { continuation in
            let isSynced = state.withLock { state in
                let isDone = state.unsynced.isEmpty || state.isOver
                if !isDone { state.waiters.append(continuation) }
                return isDone
            }
            if isSynced { continuation.resume() }
        }
    }

    package func get(_ resource: Resource, namespace: String? = nil, _ name: String) -> StoredObject? {
        let key = resource.key(namespace: namespace, name)
        return state.withLock { $0.objects[resource.storeName]?[key] }
    }

    /// In no order.
    package func objects(_ resource: Resource, namespace: String? = nil) -> [StoredObject] {
        let all = state.withLock { $0.objects[resource.storeName] ?? [:] }
        guard let namespace else { return Array(all.values) }
        return all.values.filter { $0.key.namespace == namespace }
    }

    /// Up to where everything that was written to a resource has been taken in; nil for one that is not followed.
    package func revision(_ resource: Resource) -> Int64? {
        guard resources.contains(where: { $0.storeName == resource.storeName }) else { return nil }
        return state.withLock { $0.revisions[resource.storeName] ?? 0 }
    }

    /// Changes from now on, in the order in which they happened to each resource.
    package func changes() -> AsyncStream<Change> {
        let (stream, continuation) = AsyncStream<Change>.makeStream()
        let id = state.withLock { state -> Int? in
            guard !state.isOver else { return nil }
            state.nextListener += 1
            state.listeners[state.nextListener] = continuation
            return state.nextListener
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.listeners.removeValue(forKey: id) }
        }
        return stream
    }

    private func follow(_ resource: Resource) async {
        while !Task.isCancelled {
            do throws(ObjectStoreFailure) {
                let watch = try await store.watch(WatchRequest(resource.scope(), .initialEvents))
                var initial: [ObjectKey: StoredObject]? = [:]
                while let event = try await watch.next() { take(event, resource, &initial) }
                return
            } catch {
                // A slow reader, a full disk: what is in the cache stays until the store answers again.
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private func take(_ event: WatchEvent, _ resource: Resource, _ initial: inout [ObjectKey: StoredObject]?) {
        switch event {
        case .added(let object), .modified(let object):
            // The initial events do not come in the order of their revisions.
            let upTo = initial == nil ? object.revision : nil
            initial?[object.key] = object
            put(object, resource, upTo: upTo)
        case .deleted(let object):
            let upTo = initial == nil ? object.revision : nil
            initial?[object.key] = nil
            remove(object.key, resource, upTo: upTo)
        case .bookmark(let revision, let endsInitialEvents):
            guard endsInitialEvents, let present = initial else { return note(revision, resource) }
            initial = nil
            // What went away while nobody watched.
            let gone = state.withLock { ($0.objects[resource.storeName] ?? [:]).keys.filter { present[$0] == nil } }
            for key in gone { remove(key, resource, upTo: nil) }
            note(revision, resource)
            finishSync(resource)
        }
    }

    private func note(_ revision: Int64, _ resource: Resource) {
        state.withLock { $0.note(revision, resource) }
    }

    private func put(_ object: StoredObject, _ resource: Resource, upTo revision: Int64?) {
        let (old, listeners) = state.withLock { state in
            if let revision { state.note(revision, resource) }
            let old = state.objects[resource.storeName, default: [:]].updateValue(object, forKey: object.key)
            return (old, Array(state.listeners.values))
        }
        guard old != object else { return }
        for listener in listeners { listener.yield(Change(resource: resource, key: object.key, old: old, new: object)) }
    }

    private func remove(_ key: ObjectKey, _ resource: Resource, upTo revision: Int64?) {
        let (old, listeners) = state.withLock { state in
            if let revision { state.note(revision, resource) }
            return (state.objects[resource.storeName]?.removeValue(forKey: key), Array(state.listeners.values))
        }
        guard let old else { return }
        for listener in listeners { listener.yield(Change(resource: resource, key: key, old: old, new: nil)) }
    }

    private func finishSync(_ resource: Resource) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.unsynced.remove(resource.storeName)
            guard state.unsynced.isEmpty else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
