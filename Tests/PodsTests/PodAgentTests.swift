import Engine
import JSON
import KubeObjects
import Linux
import Synchronization
import TestKit
import Testing

@testable import Pods

@Suite(.serialized, .timeLimit(.minutes(5)), .leavesNothing) struct PodAgentTests {
    @Test func `the addresses of a pod are admitted before anything runs in it`() async throws {
        let admitted = Mutex<[String]>([])
        let (gate, opening) = AsyncStream<Void>.makeStream()
        let path = TestDataPath(onAdmit: { pod, addresses in
            admitted.withLock { $0.append("\(pod.name) \(addresses.joined(separator: ","))") }
            for await _ in gate {}
        })
        let stage = try await PodStage(dataPath: path)
        try await stage.make("web", oneContainer())
        try await eventually("its addresses are told") { admitted.withLock { !$0.isEmpty } }
        #expect(try await stage.engine.list(ListContainers(all: true)).containers.isEmpty)
        opening.finish()
        let pod = try await stage.phase("web", "Running")
        #expect(admitted.withLock { $0 } == ["web " + (pod.status["podIP"]?.string ?? "")])
        try await stage.end()
    }

    @Test func `a pod runs, is told of, serves exec and logs, and is gone when it is deleted`() async throws {
        let stage = try await PodStage()
        try await stage.make(
            "web",
            oneContainer(["sh", "-c", "echo hello $GREETING from $HOSTNAME; exec sleep 1000"]) {
                $0["containers"]?.array?[0]["env"] = [
                    ["name": "NAME", "value": "you"], ["name": "GREETING", "value": "to $(NAME)"],
                ]
            })
        let pod = try await stage.phase("web", "Running")
        #expect(pod.condition("Ready")?["status"] == "True")
        #expect(pod.status["podIP"]?.string?.hasPrefix("10.244.") == true)
        #expect(pod.status["hostIP"] == "192.0.2.10")
        #expect(pod.status["qosClass"] == "BestEffort")
        let status = pod.status["containerStatuses"]?[0]
        #expect(status?["ready"] == true)
        #expect(status?["containerID"]?.string?.hasPrefix("forkless://") == true)
        #expect(status?["state", "running", "startedAt"] != nil)
        try await eventually { try await stage.log("web") == "hello to you from web\n" }
        #expect(try await stage.execute("web", "cat", "/etc/hostname") == ("web\n", 0))
        #expect(try await stage.execute("web", "sh", "-c", "exit 3").status == 3)
        let resolver = try await stage.execute("web", "cat", "/etc/resolv.conf").text
        #expect(
            resolver
                == "nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local cluster.local example.org\noptions ndots:5\n"
        )
        try await stage.delete("web", grace: 1)
        try await stage.gone("web")
        try await stage.end()
    }

    @Test func `a pod that does its work succeeds, and one that fails has failed`() async throws {
        let stage = try await PodStage()
        try await stage.make("good", oneContainer(["true"]) { $0["restartPolicy"] = "Never" })
        try await stage.make(
            "bad",
            oneContainer(["sh", "-c", "echo oops >/dev/termination-log; exit 7"]) { $0["restartPolicy"] = "Never" })
        let good = try await stage.phase("good", "Succeeded")
        #expect(good.status["containerStatuses"]?[0]?["state", "terminated", "reason"] == "Completed")
        #expect(good.condition("Ready")?["reason"] == "PodCompleted")
        let bad = try await stage.phase("bad", "Failed")
        let end = bad.status["containerStatuses"]?[0]?["state", "terminated"]
        #expect(end?["exitCode"] == 7)
        #expect(end?["reason"] == "Error")
        #expect(end?["message"] == "oops\n")
        try await stage.end()
    }

    @Test func `a container that ends is started again at once, and then after a pause`() async throws {
        let stage = try await PodStage()
        try await stage.make("crash", oneContainer(["sh", "-c", "echo run; exit 1"]))
        let pod = try await stage.pod("crash", "it waits") {
            $0.status["containerStatuses"]?[0]?["state", "waiting", "reason"] == "CrashLoopBackOff"
        }
        let status = pod.status["containerStatuses"]?[0]
        #expect(status?["restartCount"] == 1)
        #expect(status?["lastState", "terminated", "exitCode"] == 1)
        #expect(
            status?["state", "waiting", "message"]?.string?.hasPrefix(
                "back-off 10s restarting failed container=main pod=crash_default(") == true)
        #expect(pod.status["phase"] == "Running")
        var options = PodLogOptions()
        options.previous = true
        #expect(try await stage.log("crash", nil, options) == "run\n")
        try await stage.end()
    }

    @Test func `containers of a pod share a network`() async throws {
        let stage = try await PodStage()
        try await stage.make(
            "pair",
            [
                "terminationGracePeriodSeconds": 1,
                "containers": [
                    [
                        "name": "server", "image": "busybox:1",
                        "command": ["sh", "-c", "mkdir /w; echo hi >/w/index.html; exec httpd -f -p 8080 -h /w"],
                    ],
                    ["name": "client", "image": "busybox:1"],
                ],
            ])
        _ = try await stage.phase("pair", "Running")
        try await eventually {
            try await stage.execute("pair", "wget", "-qO-", "http://127.0.0.1:8080/", container: "client") == (
                "hi\n", 0
            )
        }
        let fd = try await stage.agent.connect(try await stage.target("pair"), port: 8080)
        try Files.writeAll(Array("GET / HTTP/1.0\r\n\r\n".utf8), to: fd.raw)
        #expect(try await PodStage.read(fd).hasSuffix("hi\n"))
        await #expect(throws: APIFailure.self) {
            try await stage.agent.connect(try await stage.target("pair"), port: 9)
        }
        try await stage.end()
    }

    @Test func `a port of the machine leads to a pod`() async throws {
        let stage = try await PodStage()
        try await stage.make(
            "web",
            oneContainer(["sh", "-c", "mkdir /w; echo hi >/w/index.html; exec httpd -f -p 8080 -h /w"]) {
                $0["terminationGracePeriodSeconds"] = 1
                $0["containers"]?.array?[0]["ports"] = [["containerPort": 8080, "hostPort": 18080]]
            })
        _ = try await stage.phase("web", "Running")
        try await eventually("the server listens") {
            try await stage.execute("web", "wget", "-qO-", "http://127.0.0.1:8080/").status == 0
        }
        let fd = try await Connecting.connect(InternetEndpoint(IPAddress("10.244.0.1")!, 18080), stage.machine)
        try Files.writeAll(Array("GET / HTTP/1.0\r\n\r\n".utf8), to: fd.raw)
        #expect(try await PodStage.read(fd).hasSuffix("hi\n"))
        try await stage.end()
    }

    @Test func `containers of a pod share memory and message queues`() async throws {
        let stage = try await PodStage()
        try await stage.make(
            "pair",
            [
                "terminationGracePeriodSeconds": 1,
                "containers": [["name": "a", "image": "busybox:1"], ["name": "b", "image": "busybox:1"]],
            ])
        _ = try await stage.phase("pair", "Running")
        _ = try await stage.execute("pair", "sh", "-c", "echo shared >/dev/shm/x; echo >/dev/mqueue/q", container: "a")
        #expect(try await stage.execute("pair", "cat", "/dev/shm/x", container: "b").text == "shared\n")
        #expect(try await stage.execute("pair", "ls", "/dev/mqueue", container: "b").text == "q\n")
        let spaces = try await [
            stage.execute("pair", "readlink", "/proc/1/ns/ipc", container: "a").text,
            stage.execute("pair", "readlink", "/proc/1/ns/ipc", container: "b").text,
        ]
        #expect(spaces[0] == spaces[1])
        #expect(spaces[0] != (try Files.link("/proc/self/ns/ipc")) + "\n")
        try await stage.end()
    }

    @Test func `a node that comes back goes on with what runs`() async throws {
        let stage = try await PodStage()
        try await stage.make("stays", oneContainer())
        let before = try await stage.phase("stays", "Running")
        await stage.killNode()
        try await stage.startNode()
        try await eventually { stage.agent.workers.withLock { $0.count } == 1 }
        #expect(try await stage.execute("stays", "true").status == 0)
        let after = try await stage.pod("stays")
        #expect(
            after.status["containerStatuses"]?[0]?["containerID"]
                == before.status["containerStatuses"]?[0]?["containerID"])
        #expect(after.status["containerStatuses"]?[0]?["restartCount"] == 0)
        #expect(after.status["podIP"] == before.status["podIP"])
        #expect(try await stage.engine.list(ListContainers(all: true)).containers.count == 1)
        try await stage.end()
    }

    @Test func `containers of a pod that went while no node was there end`() async throws {
        let stage = try await PodStage()
        try await stage.make("lost", oneContainer())
        _ = try await stage.phase("lost", "Running")
        await stage.killNode()
        try await stage.delete("lost", grace: 0)
        try await stage.startNode()
        try await eventually { try await stage.engine.list(ListContainers(all: true)).containers.isEmpty }
        try await stage.end()
    }

    @Test func `a program that ignores its signal is killed when the grace is over`() async throws {
        let stage = try await PodStage()
        try await stage.make("deaf", oneContainer(["sh", "-c", "trap '' TERM; while true; do sleep 1; done"]))
        _ = try await stage.phase("deaf", "Running")
        try await stage.delete("deaf", grace: 1)
        try await stage.gone("deaf")
        try await stage.end()
    }
}
