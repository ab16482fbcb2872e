internal import JSON
package import KubeStore
internal import Synchronization

/// The objects of some resources as they are, kept by watching the store: what controllers decide from. Resources may come and
/// go while it runs (`follow`).
///
/// Invariants
/// 1. What is told as a change has happened to what `objects` shows. (test: `a change is in the cache when it is told`)
/// 2. A watch that breaks off is begun anew, and what changed meanwhile is told. (test: `a watch that breaks off loses nothing`)
/// 3. What was written to a resource up to its `revision` is in the cache. (test: `a worker waits for what it has written`)
/// 4. Of a resource that is no longer followed nothing is shown, and what was shown is told to be gone.
///    (test: `a resource comes while the cache runs, and goes`)
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

    /// A resource that is watched. What a watch says that is not the resource's last one counts for nothing.
    struct Following {
        var resource: Resource
        let id: Int
        /// Whether everything that was stored at the beginning is here.
        var isSynced = false
        /// Of one that came later.
        var task: Task<Void, Never>?
        var objects: [ObjectKey: StoredObject] = [:]
        var revision: Int64 = 0
    }

    struct State {
        var following: [String: Following] = [:]
        var nextID = 0
        var listeners: [Int: AsyncStream<Change>.Continuation] = [:]
        var newcomers: [Int: AsyncStream<Resource>.Continuation] = [:]
        var nextListener = 0
        /// Of those that were there at the beginning.
        var unsynced: Set<String>
        var waiters: [CheckedContinuation<Void, Never>] = []
        /// Nothing comes any more.
        var isOver = false

        mutating func begin(_ resource: Resource) -> Int {
            nextID += 1
            following[resource.storeName] = Following(resource: resource, id: nextID)
            return nextID
        }

        /// Who waits for a cache that is complete, if it is now.
        mutating func synced(_ name: String) -> [CheckedContinuation<Void, Never>] {
            unsynced.remove(name)
            guard unsynced.isEmpty else { return [] }
            defer { waiters = [] }
            return waiters
        }
    }

    let store: any ObjectStoring
    private let resources: [(resource: Resource, id: Int)]
    let state: Mutex<State>

    /// - Parameters:
    ///   - resources: are followed as long as the cache runs.
    ///   - passing: are followed from the beginning, until `follow` says otherwise.
    package init(_ store: any ObjectStoring, _ resources: [Resource], passing: [Resource] = []) {
        self.store = store
        var first = State(unsynced: Set((resources + passing).map(\.storeName)))
        self.resources = resources.map { ($0, first.begin($0)) }
        state = Mutex(first)
        follow(passing)
    }

    /// Watches until the task is cancelled or the store ends.
    package func run() async {
        await withTaskGroup { group in
            for (resource, id) in resources { group.addTask { await self.watch(resource, id) } }
        }
        let (late, over) = state.withLock { state in
            let late = state.following.values.compactMap(\.task)
            let over = (Array(state.listeners.values), Array(state.newcomers.values), state.waiters)
            state.waiters = []
            state.isOver = true
            return (late, over)
        }
        for task in late { task.cancel() }
        for task in late { await task.value }
        for listener in over.0 { listener.finish() }
        for listener in over.1 { listener.finish() }
        for waiter in over.2 { waiter.resume() }
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

    // MARK: What it shows

    package func get(_ resource: Resource, namespace: String? = nil, _ name: String) -> StoredObject? {
        let key = resource.key(namespace: namespace, name)
        return state.withLock { $0.following[resource.storeName]?.objects[key] }
    }

    /// In no order.
    package func objects(_ resource: Resource, namespace: String? = nil) -> [StoredObject] {
        let all = state.withLock { $0.following[resource.storeName]?.objects ?? [:] }
        guard let namespace else { return Array(all.values) }
        return all.values.filter { $0.key.namespace == namespace }
    }

    /// Up to where everything that was written to a resource has been taken in; nil for one that is not followed.
    package func revision(_ resource: Resource) -> Int64? {
        state.withLock { $0.following[resource.storeName]?.revision }
    }

    /// Changes from now on, in the order in which they happened to each resource.
    package func changes() -> AsyncStream<Change> { listen(\.listeners) }

    /// A stream for one listener more in a table of the state, until nobody reads it or the cache ends.
    func listen<Element: Sendable>(
        _ table: any WritableKeyPath<State, [Int: AsyncStream<Element>.Continuation]> & Sendable
    ) -> AsyncStream<Element> {
        let (stream, continuation) = AsyncStream<Element>.makeStream()
        let id = state.withLock { state -> Int? in
            guard !state.isOver else { return nil }
            state.nextListener += 1
            state[keyPath: table][state.nextListener] = continuation
            return state.nextListener
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0[keyPath: table].removeValue(forKey: id) }
        }
        return stream
    }

    // MARK: Watching

    func watch(_ resource: Resource, _ id: Int) async {
        let name = resource.storeName
        while !Task.isCancelled {
            do throws(ObjectStoreFailure) {
                let watch = try await store.watch(WatchRequest(resource.scope(), .initialEvents))
                var initial: [ObjectKey: StoredObject]? = [:]
                while let event = try await watch.next() { take(event, name, id, &initial) }
                return
            } catch {
                // A slow reader, a full disk: what is in the cache stays until the store answers again.
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private func take(_ event: WatchEvent, _ name: String, _ id: Int, _ initial: inout [ObjectKey: StoredObject]?) {
        switch event {
        case .added(let object), .modified(let object):
            // The initial events do not come in the order of their revisions.
            let upTo = initial == nil ? object.revision : nil
            initial?[object.key] = object
            set(object, at: object.key, name, id, upTo: upTo)
        case .deleted(let object):
            let upTo = initial == nil ? object.revision : nil
            initial?[object.key] = nil
            set(nil, at: object.key, name, id, upTo: upTo)
        case .bookmark(let revision, let endsInitialEvents):
            guard endsInitialEvents, let present = initial else { return note(revision, name, id) }
            initial = nil
            // What went away while nobody watched.
            let gone = state.withLock { state -> [ObjectKey] in
                (state.following[name]?.objects ?? [:]).keys.filter { present[$0] == nil }
            }
            for key in gone { set(nil, at: key, name, id, upTo: nil) }
            note(revision, name, id)
            finishSync(name, id)
        }
    }

    private func note(_ revision: Int64, _ name: String, _ id: Int) {
        state.withLock { state in
            guard let known = state.following[name], known.id == id else { return }
            state.following[name]!.revision = max(known.revision, revision)
        }
    }

    /// - Parameter object: nil when it is gone.
    private func set(_ object: StoredObject?, at key: ObjectKey, _ name: String, _ id: Int, upTo revision: Int64?) {
        let told = state.withLock { state -> (change: Change, listeners: [AsyncStream<Change>.Continuation])? in
            guard let resource = state.following[name]?.resource, state.following[name]!.id == id else { return nil }
            if let revision { state.following[name]!.revision = max(state.following[name]!.revision, revision) }
            let old = state.following[name]!.objects[key]
            state.following[name]!.objects[key] = object
            guard old != object else { return nil }
            return (Change(resource: resource, key: key, old: old, new: object), Array(state.listeners.values))
        }
        guard let told else { return }
        for listener in told.listeners { listener.yield(told.change) }
    }

    private func finishSync(_ name: String, _ id: Int) {
        let (waiters, newcomer, listeners) = state.withLock { state in
            guard let known = state.following[name], known.id == id, !known.isSynced else {
                return ([CheckedContinuation<Void, Never>](), Resource?.none, [AsyncStream<Resource>.Continuation]())
            }
            state.following[name]!.isSynced = true
            return (state.synced(name), known.task == nil ? nil : known.resource, Array(state.newcomers.values))
        }
        for waiter in waiters { waiter.resume() }
        if let newcomer { for listener in listeners { listener.yield(newcomer) } }
    }
}
