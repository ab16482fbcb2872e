import JSON
import TestKit
import Testing

@testable import KubeStore

/// What every store tells its watchers.
@Suite(.timeLimit(.minutes(2))) struct WatchContractTests {
    private let pods = ResourceScope("pods")

    @Test(arguments: StoreKind.allCases, [1, 2048])
    func `a watch from a revision tells what came after it`(_ kind: StoreKind, window: Int) async throws {
        let open = try await kind.open(window: window)
        try await open.store.create(pod("a"), object(1))
        try await open.store.create(pod("b", in: "other"), object(1))
        try await open.store.create(ObjectKey("nodes", "n"), object(1))
        try await open.store.update(pod("a"), object(2))
        try await open.store.update(pod("b", in: "other"), object(2))
        try await open.store.delete(pod("a"))
        try await open.store.create(pod("a"), object(3))
        let all = ["+a=1", "+b=1", "~a=2", "~b=2", "-a=2", "+a=3"]
        for (after, skipped) in [(0, 0), (1, 0), (2, 1), (4, 2), (6, 4), (8, 6)] {
            let watch = try await open.store.watch(WatchRequest(pods, .after(Int64(after))))
            let events = try await take(6 - skipped, watch)
            #expect(events.map(\.text) == Array(all[skipped...]), "after \(after)")
            #expect(events.map { $0.object!.revision } == Array([2, 3, 5, 6, 7, 8][skipped...]), "after \(after)")
        }
        let one = try await open.store.watch(WatchRequest(ResourceScope("pods", namespace: "other"), .after(1)))
        #expect(try await take(2, one).map(\.text) == ["+b=1", "~b=2"])
        await #expect(throws: ObjectStoreFailure.futureRevision(newest: 8, asked: 9)) {
            try await open.store.watch(WatchRequest(pods, .after(9)))
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `a watch from now tells nothing of what was`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        try await open.store.create(pod("a"), object(1))
        let watch = try await open.store.watch(WatchRequest(pods, .now))
        try await open.store.update(pod("a"), object(2))
        #expect(try await take(1, watch).map(\.text) == ["~a=2"])
    }

    @Test(arguments: StoreKind.allCases)
    func `initial events are all that is there, and end with a bookmark`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        for (name, label) in [("b", "web"), ("a", "web"), ("c", "other")] {
            try await open.store.create(pod(name), object(1, app: label))
        }
        let watch = try await open.store.watch(WatchRequest(pods, .initialEvents, where: app("web")))
        try await open.store.update(pod("a"), object(2))
        try await open.store.create(pod("d"), object(1))
        #expect(try await take(5, watch).map(\.text) == ["+a=1", "+b=1", "bookmark 4 ends", "~a=2", "+d=1"])
        let empty = try await open.store.watch(WatchRequest(ResourceScope("nodes"), .initialEvents))
        #expect(try await empty.next() == .bookmark(revision: 6, endsInitialEvents: true))
    }

    @Test(arguments: StoreKind.allCases, [1, 2048])
    func `a predicate turns changes into coming and going`(_ kind: StoreKind, window: Int) async throws {
        let open = try await kind.open(window: window)
        let store = open.store
        let early = try await store.watch(WatchRequest(pods, .now, where: app("web")))
        try await store.create(pod("a"), object(1, app: "other"))
        try await store.update(pod("a"), object(2, app: "other"))
        let came = try await store.update(pod("a"), object(3))
        try await store.update(pod("a"), object(4))
        let went = try await store.update(pod("a"), object(5, app: "other"))
        try await store.delete(pod("a"))
        try await store.create(pod("a"), object(6))
        try await store.delete(pod("a"))
        for watch in [early, try await store.watch(WatchRequest(pods, .after(1), where: app("web")))] {
            let events = try await take(5, watch)
            // Who goes is shown as it was last seen, at the revision at which it went.
            #expect(events.map(\.text) == ["+a=3", "~a=4", "-a=4", "+a=6", "-a=6"])
            #expect(events[0].object == came.object)
            #expect(events[2].object?.revision == went.object.revision)
            #expect(
                events[2].object?.value["metadata", "resourceVersion"]?.string == String(went.object.revision))
        }
    }

    @Test(arguments: StoreKind.allCases, [2, 2048])
    func `a watcher that starts among writes misses nothing`(_ kind: StoreKind, window: Int) async throws {
        let open = try await kind.open(window: window)
        let store = open.store
        let writers = Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<8 {
                    group.addTask {
                        for number in 0..<25 { try await store.create(pod("\(writer)-\(number)"), object(number)) }
                    }
                }
                try await group.waitForAll()
            }
        }
        var logs: [(log: WatchLog, after: Int64)] = []
        for round in 0..<12 {
            try await eventually { try await store.history().newest > Int64(1 + round * 15) }
            // From what a list has shown, as clients do, or from now, or with all that is there.
            let after = try await store.list(ListRequest(pods)).revision
            let start: WatchRequest.Start = round % 2 == 0 ? .after(after) : .initialEvents
            let watch = try await store.watch(WatchRequest(pods, start))
            logs.append((WatchLog(watch), round % 2 == 0 ? after : 1))
        }
        try await writers.value
        let all = try await store.list(ListRequest(pods)).objects
        #expect(all.count == 200)
        for (log, after) in logs {
            let expected = all.filter { $0.revision > after }.map(\.revision).sorted()
            try await eventually { log.events.compactMap(\.object).count >= expected.count }
            var seen = await log.end().compactMap(\.object).map(\.revision)
            if after == 1 {
                // The initial list comes in the order of its keys.
                let listed = log.events.prefix { $0.object != nil }.count
                #expect(Array(seen[listed...]) == seen[listed...].sorted())
                seen.sort()
            }
            #expect(seen == expected)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `bookmarks come when they are sent, to those who want them`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        let with = try await open.store.watch(WatchRequest(pods, .now, bookmarks: true))
        let without = try await open.store.watch(WatchRequest(pods, .now))
        try await open.store.create(ObjectKey("nodes", "n"), object())
        open.store.sendBookmarks()
        try await open.store.create(pod("a"), object(1))
        open.store.sendBookmarks()
        #expect(try await take(3, with).map(\.text) == ["bookmark 2", "+a=1", "bookmark 3"])
        try await open.store.update(pod("a"), object(2))
        #expect(try await take(2, without).map(\.text) == ["+a=1", "~a=2"])
    }

    @Test(arguments: StoreKind.allCases)
    func `a watcher that does not read ends with an error, and others hear everything`(_ kind: StoreKind) async throws {
        let open = try await kind.open(buffer: 5)
        let slow = try await open.store.watch(WatchRequest(pods, .now))
        let elsewhere = try await open.store.watch(WatchRequest(ResourceScope("nodes"), .now))
        let quick = WatchLog(try await open.store.watch(WatchRequest(pods, .now)))
        for number in 0..<8 {
            try await open.store.create(pod("p\(number)"), object(number))
            try await eventually { quick.events.count == number + 1 }
        }
        #expect(try await take(5, slow).map(\.text) == ["+p0=0", "+p1=1", "+p2=2", "+p3=3", "+p4=4"])
        await #expect(throws: ObjectStoreFailure.slowConsumer(limit: 5)) { try await slow.next() }
        #expect(try await slow.next() == nil)
        #expect(await quick.end().count == 8)
        try await open.store.create(ObjectKey("nodes", "n"), object(1))
        #expect(try await take(1, elsewhere).map(\.text) == ["+n=1"])
    }

    @Test(arguments: StoreKind.allCases)
    func `a watch ends for who cancels it and when the store ends it`(_ kind: StoreKind) async throws {
        let open = try await kind.open()
        let cancelled = try await open.store.watch(WatchRequest(pods, .now))
        try await open.store.create(pod("a"), object(1))
        #expect(try await cancelled.next() != nil)
        let waiting = Task { try await cancelled.next() }
        cancelled.cancel()
        #expect(try await waiting.value == nil)

        let unread = try await open.store.watch(WatchRequest(pods, .now))
        let read = try await open.store.watch(WatchRequest(pods, .now))
        try await open.store.update(pod("a"), object(2))
        unread.cancel()
        #expect(try await unread.next() == nil)

        let task = WatchLog(try await open.store.watch(WatchRequest(pods, .now)))
        _ = await task.end()
        #expect(task.failure == nil)

        let ended = try await open.store.watch(WatchRequest(pods, .now))
        let last = Task { try await ended.next() }
        open.store.endWatches()
        #expect(try await last.value == nil)
        #expect(try await read.next() != nil)
        #expect(try await read.next() == nil)
        #expect(try await open.store.watch(WatchRequest(pods, .now)).next() == nil)
        try await open.store.create(pod("b"), object(1))
    }
}
