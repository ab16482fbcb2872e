import JSON
import KubeStore
import Linux
import TestKit
import Testing

@testable import KubeObjects

/// What controllers see of the store.
@Suite(.timeLimit(.minutes(1))) struct ObjectCacheTests {
    private func pod(_ name: String, _ phase: String) -> JSONValue {
        ["metadata": ["name": .string(name), "namespace": "default"], "status": ["phase": .string(phase)]]
    }

    @Test func `a change is in the cache when it is told`() async throws {
        let store = MemoryObjectStore()
        let key = Resource.pods.key(namespace: "default", "web")
        try await store.create(Resource.pods.key(namespace: "default", "old"), pod("old", "Running"))
        let cache = ObjectCache(store, [.pods, .services])
        let running = Task { await cache.run() }
        await cache.synced()
        #expect(cache.objects(.pods).map(\.key.name) == ["old"])
        var changes = cache.changes().makeAsyncIterator()
        try await store.create(key, pod("web", "Pending"))
        let made = try #require(await changes.next())
        #expect(made.old == nil && made.new == cache.get(.pods, namespace: "default", "web"))
        try await store.update(key, pod("web", "Running"))
        let changed = try #require(await changes.next())
        #expect(changed.old == made.new && changed.new == cache.get(.pods, namespace: "default", "web"))
        try await store.delete(key)
        let gone = try #require(await changes.next())
        #expect(gone.new == nil && cache.get(.pods, namespace: "default", "web") == nil)
        store.endWatches()
        await running.value
        #expect(await changes.next() == nil)
    }

    @Test func `a watch that breaks off loses nothing`() async throws {
        // One event more than two breaks a watch off.
        let store = MemoryObjectStore(bufferLimit: 2)
        let cache = ObjectCache(store, [.pods])
        let running = Task { await cache.run() }
        await cache.synced()
        for round in 0..<50 {
            let writes: [ObjectWrite] = (0..<4).map { index in
                .create(
                    Resource.pods.key(namespace: "default", "r\(round)-\(index)"), pod("r\(round)-\(index)", "Pending"))
            }
            try await store.commit(writes)
            try await store.delete(Resource.pods.key(namespace: "default", "r\(round)-0"))
        }
        // On its way there it may have as many, with one among them that is still to go.
        try await eventually("all that is left, and nothing else") {
            let names = cache.objects(.pods).map(\.key.name)
            return names.count == 150 && !names.contains { $0.hasSuffix("-0") }
        }
        store.endWatches()
        await running.value
    }

    @Test func `a resource comes while the cache runs, and goes`() async throws {
        let widgets = Resource(
            group: "example.com", version: "v1", plural: "widgets", kind: "Widget", isNamespaced: true)
        let store = MemoryObjectStore()
        try await store.create(widgets.key(namespace: "default", "old"), pod("old", "x"))
        let cache = ObjectCache(store, [.pods])
        let running = Task { await cache.run() }
        await cache.synced()
        var changes = cache.changes().makeAsyncIterator()
        var newcomers = cache.newcomers().makeAsyncIterator()
        #expect(!cache.has(widgets) && cache.revision(widgets) == nil)
        cache.follow([widgets])
        #expect(await newcomers.next() == widgets)
        #expect(cache.has(widgets) && cache.objects(widgets).map(\.key.name) == ["old"])
        #expect(await changes.next()?.new?.key.name == "old")
        try await store.create(widgets.key(namespace: "default", "new"), pod("new", "x"))
        #expect(await changes.next()?.new?.key.name == "new")
        // Stored as another version, the objects are the same.
        let second = Resource(
            group: "example.com", version: "v2", plural: "widgets", kind: "Widget", isNamespaced: true)
        cache.follow([second])
        #expect(cache.has(second) && cache.objects(second).count == 2)
        cache.follow([])
        #expect(!cache.has(second) && cache.objects(second).isEmpty && cache.revision(second) == nil)
        for _ in 0..<2 {
            let gone = try #require(await changes.next())
            #expect(gone.new == nil && gone.resource == second)
        }
        try await store.create(widgets.key(namespace: "default", "unseen"), pod("unseen", "x"))
        try await store.create(Resource.pods.key(namespace: "default", "seen"), pod("seen", "x"))
        #expect(await changes.next()?.key.name == "seen")
        cache.follow([widgets])
        #expect(await newcomers.next() == widgets && cache.objects(widgets).count == 3)
        store.endWatches()
        await running.value
        #expect(await newcomers.next() == nil)
    }
}

/// The API's way of writing what time it is.
@Suite struct KubeTimeTests {
    @Test func `times are written as clients read them`() throws {
        let text = "2026-11-29T19:12:56.789012345Z"
        let time = try #require(Timestamp(text))
        #expect(time.kubeTime == "2026-11-29T19:12:56Z")
        #expect(time.kubeMicroTime == "2026-11-29T19:12:56.789012Z")
    }
}
