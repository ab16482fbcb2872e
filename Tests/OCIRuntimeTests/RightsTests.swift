import JSON
import Linux
import TestKit
import Testing

/// What a container's processes may do, and what of their caller they have.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(4))) struct RightsTests {
    /// The runtime's words behind a Python program that ends with them.
    private func behind(_ program: String, _ stage: RuntimeStage, _ words: [String]) async throws
        -> CommandRunner.Outcome
    {
        let start = program + "\nsys.stdout.flush()\nos.execv(sys.argv[1], sys.argv[1:])"
        return try await CommandRunner.run(
            ["python3", "-c", start, stage.executable, "--root", stage.state] + words)
    }

    @Test func `a user opens his standard output anew, though its pipe was root's`() async throws {
        let stage = try RuntimeStage()
        let run = try await stage.shell("echo fine > /dev/stdout") {
            $0["process", "user"] = ["uid": 1000, "gid": 1000]
        }
        #expect(run.text == "fine\n", "\(run.errorText)")
        let id = try await stage.sleeping("exec")
        let exec = try await stage("exec", "--user", "1000:1000", id, "sh", "-c", "echo fine > /dev/stdout")
        #expect(exec.text == "fine\n", "\(exec.errorText)")
    }

    @Test func `a capability that the runtime lacks is a warning, and the program runs`() async throws {
        let stage = try RuntimeStage()
        // PR_CAPBSET_DROP of CAP_KILL: the exec takes it out of the permitted set.
        let without = "import ctypes, os, sys; ctypes.CDLL(None).prctl(24, 5, 0, 0, 0)"
        let words = ["grep", "CapEff", "/proc/self/status"]
        try stage.configure(words)
        let run = try await behind(without, stage, ["run", "--bundle", stage.bundle, stage.id()])
        #expect(run.text == "CapEff:\t0000000000000000\n" && run.errorText.contains("CAP_KILL"), "\(run.errorText)")
        let id = try await stage.sleeping("exec")
        let exec = try await behind(without, stage, ["exec", id] + words)
        #expect(exec.text == "CapEff:\t0000000000000000\n" && exec.errorText.contains("CAP_KILL"), "\(exec.errorText)")
    }

    /// The number of the session keyring: KEYCTL_GET_KEYRING_ID of KEY_SPEC_SESSION_KEYRING, keyctl(2).
    private static let keyring = """
        import ctypes, os, sys
        print(ctypes.CDLL(None).syscall(250 if os.uname().machine == "x86_64" else 219, 0, -3, 0))
        """

    @Test(arguments: ["", "--no-new-keyring"])
    func `a process that joins has not the caller's keyring`(_ option: String) async throws {
        let stage = try RuntimeStage()
        stage.addPython()
        try stage.configure(["sleep", "1000"]) { stage.bindPython(&$0) }
        let id = stage.id()
        try await stage.shellOutside("create \(option) --bundle \(stage.bundle) \(id)")
        try await stage.demand("start", id)
        let outcome = try await behind(Self.keyring, stage, ["exec", id, "/usr/bin/python3", "-c", Self.keyring])
        let numbers = outcome.text.split(separator: "\n").compactMap { Int($0) }
        #expect(numbers.count == 2 && numbers.allSatisfy { $0 > 0 }, "\(outcome.text)\(outcome.errorText)")
        // Who asked for none of its own shares the caller's.
        #expect((numbers.first == numbers.last) == !option.isEmpty, "\(numbers)")
    }

    @Test(arguments: ["start", "run"])
    func `a hook inside has the rights of the container's process and no others`(_ verb: String) async throws {
        let stage = try RuntimeStage()
        let seen = stage.rootfs + "/seen"
        try Files.makeDirectories(seen)
        try await CommandRunner.runQuietly(["chmod", "777", seen])
        try stage.configure(["true"]) { config in
            config["process", "user"] = ["uid": 1000, "gid": 1001]
            config["linux", "seccomp"] = [
                "defaultAction": "SCMP_ACT_ALLOW",
                "syscalls": [["names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"]],
            ]
            let script = "cat /proc/self/status /proc/self/cgroup > /seen/hook"
            config["hooks"] = [
                "startContainer": [
                    ["path": "/bin/sh", "args": ["sh", "-c", .string(script)], "env": ["PATH=/bin"]]
                ]
            ]
        }
        let id = stage.id(verb)
        if verb == "start" {
            try await stage.shellOutside("create --bundle \(stage.bundle) \(id)")
            try await stage.demand("start", id)
        } else {
            try await stage.shellOutside("run --bundle \(stage.bundle) \(id)")
        }
        let lines = try Files.readText(seen + "/hook").split(separator: "\n").map(String.init)
        for line in [
            "Uid:\t1000\t1000\t1000\t1000", "Gid:\t1001\t1001\t1001\t1001", "CapPrm:\t0000000000000000",
            "CapEff:\t0000000000000000", "CapBnd:\t0000000000000020", "NoNewPrivs:\t1", "Seccomp:\t2",
        ] {
            #expect(lines.contains(line), "\(line): \(lines)")
        }
        // The root of the container's cgroup namespace is its own cgroup.
        let groups = lines.filter { $0.contains(":/") }
        #expect(!groups.isEmpty && groups.allSatisfy { $0.hasSuffix(":/") }, "\(groups)")
    }
}
