import JSON
import TestKit
import Testing

@testable import KubeStore

/// The memory of recent events, and who is served from it.
@Suite(.timeLimit(.minutes(2))) struct EventWindowTests {
    private let pods = ResourceScope("pods")

    private func event(_ revision: Int64, _ resource: String = "pods", bytes: Int = 10) throws -> ObjectEvent {
        let body = try ObjectBody(["text": .string(String(repeating: "x", count: bytes)), "metadata": [:]])
        let key = ObjectKey(resource, namespace: "default", "o\(revision)")
        return ObjectEvent(
            kind: .added, object: StoredObject(key, createRevision: revision, revision: revision, body))
    }

    private static let noDatabase: ObjectWatch.Read = { _, _ in
        Issue.record("the window has it all")
        return HistoryReading.Batch(events: [], position: .max)
    }

    @Test func `the window has all that lies behind its floor`() throws {
        var window = EventWindow(behind: 10, count: 6, bytes: 1 << 20)
        #expect(window.floor == 10 && window.newest == 10)
        for revision in Int64(11)...30 {
            window.append(try event(revision, revision % 3 == 0 ? "nodes" : "pods"))
            #expect(window.newest == revision)
            for position in window.floor...revision {
                let found = window.events(after: position, in: pods, limit: 100)
                let expected = (position + 1..<revision + 1).filter { $0 % 3 != 0 }
                #expect(found.events.map(\.revision) == expected)
                #expect(found.position == revision)
            }
        }
        #expect(window.floor == 24)
        // 25, 26, 28, 29: with a limit only as far as it goes.
        let some = window.events(after: 24, in: pods, limit: 3)
        #expect(some.events.map(\.revision) == [25, 26, 28])
        #expect(some.position == 28)
        #expect(window.events(after: 40, in: pods, limit: 3).position == 40)
    }

    @Test func `the window keeps to its limits`() throws {
        let size = try event(1, bytes: 1000).object.body.bytes.count
        var window = EventWindow(behind: 0, count: 100, bytes: 5 * size)
        for revision in Int64(1)...20 { window.append(try event(revision, bytes: 1000)) }
        #expect(window.floor == 15)
        window.append(try event(21, bytes: 100_000))
        #expect(window.floor == 20, "the newest stays, however large")
        window.append(try event(22))
        #expect(window.floor == 21)
    }

    @Test func `what is parsed of an event is not kept by the window`() throws {
        var window = EventWindow(behind: 0, count: 100, bytes: 1 << 20)
        var second = try event(2)
        second.previous = try event(1).object
        // A live watcher reads it before and after it is in the window.
        _ = (second.object.value, second.previous?.value)
        window.append(try event(1))
        window.append(second)
        _ = window.events(after: 0, in: pods, limit: 100).events.map { ($0.object.value, $0.previous?.value) }
        let found = window.events(after: 0, in: pods, limit: 100).events
        #expect(found.count == 2 && found[1] == second)
        for event in found { #expect(!event.object.isParsed && event.previous?.isParsed != true) }
        #expect(second.object.isParsed)
    }

    @Test func `a watch within the window reads no database, one before it does`() async throws {
        var limits = WatchLimits()
        limits.windowEvents = 4
        let hub = WatchHub(HistoryBounds(compacted: 0, newest: 0), limits)
        let events = try (Int64(1)...10).map { try event($0) }
        hub.publish(events)
        for (after, reads) in [(Int64(6), 0), (9, 0), (10, 0), (5, 1), (0, 1)] {
            let buffer = WatchBuffer(pods, limit: 100, wantsBookmarks: false)
            _ = buffer.fill([], upTo: after, isLive: false)
            try await confirmation(expectedCount: reads) { confirm in
                let watch = ObjectWatch(buffer, hub, { _ in true }) { _, position in
                    confirm()
                    return HistoryReading.Batch(
                        events: events.filter { $0.revision > position && $0.revision <= 7 }, position: 7)
                }
                let seen = try await take(Int(10 - after), watch)
                #expect(seen.map { $0.object!.revision } == Array(after + 1..<11))
            }
        }
    }

    @Test func `a watcher takes no more from the window than may wait for it`() async throws {
        let hub = WatchHub(HistoryBounds(compacted: 0, newest: 0), WatchLimits())
        hub.publish(try (Int64(1)...10).map { try event($0) })
        let buffer = WatchBuffer(pods, limit: 3, wantsBookmarks: false)
        #expect(hub.join(buffer))
        #expect(hub.watcherCount == 0, "not live yet")
        let watch = ObjectWatch(buffer, hub, { _ in true }, read: Self.noDatabase)
        #expect(try await take(10, watch).map { $0.object!.revision } == Array(1...10))
    }

    @Test func `what a list has shown is not told again when it is published`() async throws {
        let hub = WatchHub(HistoryBounds(compacted: 0, newest: 4), WatchLimits())
        let buffer = WatchBuffer(pods, limit: 3, wantsBookmarks: true)
        // A reader sees a commit a moment before its events are published.
        _ = buffer.fill([], upTo: 6, isLive: false)
        #expect(hub.join(buffer))
        hub.sendBookmarks()
        hub.publish(try (Int64(5)...8).map { try event($0) })
        let watch = ObjectWatch(buffer, hub, { _ in true }, read: Self.noDatabase)
        let events = try await take(3, watch)
        #expect(events[0] == .bookmark(revision: 6, endsInitialEvents: false), "never behind what was told")
        #expect(events[1...].map { $0.object!.revision } == [7, 8])
    }

    @Test func `a watcher that was too slow is forgotten`() async throws {
        let hub = WatchHub(HistoryBounds(compacted: 0, newest: 0), WatchLimits())
        let buffer = WatchBuffer(pods, limit: 3, wantsBookmarks: false)
        hub.joinNow(buffer)
        #expect(hub.watcherCount == 1)
        hub.publish(try (Int64(1)...4).map { try event($0) })
        #expect(hub.watcherCount == 0)
    }

    @Test func `a watcher that does not read large objects is ended by their bytes`() async throws {
        let hub = WatchHub(HistoryBounds(compacted: 0, newest: 0), WatchLimits())
        let size = try event(1).object.bytes.count
        let buffer = WatchBuffer(pods, limit: 100, bytes: 2 * size, wantsBookmarks: false)
        hub.joinNow(buffer)
        hub.publish(try (Int64(1)...2).map { try event($0) })
        // Read in time, they make room.
        guard case .item = await buffer.take() else { return #expect(Bool(false), "an event waits") }
        hub.publish([try event(3)])
        #expect(hub.watcherCount == 1)
        hub.publish([try event(4)])
        #expect(hub.watcherCount == 0)
    }

    @Test func `a revision can be watched that was read before it is published`() async throws {
        let directory = try TemporaryDirectory("kube")
        let store = try await openStore(directory)
        // Written behind this store's back, as if its commit had not come to publishing.
        let written = try await openStore(directory).create(pod("a"), object(1))
        #expect(store.hub.history.newest < written.revision)
        _ = try await store.watch(WatchRequest(pods, .after(written.revision)))
        await #expect(throws: ObjectStoreFailure.futureRevision(newest: written.revision, asked: written.revision + 1))
        {
            try await store.watch(WatchRequest(pods, .after(written.revision + 1)))
        }
    }

    @Test func `a watch that is dropped is forgotten`() async throws {
        let directory = try TemporaryDirectory("kube")
        let store = try await openStore(directory)
        var watch: (any ObjectWatching)? = try await store.watch(WatchRequest(pods, .now))
        #expect(store.hub.watcherCount == 1)
        let other = try await store.watch(WatchRequest(pods, .after(1)))
        #expect(store.hub.watcherCount == 2)
        _ = watch
        watch = nil
        #expect(store.hub.watcherCount == 1)
        other.cancel()
        #expect(store.hub.watcherCount == 0)
    }
}
