import JSON
import Linux
import TestKit
import Testing

/// What a container gets from outside while it is made: network devices of the machine, answers of a seccomp agent.
@Suite(.enabled(if: isRoot), .timeLimit(.minutes(2)))
struct AgentTests {
    @Test func `a network device moves into the container with its address`() async throws {
        let stage = try RuntimeStage()
        try stage.configure(["sh", "-c", "cat /proc/net/dev /proc/net/fib_trie"]) {
            $0["linux", "netDevices"] = ["fkmoveA": ["name": "in%d"]]
        }
        // The machine's part is played by a network namespace of the test's own.
        let script = """
            ip link add fkmoveA type veth peer name fkmoveB && ip address add 10.9.9.1/24 dev fkmoveA \
            && exec \(stage.executable) --root \(stage.state) run --bundle \(stage.bundle) \(stage.id())
            """
        let outcome = try await CommandRunner.run(["unshare", "--net", "sh", "-c", script])
        #expect(outcome.status.isSuccess, "\(outcome.errorText)")
        #expect(outcome.text.contains("in0:") && outcome.text.contains("10.9.9.1"), "\(outcome.text)")
        let missing = try await stage.shell("true") { $0["linux", "netDevices"] = ["fknone": [:]] }
        #expect(!missing.status.isSuccess && missing.errorText.contains("linux.netDevices.fknone"), "\(missing.errorText)")
    }

    @Test func `a seccomp agent gets the listener with the container's state, and answers its calls`() async throws {
        let stage = try RuntimeStage()
        let path = stage.directory.path("agent")
        let agent = """
            import os, socket, struct, fcntl, json
            s = socket.socket(socket.AF_UNIX); s.bind("\(path).new"); s.listen(1); os.rename("\(path).new", "\(path)")
            c, _ = s.accept()
            data, fds, _, _ = socket.recv_fds(c, 65536, 4)
            state = json.loads(data)
            print(state["metadata"], state["fds"], state["state"]["status"], state["pid"] == state["state"]["pid"])
            call = bytearray(80); fcntl.ioctl(fds[0], 0xc0502100, call)
            answer = bytearray(struct.pack("QqiI", struct.unpack_from("Q", call)[0], 0, -18, 0))
            fcntl.ioctl(fds[0], 0xc0182101, answer)
            """
        async let answered = CommandRunner.run(["python3", "-c", agent], within: .seconds(60))
        try await eventually("the agent listens") { Files.exists(path) }
        let outcome = try await stage.shell("busybox mkdir /tmp/x; echo rc $?") {
            $0["linux", "seccomp"] = [
                "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": .string(path), "listenerMetadata": "m",
                "syscalls": [["names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_NOTIFY"]],
            ]
        }
        #expect(outcome.text == "rc 1\n" && outcome.errorText.contains("ross-device"), "\(outcome.text)\(outcome.errorText)")
        let said = try await answered
        #expect(said.text.hasPrefix("m ['seccompFd'] c") && said.text.hasSuffix(" True\n"), "\(said.text)\(said.errorText)")
    }
}
