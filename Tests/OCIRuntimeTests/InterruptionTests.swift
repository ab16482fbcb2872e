import JSON
import Linux
import TestKit
import Testing

/// Starts that are interrupted, and hooks that fail, hang or are watched.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(5))) struct InterruptionTests {
    /// Runs the runtime and kills it after so many microseconds.
    private func kill(_ stage: RuntimeStage, _ words: String, after microseconds: Int) async throws {
        _ = try await CommandRunner.run([
            "sh", "-c",
            """
            \(stage.call) \(words) </dev/null >/dev/null 2>&1 &
            pid=$!; sleep 0.\(String(String(1_000_000 + microseconds).dropFirst())); kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null; true
            """,
        ])
    }

    private func hook(_ stage: JSONValue, _ script: String, timeout: Int? = nil) -> JSONValue {
        var hook: JSONValue = [
            "path": "/bin/sh", "args": ["sh", "-c", .string(script)], "env": ["PATH=/usr/bin:/bin"],
        ]
        if let timeout { hook["timeout"] = .integer(Int64(timeout)) }
        return [hook]
    }

    @Test func `a start that is killed leaves a container that waits or runs, and goes with delete --force`()
        async throws
    {
        let stage = try RuntimeStage()
        try stage.configure(["sleep", "1000"])
        for microseconds in stride(from: 0, to: 16_000, by: 1000) {
            let id = stage.id("s\(microseconds)")
            try await stage.shellOutside("create --bundle \(stage.bundle) \(id)")
            try await kill(stage, "start \(id)", after: microseconds)
            let status = try await stage.status(id)
            #expect(["created", "running"].contains(status), "after \(microseconds) us: \(status ?? "")")
            // One that still waits can still be started. One that had its call just now begins by itself, and refuses.
            if status == "created" {
                _ = try await stage("start", id)
                try await eventually { try await stage.status(id) == "running" }
            }
            try await stage.demand("delete", "--force", id)
        }
        #expect(try await stage.demand("list", "--quiet") == "")
    }

    @Test func `a runtime that is killed while a hook hangs leaves nothing after delete --force`() async throws {
        let stage = try RuntimeStage()
        let mark = stage.directory.path("mark")
        try stage.configure(["sleep", "1000"]) {
            $0["hooks"] = ["createRuntime": hook("createRuntime", "echo $$ > \(mark); exec sleep 1000")]
        }
        let id = stage.id()
        let started = try await CommandRunner.run([
            "sh", "-c", "\(stage.call) create --bundle \(stage.bundle) \(id) </dev/null >/dev/null 2>&1 & echo $!",
        ])
        let runtime = Int32(started.text.split(separator: "\n").first ?? "") ?? 0
        let hanging = try await eventuallySome("the hook runs") { Int32((try? Files.readText(mark)) ?? "") }
        try ProcessFD(pid: runtime).signal(Signal.kill)
        try await stage.demand("delete", "--force", id)
        #expect(try await stage.demand("list", "--quiet") == "")
        // The hook is nobody's any more; it is the test's to end.
        try ProcessFD(pid: hanging).signal(Signal.kill)
    }

    @Test func `a pid file that cannot be written takes the container back`() async throws {
        let stage = try RuntimeStage()
        try stage.configure(["sleep", "1000"])
        let file = stage.directory.path("nowhere/pid")
        let error = await #expect(throws: StageFailure.self) {
            try await stage.shellOutside("create --bundle \(stage.bundle) --pid-file \(file) \(stage.id())")
        }
        #expect(error?.description.contains("--pid-file") == true, "\(error?.description ?? "")")
        // The directory goes last, after the process and its cgroups.
        #expect(try await stage.demand("list", "--quiet") == "")
    }

    @Test func `a container that is being made says so, and nobody gets into it`() async throws {
        let stage = try RuntimeStage()
        let said = stage.directory.path("said")
        for verb in ["create", "run"] {
            let id = stage.id(verb)
            let script = """
                \(stage.call) state \(id) > \(said)-state
                for words in 'exec \(id) true' 'pause \(id)' 'update --pids-limit 9 \(id)' 'start \(id)'; do
                \(stage.call) $words 2>&1
                done > \(said)-refusals
                true
                """
            try stage.configure(["true"]) { $0["hooks"] = ["createRuntime": hook("createRuntime", script)] }
            if verb == "create" {
                try await stage.shellOutside("create --bundle \(stage.bundle) \(id)")
                #expect(try await stage.status(id) == "created")
                try await stage.demand("delete", "--force", id)
            } else {
                let run = try await stage("run", "--bundle", stage.bundle, id)
                #expect(run.status.isSuccess, "\(run.errorText)")
            }
            let state = try JSONParser.parse(try Files.readText(said + "-state"))
            #expect(state["status"]?.string == "creating" && state["bundle"]?.string == stage.bundle, "\(state)")
            let refusals = try Files.readText(said + "-refusals")
            #expect(refusals.contains("cannot exec in a container in the creating state"), "\(refusals)")
            #expect(refusals.contains("cannot start a container in the creating state"), "\(refusals)")
            // pause and update
            let lines = refusals.split(separator: "\n").map(String.init)
            #expect(lines.filter { $0.contains("container not running: creating") }.count == 2, "\(refusals)")
        }
    }

    @Test(arguments: ["prestart", "createRuntime", "createContainer", "startContainer", "poststart"])
    func `a hook that fails ends the container, and its last hooks run`(_ name: String) async throws {
        let stage = try RuntimeStage()
        let log = stage.directory.path("hooks")
        let isStart = name == "startContainer" || name == "poststart"
        try stage.configure(["sleep", "1000"]) { config in
            // Resolved in the container where the stage is inside.
            config["hooks"] = [
                name: hook(.string(name), "echo no good >&2; exit 3"),
                "poststop": hook("poststop", "cat > \(log)"),
            ]
        }
        let id = stage.id()
        if isStart {
            try await stage.shellOutside("create --bundle \(stage.bundle) \(id)")
            let outcome = try await stage("start", id)
            #expect(
                outcome.status == .exited(1) && outcome.errorText.contains("\(name) hook #0")
                    && outcome.errorText.contains("no good"), "\(outcome.errorText)")
        } else {
            let error = await #expect(throws: StageFailure.self) {
                try await stage.shellOutside("create --bundle \(stage.bundle) \(id)")
            }
            #expect(
                error?.description.contains("\(name) hook #0") == true && error?.description.contains("no good") == true
            )
        }
        #expect(try await stage.demand("list", "--quiet") == "")
        let state = try JSONParser.parse(try Files.readText(log))
        #expect(state["status"]?.string == "stopped" && state["id"]?.string == id, "\(state)")
        // In one go as well.
        let run = try await stage("run", "--bundle", stage.bundle, id)
        #expect(run.status == .exited(1) && run.errorText.contains("\(name) hook #0"), "\(run.errorText)")
        #expect(try await stage.demand("list", "--quiet") == "")
    }

    @Test func `a poststop hook that fails is a warning`() async throws {
        let stage = try RuntimeStage()
        try stage.configure(["true"]) { $0["hooks"] = ["poststop": hook("poststop", "exit 3")] }
        let outcome = try await stage("run", "--bundle", stage.bundle, stage.id())
        #expect(outcome.status.isSuccess, "\(outcome.errorText)")
        let log = try Files.readText(stage.directory.path("log"))
        #expect(log.contains("poststop hook #0") && log.contains("warning"), "\(log)")
    }

    @Test func `hooks that hang in a start are killed after their time-out`() async throws {
        let stage = try RuntimeStage()
        for name in ["startContainer", "poststart"] {
            try stage.configure(["sleep", "1000"]) {
                $0["hooks"] = [name: hook(.string(name), "sleep 1000", timeout: 1)]
            }
            let id = stage.id(name)
            try await stage.shellOutside("create --bundle \(stage.bundle) \(id)")
            let outcome = try await stage("start", id)
            #expect(
                outcome.status == .exited(1) && outcome.errorText.contains("time-out of 1 s"), "\(outcome.errorText)")
        }
        #expect(try await stage.demand("list", "--quiet") == "")
    }

    @Test func `what a hook has started goes with it when its time is over`() async throws {
        let stage = try RuntimeStage()
        let mark = stage.directory.path("mark")
        try stage.configure(["true"]) {
            let script = "sleep 1000 & echo $! > \(mark); wait"
            $0["hooks"] = ["createRuntime": hook("createRuntime", script, timeout: 5)]
        }
        let outcome = try await stage("run", "--bundle", stage.bundle, stage.id())
        #expect(outcome.status == .exited(1) && outcome.errorText.contains("time-out of 5 s"), "\(outcome.errorText)")
        let child = try Files.readText(mark)
        // Whoever inherits it may take his time to reap it.
        try await eventually("its child has ended") {
            (try? Files.readText("/proc/\(child)/stat")).map { $0.contains(") Z ") } ?? true
        }
    }

    @Test func `a hook may leave its input unread, and gets no descriptor but its streams`() async throws {
        let stage = try RuntimeStage()
        let log = stage.directory.path("fds")
        try stage.configure(["true"]) { config in
            // More than fits into a pipe.
            config["annotations"] = ["long": .string(String(repeating: "x", count: 100_000))]
            config["hooks"] = ["createRuntime": hook("createRuntime", "exec <&-; ls /proc/self/fd > \(log)")]
        }
        let outcome = try await CommandRunner.run([
            "sh", "-c", "exec 5</ 7</etc; exec \(stage.call) run --bundle \(stage.bundle) \(stage.id())",
        ])
        #expect(outcome.status.isSuccess, "\(outcome.errorText)")
        // 0 was closed and is the directory that is listed.
        #expect(try Files.readText(log) == "0\n1\n2")
    }

    @Test func `a program started by start or exec sees its streams alone, whoever calls with whatever open`()
        async throws
    {
        let stage = try RuntimeStage()
        let list = "ls /proc/self/fd > /tmp/fds"
        try stage.configure(["sh", "-c", "\(list); sleep 1000"])
        let id = stage.id()
        let outcome = try await CommandRunner.run([
            "sh", "-c",
            """
            exec 5</ 7</etc 9>/dev/null
            \(stage.call) create --bundle \(stage.bundle) \(id) </dev/null >/dev/null 2>&1 && \(stage.call) start \(id) && \
            \(stage.call) exec \(id) ls /proc/self/fd
            """,
        ])
        #expect(outcome.text.split(separator: "\n") == ["0", "1", "2", "3"], "\(outcome.text)\(outcome.errorText)")
        // The file is the program's own to make.
        try await eventually {
            (try? Files.readText(stage.rootfs + "/tmp/fds"))?.split(separator: "\n").count == 4
        }
        #expect(try Files.readText(stage.rootfs + "/tmp/fds").split(separator: "\n") == ["0", "1", "2", "3"])
        try await stage.demand("delete", "--force", id)
    }

    @Test func `ids that could lead elsewhere are refused by every verb, and nothing is made`() async throws {
        let stage = try RuntimeStage()
        try stage.configure(["true"])
        let ids = ["../escaped", "a/b", "/abs", ".", "..", "", String(repeating: "a", count: 4000), "a\nb", "a b"]
        for id in ids {
            for words in [
                ["create", "--bundle", stage.bundle], ["run", "--bundle", stage.bundle], ["start"], ["state"], ["kill"],
                ["delete", "--force"], ["pause"], ["ps"], ["update", "--pids-limit", "5"],
            ] {
                let outcome = try await CommandRunner.run([stage.executable, "--root", stage.state] + words + [id])
                #expect(
                    outcome.status == .exited(1) && outcome.errorText.contains("container ID"),
                    "\(words) \(id.prefix(20)): \(outcome.errorText)")
            }
        }
        #expect(!Files.exists(stage.directory.path("escaped")) && ((try? Files.list(stage.state)) ?? []).isEmpty)
    }

    @Test func `of many creates of one id one succeeds, and the others leave it alone`() async throws {
        let stage = try RuntimeStage()
        let id = stage.id()
        try stage.configure(["sleep", "1000"])
        let outcome = try await CommandRunner.run([
            "sh", "-c",
            """
            for i in 1 2 3 4 5 6; do (\(stage.call) create --bundle \(stage.bundle) \(id) </dev/null >/dev/null 2>&1 && echo made) & done; wait
            """,
        ])
        #expect(outcome.text == "made\n")
        try await stage.demand("start", id)
        #expect(try await stage.status(id) == "running")
        // What one of them had undone would show here.
        #expect(try await stage.demand("exec", id, "cat", "/proc/self/cgroup").contains(":/"))
    }
}
