import Engine
import JSON
import KubeObjects
import KubeSchema
import Linux
import Synchronization
import TestKit
import Testing

@testable import Pods

@Suite(.serialized, .timeLimit(.minutes(5)), .leavesNothing) struct PodFaultTests {
    @Test func `what ran in a keeper that died is started again by its policy`() async throws {
        let stage = try await PodStage()
        try await stage.make(
            "back",
            oneContainer {
                $0["containers"]?.array?[0]["volumeMounts"] = [["name": "m", "mountPath": "/m"]]
                $0["volumes"] = [["name": "m", "emptyDir": ["medium": "Memory"]]]
            })
        try await stage.make("over", oneContainer { $0["restartPolicy"] = "Never" })
        _ = try await stage.phase("back", "Running")
        _ = try await stage.phase("over", "Running")
        let keeper = try #require(await stage.engine.keeper())
        _ = try await CommandRunner.run(["kill", "-9", "\(keeper.pid)"])
        let over = try await stage.phase("over", "Failed")
        #expect(over.status["containerStatuses"]?[0]?["state", "terminated", "reason"] == "ContainerStatusUnknown")
        try await stage.pod("back", "it runs again") {
            $0.status["containerStatuses"]?[0]?["restartCount"] == 1
                && $0.status["containerStatuses"]?[0]?["state", "running"] != nil
        }
        #expect(
            try await stage.execute(
                "back", "sh", "-c", "echo >/m/x; grep -c ' /m tmpfs' /proc/mounts; grep -c ' /m ' /proc/mounts"
            ).text.hasSuffix("1\n"))
        try await stage.end()
    }

    @Test func `a pod keeps its address over the restarts of its containers`() async throws {
        let stage = try await PodStage()
        try await stage.make("once", oneContainer(["sh", "-c", "hostname -i; exec sleep 1000"]))
        let before = try await stage.phase("once", "Running")
        try await stage.engine.kill(
            KillContainer(container: PodNaming.name(pod: before.uid, container: "main", attempt: 0), signal: 9))
        let after = try await stage.pod("once", "it was restarted") {
            $0.status["containerStatuses"]?[0]?["restartCount"] == 1
        }
        #expect(after.status["podIP"] == before.status["podIP"])
        #expect(after.status["containerStatuses"]?[0]?["lastState", "terminated", "exitCode"] == 137)
        let address = try #require(before.status["podIP"]?.string)
        try await eventually { try await stage.log("once") == address + "\n" }
        try await stage.end()
    }

    @Test func `what ended while no node was there is told by the next one`() async throws {
        let stage = try await PodStage()
        let flag = stage.directory.path("flag")
        try Files.makeDirectories(flag)
        try await stage.make(
            "ends",
            oneContainer(["sh", "-c", "while [ ! -e /flag/go ]; do sleep 0.05; done; exit 4"]) {
                $0["restartPolicy"] = "Never"
                $0["containers"]?.array?[0]["volumeMounts"] = [["name": "f", "mountPath": "/flag"]]
                $0["volumes"] = [["name": "f", "hostPath": ["path": .string(flag)]]]
            })
        _ = try await stage.phase("ends", "Running")
        await stage.killNode()
        try Files.replace(flag + "/go", with: [], mode: 0o644)
        try await Task.sleep(for: .milliseconds(300))
        try await stage.startNode()
        let pod = try await stage.phase("ends", "Failed")
        #expect(pod.status["containerStatuses"]?[0]?["state", "terminated", "exitCode"] == 4)
        #expect(pod.status["containerStatuses"]?[0]?["restartCount"] == 0)
        try await stage.end()
    }

    @Test func `a program that cannot be executed is a failed start, and an image that is not here no image`()
        async throws
    {
        let stage = try await PodStage()
        try await stage.make("nothing", oneContainer(["/no/such/program"]) { $0["restartPolicy"] = "Never" })
        try await stage.make("image", oneContainer { $0["containers"]?.array?[0]["image"] = "nowhere:5000" })
        try await stage.make(
            "never",
            oneContainer {
                $0["containers"]?.array?[0]["image"] = "busybox:2"
                $0["containers"]?.array?[0]["imagePullPolicy"] = "Never"
            })
        let pod = try await stage.phase("nothing", "Failed")
        #expect(pod.status["containerStatuses"]?[0]?["state", "terminated", "reason"] == "StartError")
        #expect(pod.status["containerStatuses"]?[0]?["state", "terminated", "exitCode"] == 128)
        for (name, reason) in [("image", "ImagePullBackOff"), ("never", "ErrImageNeverPull")] {
            try await stage.pod(name, "\(name) waits") {
                $0.status["containerStatuses"]?[0]?["state", "waiting", "reason"]?.string == reason
                    && $0.status["phase"] == "Pending"
            }
        }
        try await stage.end()
    }
}
