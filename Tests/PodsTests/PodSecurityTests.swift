import Engine
import JSON
import KubeObjects
import KubeSchema
import Linux
import TestKit
import Testing

@testable import Pods

@Suite(.serialized, .timeLimit(.minutes(5)), .leavesNothing) struct PodSecurityTests {
    @Test func `programs run as who they are to run as, with what they may do`() async throws {
        let stage = try await PodStage()
        try await stage.make(
            "limited",
            oneContainer {
                $0["securityContext"] = [
                    "runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 4000, "supplementalGroups": [5000],
                ]
                $0["containers"]?.array?[0]["securityContext"] = [
                    "readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false,
                    "capabilities": ["drop": ["ALL"], "add": ["NET_BIND_SERVICE"]],
                ]
                $0["containers"]?.array?[0]["volumeMounts"] = [["name": "e", "mountPath": "/e"]]
                $0["volumes"] = [["name": "e", "emptyDir": [:]]]
            })
        _ = try await stage.phase("limited", "Running")
        let (text, _) = try await stage.execute(
            "limited", "sh", "-c",
            "id -u; id -g; id -G; touch /x 2>/dev/null || echo ro; touch /e/f; stat -c %g /e/f; grep -E 'NoNewPrivs|CapBnd' /proc/self/status"
        )
        #expect(text == "1000\n3000\n3000 4000 5000\nro\n4000\nCapBnd:\t0000000000000400\nNoNewPrivs:\t1\n")
        try await stage.end()
    }

    @Test func `who must not be root and would be does not start`() async throws {
        let stage = try await PodStage()
        let pod = try await stage.make("root", oneContainer { $0["securityContext"] = ["runAsNonRoot": true] })
        try await stage.make(
            "labelled",
            oneContainer { $0["containers"]?.array?[0]["securityContext"] = ["seLinuxOptions": ["level": "s0"]] })
        let waiting = try await stage.pod("root", "it waits") {
            $0.status["containerStatuses"]?[0]?["state", "waiting", "reason"] == "CreateContainerConfigError"
        }
        #expect(
            waiting.status["containerStatuses"]?[0]?["state", "waiting", "message"]?.string
                == "container has runAsNonRoot and image will run as root (pod: \"root_default(\(pod.uid))\", container: main)"
        )
        try await stage.pod("labelled", "it is refused") {
            $0.status["containerStatuses"]?[0]?["state", "waiting", "reason"] == "CreateContainerError"
        }
        try await stage.end()
    }

    @Test func `a pod of the machine's network, with names of its own choice`() async throws {
        let stage = try await PodStage()
        try await stage.make(
            "host",
            oneContainer {
                $0["hostNetwork"] = true
                $0["hostAliases"] = [["ip": "192.0.2.7", "hostnames": ["other", "another"]]]
                $0["dnsPolicy"] = "None"
                $0["dnsConfig"] = [
                    "nameservers": ["192.0.2.3"], "searches": ["a.example"],
                    "options": [["name": "ndots", "value": "2"]],
                ]
            })
        let pod = try await stage.phase("host", "Running")
        #expect(pod.status["podIP"] == "192.0.2.10")
        #expect(
            try await stage.execute("host", "readlink", "/proc/1/ns/net").text == (try Files.link("/proc/self/ns/net"))
                + "\n")
        #expect(
            try await stage.execute("host", "cat", "/etc/resolv.conf").text
                == "nameserver 192.0.2.3\nsearch a.example\noptions ndots:2\n")
        #expect(try await stage.execute("host", "cat", "/etc/hosts").text.hasSuffix("192.0.2.7\tother\tanother\n"))
        #expect(try await stage.execute("host", "hostname").text == "node-1\n")
        try await stage.end()
    }

    @Test func `a container for debugging is added to a pod that runs`() async throws {
        let stage = try await PodStage()
        try await stage.make("web", oneContainer())
        var pod = try await stage.phase("web", "Running")
        pod.spec["ephemeralContainers"] = [
            ["name": "debug", "image": "busybox:1", "command": ["sh", "-c", "echo here; exec sleep 100"]]
        ]
        _ = try await stage.api.update(.pods, pod, subresource: nil)
        try await stage.pod("web", "it runs") {
            $0.status["ephemeralContainerStatuses"]?[0]?["state", "running"] != nil
        }
        try await eventually { try await stage.log("web", "debug") == "here\n" }
        try await stage.end()
    }

    @Test func `exec has a terminal with a size, and input that ends`() async throws {
        let stage = try await PodStage()
        try await stage.make("web", oneContainer())
        _ = try await stage.phase("web", "Running")
        var options = PodStreamOptions()
        (options.stdin, options.stdout, options.tty) = (true, true, true)
        let terminal = try await stage.agent.execute(try await stage.target("web"), options, command: ["sh"])
        await terminal.resize(columns: 123, rows: 45)
        try Files.writeAll(Array("stty size; exit 5\n".utf8), to: terminal.input!.raw)
        #expect(try await terminal.end() == 5)
        options.tty = false
        let pipe = try await stage.agent.execute(try await stage.target("web"), options, command: ["cat"])
        try Files.writeAll(Array("hello".utf8), to: pipe.input!.raw)
        pipe.closeInput()
        #expect(try await PodStage.read(pipe.output!) == "hello")
        #expect(try await pipe.end() == 0)
        try await stage.end()
    }

    @Test func `the input of a container ends with the first who attached to it`() async throws {
        let stage = try await PodStage()
        try await stage.make(
            "cat",
            oneContainer(["cat"]) {
                $0["restartPolicy"] = "Never"
                $0["containers"]?.array?[0]["stdin"] = true
                $0["containers"]?.array?[0]["stdinOnce"] = true
            })
        _ = try await stage.phase("cat", "Running")
        var options = PodStreamOptions()
        (options.stdin, options.stdout, options.stderr) = (true, true, true)
        let session = try await stage.agent.attach(try await stage.target("cat"), options)
        try Files.writeAll(Array("hello".utf8), to: session.input!.raw)
        session.closeInput()
        #expect(try await PodStage.read(session.output!) == "hello")
        #expect(try await session.end() == 0)
        _ = try await stage.phase("cat", "Succeeded")
        try await stage.end()
    }

    @Test func `a log is given with times, from the end and up to a number of bytes`() async throws {
        let stage = try await PodStage()
        try await stage.make(
            "talks",
            oneContainer(["sh", "-c", "for i in 1 2 3; do echo line $i; done"]) { $0["restartPolicy"] = "Never" })
        _ = try await stage.phase("talks", "Succeeded")
        var options = PodLogOptions()
        options.tailLines = 1
        #expect(try await stage.log("talks", nil, options) == "line 3\n")
        options = PodLogOptions()
        options.limitBytes = 9
        #expect(try await stage.log("talks", nil, options) == "line 1\nli")
        options = PodLogOptions()
        options.timestamps = true
        options.follow = true
        let text = try await stage.log("talks", nil, options)
        #expect(
            text.split(separator: "\n").allSatisfy {
                $0.split(separator: " ", maxSplits: 1).first.flatMap { Linux.Timestamp(String($0)) } != nil
            })
        #expect(text.hasSuffix("Z line 3\n"))
        options = PodLogOptions()
        options.previous = true
        await #expect(throws: APIFailure.self) { try await stage.log("talks", nil, options) }
        try await stage.end()
    }

    @Test func `a log is given by stream`() async throws {
        let stage = try await PodStage()
        try await stage.make(
            "both",
            oneContainer(["sh", "-c", "echo out; echo err >&2; echo more"]) { $0["restartPolicy"] = "Never" })
        _ = try await stage.phase("both", "Succeeded")
        var options = PodLogOptions()
        options.stream = .output
        #expect(try await stage.log("both", nil, options) == "out\nmore\n")
        options.stream = .errors
        #expect(try await stage.log("both", nil, options) == "err\n")
        try await stage.end()
    }

    @Test func `usage is told of what runs`() async throws {
        let stage = try await PodStage()
        try await stage.make("busy", oneContainer(["sh", "-c", "while true; do :; done"]))
        _ = try await stage.phase("busy", "Running")
        // Of a machine that stood still meanwhile it has had nothing.
        let usage = try await eventuallySome {
            try await stage.agent.usage().first { ($0.containers.first?.cpuNanocores ?? 0) > 0 }
        }
        #expect(usage.name == "busy")
        #expect(usage.containers.map(\.name) == ["main"])
        #expect(usage.containers[0].cpuNanocores > 0)
        try await stage.end()
    }
}
