import JSON
import KubeObjects
import KubeSchema
import Linux
import Synchronization
import TestKit
import Testing

@testable import Pods

@Suite(.serialized, .timeLimit(.minutes(5)), .leavesNothing) struct PodProbeTests {
    @Test func `a pod is ready while its checks say so`() async throws {
        let stage = try await PodStage()
        let server = "mkdir /w; echo ok >/w/ok; touch /tmp/up; exec httpd -f -p 8080 -h /w"
        func container(_ name: String, _ probe: JSONValue) -> JSONValue {
            var probe = probe
            probe["periodSeconds"] = 1
            return ["name": .string(name), "image": "busybox:1", "readinessProbe": probe]
        }
        var http = container("http", ["httpGet": ["path": "/ok", "port": "web"]])
        http["command"] = ["sh", "-c", .string(server)]
        http["ports"] = [["name": "web", "containerPort": 8080]]
        try await stage.make(
            "checked",
            [
                "terminationGracePeriodSeconds": 1,
                "containers": [
                    http, container("tcp", ["tcpSocket": ["port": 8080]]),
                    container("exec", ["exec": ["command": ["test", "-e", "/ready"]]]),
                ],
            ])
        @Sendable func isReady(_ pod: KubeObject, _ index: Int) -> Bool {
            pod.status["containerStatuses"]?[index]?["ready"] == true
        }
        let pod = try await stage.pod("checked", "two are ready, and the third runs") {
            isReady($0, 0) && isReady($0, 1) && $0.status["containerStatuses"]?[2]?["state"]?["running"] != nil
        }
        #expect(!isReady(pod, 2))
        #expect(pod.condition("Ready")?["message"] == "containers with unready status: [exec]")
        _ = try await stage.execute("checked", "touch", "/ready", container: "exec")
        try await stage.pod("checked", "it is ready") { $0.condition("Ready")?["status"] == "True" }
        _ = try await stage.execute("checked", "rm", "/w/ok", container: "http")
        try await stage.pod("checked", "it is not ready any more") { $0.condition("Ready")?["status"] == "False" }
        try await stage.end()
    }

    /// One check alone: about a pod with several that fail, on a slow machine, more events are told than are kept
    /// (EventCorrelator's third invariant).
    @Test func `an event says why a check failed`() async throws {
        let stage = try await PodStage()
        try await stage.make(
            "refuses",
            oneContainer(["sh", "-c", "mkdir /w; exec httpd -f -p 8080 -h /w"]) {
                $0["containers"]?.array?[0]["readinessProbe"] = [
                    "httpGet": ["path": "/none", "port": 8080], "periodSeconds": 1,
                ]
            })
        try await eventually(within: .seconds(60), "an event") {
            try await stage.api.list(.events, namespace: "default", labels: .everything).contains {
                $0.json["reason"] == "Unhealthy"
                    && $0.json["message"] == "Readiness probe failed: HTTP probe failed with statuscode: 404"
            }
        }
        try await stage.end()
    }

    @Test func `a check that hangs is ended, and the container is started again`() async throws {
        let stage = try await PodStage()
        try await stage.make(
            "hangs",
            oneContainer {
                $0["containers"]?.array?[0]["livenessProbe"] = [
                    "exec": ["command": ["sleep", "777"]], "periodSeconds": 1, "timeoutSeconds": 1,
                    "failureThreshold": 1,
                    "terminationGracePeriodSeconds": 1,
                ]
            })
        // It hangs again, and is restarted again.
        try await stage.pod("hangs", "it was restarted") {
            $0.status["containerStatuses"]?[0]?["restartCount"]?.integer ?? 0 >= 1
        }
        try await stage.end()
    }

    @Test func `hooks run, and clients are kept away first`() async throws {
        let order = Mutex<[String]>([])
        let path = TestDataPath(onWithdraw: { _ in order.withLock { $0.append("withdrawn") } })
        let stage = try await PodStage(dataPath: path)
        let host = stage.directory.path("shared")
        try await stage.make(
            "hooked",
            oneContainer([
                "sh", "-c",
                "trap 'echo term >>/shared/log; exit 0' TERM; touch /shared/up; while true; do sleep 0.05; done",
            ]) {
                // Hooks and program are done in a moment, and a machine that stalls must not have them killed.
                $0["terminationGracePeriodSeconds"] = 60
                $0["containers"]?.array?[0]["volumeMounts"] = [["name": "shared", "mountPath": "/shared"]]
                $0["volumes"] = [["name": "shared", "hostPath": ["path": .string(host)]]]
                $0["containers"]?.array?[0]["lifecycle"] = [
                    "postStart": ["exec": ["command": ["sh", "-c", "echo post >>/shared/log"]]],
                    "preStop": ["exec": ["command": ["sh", "-c", "echo pre >>/shared/log"]]],
                ]
            })
        _ = try await stage.pod("hooked", "ready") { $0.condition("Ready")?["status"] == "True" }
        #expect(try Files.readText(host + "/log") == "post")
        // A first process without a trap hears no signal.
        try await eventually("the program has its trap") { Files.exists(host + "/up") }
        try await stage.delete("hooked")
        try await stage.gone("hooked")
        #expect(try Files.readText(host + "/log") == "post\npre\nterm")
        #expect(path.withdrawn.count == 1)
        try await stage.end()
    }
}
