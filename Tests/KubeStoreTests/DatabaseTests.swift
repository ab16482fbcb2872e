import JSON
import Store
import TestKit
import Testing

@testable import KubeStore

/// What the store leaves in the database, and finds there.
@Suite(.timeLimit(.minutes(2))) struct DatabaseTests {
    private let pods = ResourceScope("pods")

    private func count(_ table: String, _ database: StateDatabase) async throws -> Int {
        try await database.read { reader throws(StoreFailure) in
            try reader.first("SELECT count(*) FROM \(table)")!.integer(0)!
        }
    }

    @Test func `what was stored is there when it is opened again, with its history`() async throws {
        let directory = try TemporaryDirectory("kube")
        let first = try await openStore(directory)
        try await first.create(pod("a"), object(1))
        try await first.update(pod("a"), object(2))
        try await first.create(pod("b"), object(1))
        try await first.compact(to: 3)
        let list = try await first.list(ListRequest(pods))
        let second = try await openStore(directory)
        #expect(try await second.list(ListRequest(pods)) == list)
        #expect(try await second.history() == HistoryBounds(compacted: 3, newest: 4))
        let watch = try await second.watch(WatchRequest(pods, .after(2)))
        try await second.delete(pod("a"))
        #expect(try await take(3, watch).map(\.text) == ["~a=2", "+b=1", "-a=2"])
        await #expect(throws: ObjectStoreFailure.tooOld(oldest: 2, asked: 1)) {
            try await second.watch(WatchRequest(pods, .after(1)))
        }
    }

    @Test func `no revision is given twice, also when all is deleted, compacted and opened again`() async throws {
        let directory = try TemporaryDirectory("kube")
        var last: Int64 = 1
        for _ in 0..<3 {
            let store = try await openStore(directory)
            #expect(try await store.history().newest == last)
            try await store.create(pod("a"), object(1))
            try await store.update(pod("a"), object(2))
            let gone = try await store.delete(pod("a"))
            #expect(gone.revision == last + 3)
            last = gone.revision
            try await store.compact(to: last)
        }
    }

    @Test func `compaction removes rows, also many`() async throws {
        let directory = try TemporaryDirectory("kube")
        let database = try StateDatabase(path: directory.path("node.db"), migrations: ObjectStore.migrations)
        let store = try await ObjectStore.open(database)
        for start in stride(from: 0, to: 2500, by: 250) {
            try await store.commit(
                (start..<start + 250).map { number in
                    number < 3
                        ? .create(pod("p\(number)"), object(number)) : .update(pod("p\(number % 3)"), object(number))
                })
        }
        #expect(try await count("kube_revision", database) == 2500)
        let state = try await store.list(ListRequest(pods))
        try await store.compact(to: 1400)
        // 1,102 from the border on, what the other two were there, and what the border's event has replaced.
        #expect(try await count("kube_revision", database) == 1105)
        #expect(try await store.list(ListRequest(pods)) == state)
        try await store.compact(to: 2501)
        #expect(try await count("kube_revision", database) == 4)
        #expect(try await store.list(ListRequest(pods)) == state)
        for name in ["p0", "p1", "p2"] { try await store.delete(pod(name)) }
        try await store.compact(to: 2504)
        #expect(try await count("kube_revision", database) == 2)
        #expect(try await count("kube_object", database) == 0)
    }

    @Test func `a watcher that falls behind the compacted history ends as too old`() async throws {
        let directory = try TemporaryDirectory("kube")
        var limits = WatchLimits()
        limits.windowEvents = 2
        limits.batch = 2
        let store = try await openStore(directory, limits)
        try await store.create(pod("a"), object(0))
        for number in 1..<10 { try await store.update(pod("a"), object(number)) }
        let watch = try await store.watch(WatchRequest(pods, .after(1)))
        #expect(try await take(2, watch).map(\.text) == ["+a=0", "~a=1"])
        try await store.compact(to: 9)
        await #expect(throws: ObjectStoreFailure.tooOld(oldest: 8, asked: 3)) { try await watch.next() }
        #expect(try await watch.next() == nil)
    }

    @Test func `a database that refuses is named in the failure`() async throws {
        let directory = try TemporaryDirectory("kube")
        let database = try StateDatabase(path: directory.path("node.db"), migrations: ObjectStore.migrations)
        let store = try await ObjectStore.open(database)
        let watch = try await store.watch(WatchRequest(pods, .now))
        try await store.create(pod("a"), object(1))
        await database.close()
        let failure = await #expect(throws: ObjectStoreFailure.self) { try await store.create(pod("b"), object(1)) }
        guard case .storage(let reason) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(reason.kind == .refused)
        #expect(try await take(1, watch).map(\.text) == ["+a=1"])
        #expect(try await store.list(ListRequest(pods)).objects.count == 1)
    }
}
