import Building
import Images
import Linux
import OCI
import TestKit
import Testing

@Suite struct BuildCacheTests {
    private let home: TemporaryDirectory
    private let store: ImageStore

    init() throws {
        home = try TemporaryDirectory("cache")
        store = try ImageStore(directory: home.path("images"))
    }

    private func cache(_ limits: BuildCache.Limits = BuildCache.Limits()) throws -> BuildCache {
        try BuildCache(directory: home.path("cache"), store: store, limits: limits)
    }

    private func key(_ number: Int) -> StepKey {
        StepKey(
            directory: "/\(number)", user: "", chain: nil, StepKey.Circumstances(platform: "linux/amd64", epoch: nil))
    }

    private func record(_ text: String, at seconds: Int, lease: ImageLease) throws -> CacheRecord {
        let digest = try store.put(Array(text.utf8), lease: lease)
        let layer = StackLayer(mediaType: MediaType.layer, digest: digest, size: text.utf8.count, diff: digest)
        return CacheRecord(layer: layer, created: "2026-01-01T00:00:00Z", title: text, used: time(seconds))
    }

    private func time(_ seconds: Int) -> Timestamp { Timestamp(nanoseconds: seconds * 1_000_000_000) }

    private func find(_ cache: BuildCache, _ number: Int, at seconds: Int = 100) throws -> CacheRecord? {
        try cache.find(key(number), now: time(seconds), lease: store.lease(for: "a test"))
    }

    @Test func `a record that is found has its layer, also after the store was collected and opened again`() throws {
        let lease = store.lease(for: "a step")
        let layer = try record("one", at: 1, lease: lease)
        let first = try cache()
        try first.add(layer, for: key(1))
        try first.add(CacheRecord(layer: nil, created: "c", title: "nothing", used: time(1)), for: key(2))
        lease.end()
        _ = try store.collect()
        for cache in [first, try cache()] {
            #expect(try find(cache, 1)?.layer == layer.layer)
            #expect(try find(cache, 2)?.layer == nil)
            #expect(try find(cache, 2)?.created == "c")
            #expect(try find(cache, 3) == nil)
        }
        #expect(try store.read(blob: layer.layer!.digest, limit: 100) == Array("one".utf8))
    }

    @Test func `of too many records those not used for longest go, and their layers with the next collection`() throws {
        var limits = BuildCache.Limits()
        limits.records = 2
        let cache = try cache(limits)
        let lease = store.lease(for: "steps")
        let records = try (1...3).map { try record("record \($0)", at: $0, lease: lease) }
        try cache.add(records[0], for: key(1))
        try cache.add(records[1], for: key(2))
        #expect(try find(cache, 1, at: 50) != nil)
        try cache.add(records[2], for: key(3))
        #expect(try find(cache, 2) == nil)
        #expect(try find(cache, 1) != nil)
        lease.end()
        // The third was used before the first was found again, and is the next to go.
        limits.records = 10
        limits.bytes = 8
        let smaller = try BuildCache(directory: home.path("cache"), store: store, limits: limits)
        #expect(smaller.records.count == 0 || smaller.records.reduce(0) { $0 + $1.bytes } <= 8)
    }

    @Test func `what cannot be read, or has lost its layer, is no record and goes`() throws {
        let lease = store.lease(for: "a step")
        let lost = try record("lost", at: 1, lease: lease)
        try cache().add(lost, for: key(1))
        lease.end()
        try Files.replace(home.path("cache/") + String(repeating: "0", count: 64) + ".json", with: Array("{".utf8))
        try Files.replace(home.path("cache/stranger"), with: [])
        // A store that was collected by somebody without a cache.
        let other = try ImageStore(directory: home.path("images"))
        _ = try other.collect()
        let cache = try BuildCache(directory: home.path("cache"), store: other)
        #expect(cache.records.isEmpty)
        #expect(try Files.list(home.path("cache")) == [])
    }

    @Test func `pruning takes what was not used since a time`() throws {
        let lease = store.lease(for: "steps")
        let cache = try cache()
        for number in 1...3 { try cache.add(try record("r\(number)", at: number, lease: lease), for: key(number)) }
        #expect(try cache.prune(unusedSince: time(2)) == 1)
        #expect(try find(cache, 1) == nil)
        #expect(try find(cache, 2) != nil)
        #expect(try cache.prune() == 2)
        lease.end()
        #expect(try store.collect() > 0)
    }
}
