import JSON
import KubeObjects
import KubeStore
import TestKit
import Testing

@testable import KubeAPI

@Suite(.timeLimit(.minutes(2)))
struct EventTests {
    private let core = "/api/v1/namespaces/default/events"
    private let other = "/apis/events.k8s.io/v1/namespaces/default/events"

    @Test func `events of both groups are the same events`() async throws {
        let door = try await Door()
        let event: JSONValue = [
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": ["name": "e"],
            "eventTime": "2026-11-18T11:06:40.000000Z", "reportingController": "c", "reportingInstance": "i",
            "action": "Do", "reason": "Done", "regarding": ["kind": "Pod", "name": "p", "namespace": "default"],
            "note": "it is done", "type": "Normal",
        ]
        let made = await door.send("POST", other, event)
        #expect(made.status == 201, "\(made.text)")
        #expect(made.json["note"] == "it is done")
        let seen = await door.send("GET", core + "/e").json
        #expect(seen["apiVersion"] == "v1")
        #expect(seen["message"] == "it is done")
        #expect(seen["involvedObject", "name"] == "p")
        #expect(seen["reportingComponent"] == "c")
        #expect(await door.send("GET", other + "/e").json == made.json)
        let selected = await door.send("GET", core + "?fieldSelector=involvedObject.name%3Dp")
        #expect(selected.json["items"]?.array?.count == 1)
        let regarding = await door.send("GET", other + "?fieldSelector=regarding.name%3Dp")
        #expect(regarding.json["items"]?[0]?["note"] == "it is done")
        let patched = await door.send(
            "PATCH", other + "/e", "{\"series\":{\"count\":2,\"lastObservedTime\":\"2026-11-18T11:07:40.000000Z\"}}",
            type: "application/strategic-merge-patch+json")
        #expect(patched.json["series", "count"] == 2, "\(patched.text)")
        #expect(patched.json["note"] == "it is done")
        await door.close()
    }

    @Test func `an answer can be pretty`() async throws {
        let door = try await Door()
        let answer = await door.send("GET", "/api/v1/namespaces/default?pretty=true")
        #expect(answer.text.hasPrefix("{\n  \""))
        await door.close()
    }

    @Test func `containers for debugging are only added`() async throws {
        let door = try await Door()
        _ = await door.send("POST", pods, Door.pod("p"))
        let patch = "{\"spec\":{\"ephemeralContainers\":[{\"name\":\"debug\",\"image\":\"busybox\"}]}}"
        let type = "application/strategic-merge-patch+json"
        let added = await door.send("PATCH", pods + "/p/ephemeralcontainers", patch, type: type)
        #expect(added.json["spec", "ephemeralContainers"]?[0]?["name"] == "debug", "\(added.text)")
        let changed = await door.send(
            "PATCH", pods + "/p/ephemeralcontainers", patch.replacing("busybox", with: "other"), type: type)
        #expect(changed.status == 422)
        #expect(changed.message.contains("existing ephemeral containers \"debug\" may not be changed"))
        let direct = await door.send("PATCH", pods + "/p", patch.replacing("debug", with: "x"), type: type)
        #expect(direct.status == 422)
        await door.close()
    }

    @Test func `whoever adds a container for debugging changes nothing else of a pod`() async throws {
        let door = try await Door()
        var pod = Door.pod("p")
        pod["metadata", "labels"] = ["app": "web"]
        var changed = await door.send("POST", pods, pod).json
        changed["metadata", "labels"] = ["app": "other"]
        changed["metadata", "annotations"] = ["a": "b"]
        changed["metadata", "finalizers"] = ["example.com/held"]
        changed["spec", "ephemeralContainers"] = [["name": "debug", "image": "busybox"]]
        let added = await door.send("PUT", pods + "/p/ephemeralcontainers", changed)
        #expect(added.status == 200, "\(added.text)")
        let stored = await door.send("GET", pods + "/p").json
        #expect(stored["spec", "ephemeralContainers"]?[0]?["name"] == "debug")
        #expect(stored["metadata", "labels"] == ["app": "web"])
        #expect(stored["metadata", "annotations"] == nil)
        #expect(stored["metadata", "finalizers"] == nil)
        await door.close()
    }
}
