import Engine
import JSON
import KubeObjects
import KubeSchema
import Linux
import TestKit
import Testing

@testable import Pods

@Suite(.serialized, .timeLimit(.minutes(5)), .leavesNothing) struct PodProcessTests {
    @Test func `containers that share processes see each other, and are started again alone`() async throws {
        let stage = try await PodStage()
        try await stage.make(
            "shares",
            [
                "shareProcessNamespace": true, "terminationGracePeriodSeconds": 1,
                "containers": [
                    ["name": "one", "image": "busybox:1", "command": ["sleep", "1111"]],
                    ["name": "two", "image": "busybox:1", "command": ["sh", "-c", "exec sleep 2222"]],
                ],
            ])
        @Sendable func count(_ pod: KubeObject, _ index: Int) -> JSONValue? {
            pod.status["containerStatuses"]?[index]?["restartCount"]
        }
        _ = try await stage.phase("shares", "Running")
        let look = ["sh", "-c", "ps -o pid,args | grep -v ps"]
        let seen = try await stage.execute("shares", look[0], look[1], look[2], container: "one").text
        #expect(
            seen.contains("1 /dev/init --init") && seen.contains("sleep 1111") && seen.contains("sleep 2222"), "\(seen)"
        )
        // The first process is nobody's to look into, and shows no file of the machine.
        let root = try await stage.execute("shares", "ls", "/proc/1/root/etc", container: "one")
        #expect(root.status != 0)

        /// Sends a signal to the program with these words, from inside a container; false when none is seen.
        @Sendable func signal(_ number: Int, _ words: String, from container: String) async throws -> Bool {
            let all =
                "for p in /proc/[0-9]*; do [ \"$(tr '\\0' ' ' <$p/cmdline)\" = '\(words) ' ] && echo ${p#/proc/}; done"
            return try await stage.execute("shares", "sh", "-c", "kill -\(number) $(\(all))", container: container)
                .status == 0
        }
        // The shell of "two" runs before what it executes.
        try await eventually { try await signal(9, "sleep 2222", from: "one") }
        try await stage.pod("shares", "one of both was restarted") {
            count($0, 1) == 1 && $0.status["containerStatuses"]?[1]?["state", "running"] != nil
        }
        #expect(count(try await stage.pod("shares"), 0) == 0)
        try await eventually { try await signal(0, "sleep 2222", from: "one") }

        // A node that comes back goes on, and what it starts joins the rest.
        let uid = try await stage.pod("shares").uid
        await stage.killNode()
        try await stage.startNode()
        try await stage.pod("shares", "the node knows it") { _ in
            stage.agent.worker(uid)?.machine.attempt(of: "two") != nil
        }
        #expect(try await signal(9, "sleep 1111", from: "two"))
        try await stage.pod("shares", "the other was restarted") {
            count($0, 0) == 1 && $0.status["containerStatuses"]?[0]?["state", "running"] != nil
        }
        #expect(count(try await stage.pod("shares"), 1) == 1)
        try await eventually { try await signal(0, "sleep 1111", from: "two") }

        // With the first process everything ends, and everything comes back. A start that comes before the news of its end
        // fails, and counts.
        try await stage.engine.kill(KillContainer(container: PodNaming.first(pod: uid), signal: 9))
        try await stage.pod("shares", "both were restarted") { pod in
            (0...1).allSatisfy { (count(pod, $0)?.integer ?? 0) >= 2 }
        }
        try await stage.pod("shares", "both run") { pod in
            (0...1).allSatisfy { pod.status["containerStatuses"]?[$0]?["state", "running"] != nil }
        }
        try await eventually {
            let first = try await signal(0, "sleep 1111", from: "two")
            return try await signal(0, "sleep 2222", from: "one") && first
        }
        try await stage.end()
    }

    @Test func `a debugger sees the processes of the container that it is for`() async throws {
        let stage = try await PodStage()
        try await stage.make("web", oneContainer(["sleep", "3333"]))
        var pod = try await stage.phase("web", "Running")
        pod.spec["ephemeralContainers"] = [
            [
                "name": "debug", "image": "busybox:1", "targetContainerName": "main",
                "command": ["sh", "-c", "ps -o args; exec sleep 100"],
                "securityContext": ["capabilities": ["add": ["SYS_PTRACE"]]],
            ],
            ["name": "lost", "image": "busybox:1", "targetContainerName": "nobody"],
        ]
        _ = try await stage.api.update(.pods, pod, subresource: nil)
        try await stage.pod("web", "the debugger runs") {
            $0.status["ephemeralContainerStatuses"]?[0]?["state", "running"] != nil
        }
        try await eventually { try await stage.log("web", "debug").contains("sleep 3333") }
        let after = try await stage.pod("web", "the other one waits") {
            $0.status["ephemeralContainerStatuses"]?[1]?["state", "waiting", "reason"] == "CreateContainerConfigError"
        }
        #expect(
            after.status["ephemeralContainerStatuses"]?[1]?["state", "waiting", "message"]
                == "unable to find target container nobody")
        #expect(after.status["containerStatuses"]?[0]?["restartCount"] == 0)
        // Who enters the container is not in the debugger's hands.
        #expect(try await stage.execute("web", "ps", "-o", "args").text.contains("sleep 100"))
        try await stage.end()
    }

    @Test func `a pod may see the machine's processes and its IPC`() async throws {
        let stage = try await PodStage()
        try await stage.make(
            "host",
            oneContainer {
                $0["hostPID"] = true
                $0["hostIPC"] = true
            })
        _ = try await stage.phase("host", "Running")
        let text = try await stage.execute(
            "host", "sh", "-c",
            "readlink /proc/self/ns/pid; readlink /proc/self/ns/ipc; grep -c ' /dev/mqueue ' /proc/mounts"
        ).text.split(separator: "\n").map(String.init)
        #expect(text.contains(try Files.link("/proc/self/ns/ipc")), "\(text)")
        #expect(text.contains(try Files.link("/proc/self/ns/pid")), "\(text)")
        try await stage.end()
    }

    @Test func `a privileged container may do what the node may`() async throws {
        let stage = try await PodStage()
        try await stage.make(
            "mighty",
            oneContainer {
                $0["containers"]?.array?[0]["securityContext"] = ["privileged": true]
                $0["containers"]?.array?[0]["volumeMounts"] = [["name": "sys", "mountPath": "/sys/fs/bpf"]]
                $0["volumes"] = [["name": "sys", "emptyDir": [:]]]
            })
        _ = try await stage.phase("mighty", "Running")
        let look = """
            grep -E 'CapEff|Seccomp:|NoNewPrivs' /proc/self/status | tr -d '\\t'; mkdir /m && mount -t tmpfs none /m && echo mounted
            grep -c ' /sys sysfs rw' /proc/mounts; grep -c ' /proc/sys ' /proc/mounts; test -w /dev && echo dev
            mknod /mine c 1 3 && echo x >/mine && echo device; ls /sys/fs/cgroup | grep -c . ; touch /sys/fs/bpf/f && echo bpf
            """
        let text = try await stage.execute("mighty", "sh", "-c", look).text.split(separator: "\n").map(String.init)
        let mine = String(try Capabilities.permitted().rawValue, radix: 16)
        #expect(text.first?.hasSuffix(mine) == true, "\(text)")
        #expect(Array(text[1...6]) == ["NoNewPrivs:0", "Seccomp:0", "mounted", "1", "0", "dev"], "\(text)")
        #expect(text[7] == "device" && Int(text[8]) ?? 0 > 0 && text[9] == "bpf", "\(text)")
        try await stage.end()
    }

    @Test func `safe kernel settings are a pod's own, and others are refused`() async throws {
        let stage = try await PodStage()
        func sysctls(_ all: (String, String)...) -> JSONValue {
            ["sysctls": .array(all.map { ["name": .string($0.0), "value": .string($0.1)] })]
        }
        try await stage.make(
            "set",
            oneContainer {
                $0["securityContext"] = sysctls(
                    ("net/ipv4/ip_unprivileged_port_start", "1"), ("kernel.shm_rmid_forced", "1"))
            })
        try await stage.make("bad", oneContainer { $0["securityContext"] = sysctls(("kernel.msgmax", "65536")) })
        try await stage.make(
            "host",
            oneContainer {
                $0["hostNetwork"] = true
                $0["securityContext"] = sysctls(("net.ipv4.tcp_syncookies", "0"))
            })
        let bad = try await stage.phase("bad", "Failed")
        #expect(bad.status["reason"] == "SysctlForbidden")
        #expect(bad.status["message"] == "Pod was rejected: forbidden sysctl: \"kernel.msgmax\" not allowlisted")
        let host = try await stage.phase("host", "Failed")
        #expect(
            host.status["message"]
                == "Pod was rejected: forbidden sysctl: \"net.ipv4.tcp_syncookies\" not allowed with host Net enabled")
        _ = try await stage.phase("set", "Running")
        let files = ["/proc/sys/net/ipv4/ip_unprivileged_port_start", "/proc/sys/kernel/shm_rmid_forced"]
        #expect(try await stage.execute("set", "cat", files[0], files[1]).text == "1\n1\n")
        #expect(try Files.readText(files[1]).hasPrefix("0"))
        try await stage.make(
            "wrong", oneContainer { $0["securityContext"] = sysctls(("kernel.shm_rmid_forced", "many")) })
        try await eventually("an event") {
            try await stage.api.list(.events, namespace: "default", labels: .everything).contains {
                $0.json["reason"] == "FailedCreatePodSandBox"
                    && $0.json["message"]?.string?.contains("shm_rmid_forced") == true
            }
        }
        try await stage.end()
    }
}
