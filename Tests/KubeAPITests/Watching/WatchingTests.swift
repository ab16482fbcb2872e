import JSON
import KubeObjects
import KubeStore
import TestKit
import Testing

@testable import KubeAPI

@Suite(.timeLimit(.minutes(2)))
struct WatchingTests {
    @Test func `a watch tells what happens after a list`() async throws {
        let door = try await Door()
        let version = await door.send("GET", maps).json["metadata", "resourceVersion"]?.string ?? ""
        let watch = try await door.watch(maps + "?watch=true&resourceVersion=\(version)")
        var object = await door.send("POST", maps, Door.configMap("a")).json
        #expect(await watch.next() == ["type": "ADDED", "object": object])
        object["data", "b"] = "2"
        object = await door.send("PUT", maps + "/a", object).json
        #expect(await watch.next() == ["type": "MODIFIED", "object": object])
        _ = await door.send("DELETE", maps + "/a")
        #expect(await watch.next()?["type"] == "DELETED")
        await door.close()
    }

    @Test func `a streamed list ends with an annotated bookmark`() async throws {
        let door = try await Door()
        _ = await door.send("POST", maps, Door.configMap("a"))
        let watch = try await door.watch(
            maps + "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true")
        #expect(await watch.next()?["type"] == "ADDED")
        let mark = await watch.next() ?? .null
        #expect(mark["type"] == "BOOKMARK")
        #expect(mark["object", "metadata", "annotations", "k8s.io/initial-events-end"] == "true")
        #expect(mark["object", "kind"] == "ConfigMap")
        await door.close()
    }

    @Test func `options of a streamed list that do not fit are refused`() async throws {
        let door = try await Door()
        let answer = await door.send("GET", maps + "?watch=1&sendInitialEvents=true")
        #expect(answer.status == 422)
        #expect(
            answer.message
                == "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting "
                + "resourceVersionMatch to NotOlderThan")
        await door.close()
    }

    @Test func `selectors turn changes into coming and going`() async throws {
        let door = try await Door()
        let watch = try await door.watch(maps + "?watch=1&labelSelector=on%3Dyes")
        var object = await door.send("POST", maps, Door.configMap("a")).json
        object["metadata", "labels"] = ["on": "yes"]
        object = await door.send("PUT", maps + "/a", object).json
        #expect(await watch.next()?["type"] == "ADDED")
        object["metadata", "labels"] = ["on": "no"]
        _ = await door.send("PUT", maps + "/a", object)
        let gone = await watch.next() ?? .null
        #expect(gone["type"] == "DELETED")
        #expect(gone["object", "metadata", "labels", "on"] == "yes")
        await door.close()
    }

    @Test func `a watch of what is compacted ends with 410 Gone`() async throws {
        let door = try await Door()
        for number in 0..<5 { _ = await door.send("POST", maps, Door.configMap("a\(number)")) }
        try await door.store.compact(to: 4)
        let watch = try await door.watch(maps + "?watch=1&resourceVersion=1")
        let event = await watch.next() ?? .null
        #expect(event["type"] == "ERROR")
        #expect(event["object", "code"] == 410)
        #expect(event["object", "reason"] == "Expired")
        #expect(await watch.next() == nil)
        await door.close()
    }

    @Test func `a watch ends after its time`() async throws {
        let door = try await Door()
        let watch = try await door.watch(maps + "?watch=1&timeoutSeconds=7")
        try await door.clock.untilSleeping(1)
        door.clock.advance(by: .seconds(7))
        #expect(await watch.next() == nil)
        await door.close()
    }

    @Test func `what is encoded for watchers is bounded`() async throws {
        let store = MemoryObjectStore()
        let shared = EncodedEvents(limit: 3, bytesLimit: 1000)
        for number in 0..<10 {
            let object = try await store.create(
                Resource.configMaps.key(namespace: "x", "a\(number)"), ["metadata": [:]])
            let line = shared.line("ADDED", object, "") { $0.bytes }
            #expect(shared.line("ADDED", object, "") { _ in [] } == line)
        }
        #expect(shared.count == 3)
        let large = try await store.create(
            Resource.configMaps.key(namespace: "x", "large"),
            ["metadata": [:], "data": .string(String(repeating: "x", count: 2000))])
        _ = shared.line("ADDED", large, "") { $0.bytes }
        #expect(shared.count == 3)
    }
}
