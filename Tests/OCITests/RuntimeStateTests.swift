import JSON
import OCI
import Testing

@Suite struct RuntimeStateTests {
    private let state = RuntimeState(
        id: "c1", status: .running, pid: 42, bundle: "/b", annotations: ["a": "1"], root: "/b/rootfs",
        created: "2026-01-02T03:04:05Z", owner: "root")

    @Test func `a state is written and read`() throws {
        #expect(try RuntimeState(JSONWriter.bytes(state.json)) == state)
        let stopped = RuntimeState(id: "c", status: .stopped, bundle: "/b")
        #expect(stopped.json == ["ociVersion": "1.3.0", "id": "c", "pid": 0, "status": "stopped", "bundle": "/b"])
        #expect(try RuntimeState(JSONWriter.bytes(stopped.json)) == stopped)
    }

    @Test func `a damaged state is refused by the field`() {
        for (key, value) in [("status", "dancing"), ("pid", -1), ("bundle", ""), ("id", 7)] as [(String, JSONValue)] {
            var json = state.json
            json[key] = value
            let error = #expect(throws: DocumentError.self) { try RuntimeState(JSONWriter.bytes(json)) }
            #expect(error?.problem.hasPrefix(key) == true)
        }
    }

    @Test func `a listener gets the state of the process`() {
        let json = state.listenerState(pid: 43, metadata: "m")
        #expect(json["fds"] == ["seccompFd"] && json["pid"] == 43 && json["metadata"] == "m")
        #expect(json["state"] == state.json && json["ociVersion"] == "1.3.0")
        #expect(state.listenerState(pid: 1, metadata: nil)["metadata"] == nil)
    }
}
