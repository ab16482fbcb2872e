internal import KubeStore
internal import Synchronization

/// Resources that a cache follows for a while: those of CustomResourceDefinitions come and go.
extension ObjectCache {
    /// Follows these from now on, besides those of the beginning, and lets go of others that came later.
    package func follow(_ wanted: [Resource]) {
        let names = Set(wanted.map(\.storeName))
        let (gone, listeners, waiters) = state.withLock { state in
            var gone: [Following] = []
            var waiters: [CheckedContinuation<Void, Never>] = []
            for (name, following) in state.following where following.task != nil && !names.contains(name) {
                gone.append(following)
                state.following[name] = nil
                waiters += state.synced(name)
            }
            if !state.isOver { for resource in wanted { begin(resource, &state) } }
            return (gone, Array(state.listeners.values), waiters)
        }
        for following in gone {
            following.task?.cancel()
            for (key, object) in following.objects {
                let change = Change(resource: following.resource, key: key, old: object, new: nil)
                for listener in listeners { listener.yield(change) }
            }
        }
        for waiter in waiters { waiter.resume() }
    }

    private func begin(_ resource: Resource, _ state: inout State) {
        let name = resource.storeName
        guard state.following[name] == nil else {
            // Stored in another version now: the objects are the same.
            if state.following[name]!.task != nil { state.following[name]!.resource = resource }
            return
        }
        let id = state.begin(resource)
        state.following[name]!.task = Task { await self.watch(resource, id) }
    }

    /// Whether a resource is followed and all of it is here.
    package func has(_ resource: Resource) -> Bool {
        state.withLock { $0.following[resource.storeName]?.isSynced ?? false }
    }

    /// Resources that came later, each when all of it is here.
    package func newcomers() -> AsyncStream<Resource> { listen(\.newcomers) }
}
