import JSON
import Linux
import TestKit
import Testing

/// How a process is scheduled, as it sees it itself.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(3))) struct SchedulingTests {
    @Test(
        arguments: [
            ("SCHED_OTHER", ["nice": 7], "0 7"), ("SCHED_BATCH", ["nice": 3], "3 3"), ("SCHED_IDLE", [:], "5 0"),
        ] as [(String, JSONObject, String)])
    func `the scheduler and its values are as written`(_ policy: String, _ values: JSONObject, _ expected: String)
        async throws
    {
        let stage = try RuntimeStage()
        let outcome = try await stage.python(
            "import os; print(os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0))"
        ) { config in
            config["process", "scheduler"] = .object(values)
            config["process", "scheduler", "policy"] = .string(policy)
        }
        #expect(outcome.text == expected + "\n", "\(outcome.text)\(outcome.errorText)")
    }

    @Test func `the priority of its input and output is as written`() async throws {
        let stage = try RuntimeStage()
        for (name, number) in [("IOPRIO_CLASS_BE", 2), ("IOPRIO_CLASS_IDLE", 3)] {
            // ioprio_get(2) of this process.
            let outcome = try await stage.python("import ctypes; print(ctypes.CDLL(None).syscall(252, 1, 0))") {
                $0["process", "ioPriority"] = ["class": .string(name), "priority": .integer(number == 2 ? 5 : 0)]
            }
            #expect(outcome.text == "\(number << 13 | (number == 2 ? 5 : 0))\n", "\(outcome.text)\(outcome.errorText)")
        }
    }

    /// get_mempolicy(2): the mode.
    private static let policy =
        "import ctypes; m = ctypes.c_int(); r = ctypes.CDLL(None).syscall(239, ctypes.byref(m), None, 0, None, 0); print(r, m.value)"

    @Test func `the policy of its memory is as written, for exec too`() async throws {
        guard Files.exists("/proc/self/numa_maps") else { return }
        let stage = try RuntimeStage()
        for (mode, number) in [("MPOL_BIND", 2), ("MPOL_INTERLEAVE", 3), ("MPOL_PREFERRED", 1)] {
            let outcome = try await stage.python(Self.policy) {
                $0["linux", "memoryPolicy"] = ["mode": .string(mode), "nodes": "0"]
            }
            #expect(outcome.text == "0 \(number)\n", "\(outcome.text)\(outcome.errorText)")
        }
        stage.addPython()
        let id = try await stage.sleeping("exec") { config in
            stage.bindPython(&config)
            config["linux", "memoryPolicy"] = ["mode": "MPOL_BIND", "nodes": "0"]
        }
        #expect(try await stage.demand("exec", id, "/usr/bin/python3", "-c", Self.policy) == "0 2\n")
    }

    @Test func `a process that joins may use the processors that are written`() async throws {
        let stage = try RuntimeStage()
        stage.addPython()
        let id = try await stage.sleeping { stage.bindPython(&$0) }
        let words = ["/usr/bin/python3", "-c", "import os; print(sorted(os.sched_getaffinity(0)))"]
        for (affinity, expected) in [("0", "[0]\n"), ("1", "[1]\n")] where OwnProcess.processors() > 1 {
            let process: JSONValue = [
                "args": words.json, "cwd": "/", "env": ["PATH=/bin"], "user": ["uid": 0, "gid": 0],
                "execCPUAffinity": ["initial": "0", "final": .string(affinity)],
            ]
            try stage.directory.write(process.description, to: "process.json")
            let said = try await stage.demand("exec", "--process", stage.directory.path("process.json"), id)
            #expect(said == expected)
        }
        let process: JSONValue = [
            "args": words.json, "cwd": "/", "user": ["uid": 0, "gid": 0], "execCPUAffinity": ["final": "9000"],
        ]
        try stage.directory.write(process.description, to: "process.json")
        let outcome = try await stage("exec", "--process", stage.directory.path("process.json"), id)
        #expect(
            outcome.status == .exited(255) && outcome.errorText.contains("execCPUAffinity.final"),
            "\(outcome.errorText)")
    }

    @Test func `the processors of who starts the runtime are not the container's`() async throws {
        guard OwnProcess.processors() > 1 else { return }
        let stage = try RuntimeStage()
        let bound = [
            "python3", "-c",
            "import os, sys; os.sched_setaffinity(0, {0}); os.execv(sys.argv[1], sys.argv[1:])",
            stage.executable, "--root", stage.state,
        ]
        let words = ["grep", "Cpus_allowed_list", "/proc/self/status"]
        try stage.configure(words)
        let free = try await stage("run", "--bundle", stage.bundle, stage.id())
        #expect(free.text.hasPrefix("Cpus_allowed_list:"), "\(free.errorText)")
        let run = try await CommandRunner.run(bound + ["run", "--bundle", stage.bundle, stage.id()])
        #expect(run.text == free.text, "\(run.errorText)")
        let id = try await stage.sleeping("exec")
        let exec = try await CommandRunner.run(bound + ["exec", id] + words)
        #expect(exec.text == free.text, "\(exec.errorText)")
    }

    @Test func `a personality changes what the machine is called, for exec too`() async throws {
        let stage = try RuntimeStage()
        let outcome = try await stage.shell("busybox uname -m") { $0["linux", "personality"] = ["domain": "LINUX32"] }
        #expect(["i686\n", "armv8l\n"].contains(outcome.text), "\(outcome.text)\(outcome.errorText)")
        let id = try await stage.sleeping("exec") { $0["linux", "personality"] = ["domain": "LINUX32"] }
        let exec = try await stage.demand("exec", id, "busybox", "uname", "-m")
        #expect(exec == outcome.text)
    }
}
