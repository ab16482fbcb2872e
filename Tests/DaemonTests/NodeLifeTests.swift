import Daemon
import Engine
import Keeper
import Linux
import OCI
import Synchronization
import TestKit
import Testing

/// The life of containers through a real node and a real keeper: restarts, pauses, health, names, limits.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct NodeLifeTests {
    private func spec(_ script: String, _ name: String) -> ContainerSpec {
        var spec = ContainerSpec(program: "sh", arguments: ["-c", script])
        spec.name = name
        return spec
    }

    private func start(_ spec: ContainerSpec, _ client: NodeClient) async throws {
        _ = try await client.call(RunContainer(spec, attachment: .detached, waits: false))
    }

    private func details(_ name: String, _ client: NodeClient) async throws -> ContainerDetails {
        try await client.call(InspectContainer(container: name))
    }

    private func phase(_ name: String, _ client: NodeClient) async throws -> ContainerPhase {
        try await details(name, client).summary.phase
    }

    /// What happened to containers, without what they were.
    private func events(_ client: NodeClient, _ filters: String...) async throws -> [String] {
        let found = Mutex<[String]>([])
        let request = ReadEvents(since: Timestamp(nanoseconds: 0), until: Clock.now(), filters: filters)
        _ = try await client.stream(request) { event, _ in found.withLock { $0.append(event.action) } }
        return found.withLock { $0 }
    }

    // Restarts.

    @Test func `a program that fails is started again, as often as its policy says`() async throws {
        try await TestNode.with { test, client in
            var spec = spec("echo attempt; exit 3", "flaky")
            spec.restart = .onFailure(retries: 2)
            try await start(spec, client)
            try await eventually("it was given up") {
                let details = try await details("flaky", client)
                return details.restarts == 2 && details.summary.phase == .exited
            }
            #expect(try await details("flaky", client).starts == 3)
            #expect(try await events(client, "event=die").count == 3)
            _ = try await client.call(RemoveContainer(container: "flaky"))
        }
    }

    @Test func `a stop in the pause between two attempts ends them`() async throws {
        try await TestNode.with { test, client in
            var spec = spec("exit 1", "looping")
            spec.restart = .always
            try await start(spec, client)
            // The pauses double: sooner or later one is seen.
            try await eventually("it waits for its next attempt") { try await phase("looping", client) == .restarting }
            let refused = await #expect(throws: NodeFailure.self) {
                try await client.call(RemoveContainer(container: "looping"))
            }
            #expect(refused?.kind == .conflict)
            _ = try await client.call(StopContainer(container: "looping"))
            #expect([.exited, .created].contains(try await phase("looping", client)))
            let starts = try await details("looping", client).starts
            try await Task.sleep(for: .milliseconds(300))
            #expect(try await details("looping", client).starts == starts)
            _ = try await client.call(RemoveContainer(container: "looping"))
        }
    }

    @Test func `after a reboot a new node starts what is to run always, and not what was stopped`() async throws {
        let test = try TestNode()
        let first = try await test.start()
        let client = try await test.connect()
        for (name, policy) in [("always", RestartPolicy.always), ("unless", .unlessStopped), ("no", .no), ("down", .unlessStopped)] {
            var spec = spec("sleep 1000", name)
            spec.restart = policy
            try await start(spec, client)
        }
        _ = try await client.call(StopContainer(container: "down", timeoutSeconds: 0))
        await first.stop()
        // What a reboot does: no node, no keeper, no program; the state is still on disk.
        try await test.endKeeper()
        let second = try await test.start()
        let again = try await test.connect()
        do {
            try await eventually("both run again") {
                let running = try await again.call(ListContainers()).containers.filter { $0.phase == .running }
                return Set(running.map(\.name)) == ["always", "unless"]
            }
            try await eventually("it is known that the third does not run") { try await phase("no", again) == .lost }
            #expect(try await phase("down", again) == .exited)
        } catch {
            await second.stop()
            try await test.endKeeper()
            throw error
        }
        await second.stop()
        try await test.endKeeper()
    }

    @Test func `a container whose restart policy is always outlives its keeper`() async throws {
        try await TestNode.with { test, client in
            var spec = spec("sleep 1000", "steady")
            spec.restart = .always
            try await start(spec, client)
            #expect(try await test.shutDownKeeper())
            try await eventually("it runs again") {
                let details = try await details("steady", client)
                return details.summary.phase == .running && details.starts == 2
            }
        }
    }

    @Test func `--rm and --restart contradict each other`() async throws {
        try await TestNode.with { test, client in
            var spec = spec("true", "both")
            spec.restart = .always
            spec.removesOnExit = true
            let failure = await #expect(throws: NodeFailure.self) { try await start(spec, client) }
            #expect(failure?.kind == .badRequest)
            #expect(failure?.message.contains("cannot specify both --restart and --rm") == true)
        }
    }

    // Pausing.

    @Test func `a paused container does nothing until it is resumed, also by the next node`() async throws {
        let test = try TestNode()
        let first = try await test.start()
        var client = try await test.connect()
        try await start(spec("while :; do :; done", "ticking"), client)
        _ = try await client.call(PauseContainer(container: "ticking"))
        #expect(try await phase("ticking", client) == .paused)
        await first.stop()
        let second = try await test.start()
        client = try await test.connect()
        do {
            try await eventually("the next node knows") { try await phase("ticking", client) == .paused }
            let pid = try #require(try await details("ticking", client).summary.pid)
            // It never waits for anything, so it uses its processor whenever it can.
            let before = try cpuTicks(of: pid)
            try await Task.sleep(for: .milliseconds(200))
            #expect(try cpuTicks(of: pid) == before)
            _ = try await client.call(ResumeContainer(container: "ticking"))
            try await eventually("it goes on") { try cpuTicks(of: pid) > before }
            _ = try await client.call(PauseContainer(container: "ticking"))
            _ = try await client.call(StopContainer(container: "ticking", timeoutSeconds: 0))
            #expect(try await phase("ticking", client) == .exited)
            #expect(try await events(client, "event=pause", "event=unpause").contains("unpause"))
        } catch {
            await second.stop()
            try await test.endKeeper()
            throw error
        }
        await second.stop()
        try await test.endKeeper()
    }

    /// utime and stime, proc_pid_stat(5).
    private func cpuTicks(of pid: Int32) throws -> Int {
        let text = try Files.readText("/proc/\(pid)/stat")
        let fields = text[text.index(after: text.lastIndex(of: ")")!)...].split(separator: " ")
        return Int(fields[11])! + Int(fields[12])!
    }

    // Health.

    @Test func `a container is healthy or not by what its check says`() async throws {
        try await TestNode.with { test, client in
            let directory = try TemporaryDirectory("health")
            try Files.replace(directory.path("state"), with: Array("0".utf8), mode: 0o644)
            var spec = spec("sleep 1000", "checked")
            spec.mounts = [.bind(source: directory.path, target: "/run/health", isReadOnly: true)]
            spec.healthcheck = Healthcheck(
                test: .shell("echo asked; exit $(cat /run/health/state)"), interval: 20_000_000, retries: 2)
            try await start(spec, client)
            try await eventually("healthy") { try await details("checked", client).health?.status == .healthy }
            try Files.replace(directory.path("state"), with: Array("1".utf8), mode: 0o644)
            try await eventually("unhealthy") { try await details("checked", client).health?.status == .unhealthy }
            let health = try #require(try await details("checked", client).health)
            #expect(health.failingStreak >= 2)
            #expect(health.log.count <= HealthReport.logLimit)
            #expect(health.log.last?.exitStatus == 1)
            #expect(health.log.last?.output == "asked\n")
            let seen = try await events(client, "event=health_status")
            #expect(seen == ["health_status: healthy", "health_status: unhealthy"])
            #expect(try await client.call(ListContainers(all: true)).containers.first?.health == .unhealthy)
        }
    }

    @Test func `a check that takes too long is killed and has failed`() async throws {
        try await TestNode.with { test, client in
            var spec = spec("sleep 1000", "slow")
            spec.healthcheck = Healthcheck(
                test: .command(["sleep", "4321"]), interval: 20_000_000, timeout: 50_000_000, retries: 1)
            try await start(spec, client)
            try await eventually("unhealthy") { try await details("slow", client).health?.status == .unhealthy }
            let probe = try #require(try await details("slow", client).health?.log.first)
            #expect(probe.exitStatus == nil)
            #expect(probe.output.hasPrefix("Health check exceeded timeout (50ms)"))
            _ = try await client.call(RemoveContainer(container: "slow", force: true))
        }
    }

    // Attaching.

    @Test func `who attaches to a container that keeps its input open talks to it, and leaves it running`() async throws {
        try await TestNode.with { test, client in
            var spec = spec("while read line; do echo got $line; done", "talking")
            spec.isInteractive = true
            try await start(spec, client)
            for word in ["one", "two"] {
                let answer = Mutex("")
                let attaching = Task {
                    try await client.stream(AttachContainer(container: "talking")) { started, descriptors in
                        #expect(started.hasInput && !started.hasTerminal && descriptors.count == 3)
                        try Files.writeAll(Array("\(word)\n".utf8), to: descriptors[2].raw)
                        let bytes = try await BlockingPool.shared.run { () throws(SystemError) in
                            try Files.readSome(descriptors[0].raw, count: 100)
                        }
                        answer.withLock { $0 = String(decoding: bytes, as: UTF8.self) }
                    }
                }
                try await eventually("it answered") { answer.withLock { $0 } == "got \(word)\n" }
                attaching.cancel()
                _ = try? await attaching.value
                #expect(try await phase("talking", client) == .running)
            }
        }
    }

    @Test func `a container whose streams are its starter's own cannot be attached to`() async throws {
        try await TestNode.with { test, client in
            let streams = try TestStreams()
            let request = RunContainer(spec("sleep 1000", "own"), attachment: .passed, waits: false)
            _ = try await client.call(request, descriptors: streams.descriptors)
            let failure = await #expect(throws: NodeFailure.self) {
                try await client.call(AttachContainer(container: "own"))
            }
            #expect(failure?.kind == .unsupported)
        }
    }

    @Test func `2025-64329: attaching again and again costs the node and the keeper nothing that stays`() async throws {
        try await TestNode.with { test, client in
            var spec = spec("sleep 1000", "attached")
            spec.isInteractive = true
            try await start(spec, client)
            func attach() async throws {
                let isAttached = Published(false)
                let attaching = Task {
                    try await client.stream(AttachContainer(container: "attached")) { _, _ in isAttached.set(true) }
                }
                _ = await isAttached.wait { $0 }
                attaching.cancel()
                _ = try? await attaching.value
            }
            for _ in 0..<20 { try await attach() }
            let before = try #require(try await client.call(GetStatus()).keeper).openDescriptors
            for _ in 0..<200 { try await attach() }
            try await eventually("no descriptor has stayed") {
                try await client.call(GetStatus()).keeper?.openDescriptors ?? .max <= before
            }
        }
    }

    @Test func `a program executed in the background, also on a terminal, runs to its end`() async throws {
        try await TestNode.with { test, client in
            let directory = try TemporaryDirectory("exec")
            var spec = spec("sleep 1000", "host")
            spec.mounts = [.bind(source: directory.path, target: "/out", isReadOnly: false)]
            try await start(spec, client)
            for size in [nil, Terminal.Size(rows: 24, columns: 80)] {
                let name = size == nil ? "plain" : "terminal"
                // More than a terminal or a pipe holds: unread, it would wait for ever.
                var request = ExecuteInContainer(
                    container: "host", program: "sh",
                    arguments: ["-c", "head -c 1000000 /dev/zero | tr '\\0' x; echo done > /out/\(name)"])
                request.terminalSize = size
                let started = try await client.call(ExecuteDetached(request))
                #expect(started.pid > 0)
                try await eventually("\(name) has ended") { Files.exists(directory.path(name)) }
            }
            #expect(try await events(client, "event=exec_start").count == 2)
        }
    }

    // Listing.

    @Test func `filters choose what is listed`() async throws {
        try await TestNode.with { test, client in
            for (name, script) in [("one", "exit 0"), ("two", "exit 5"), ("three", "sleep 1000"), ("four", "sleep 1000")] {
                var spec = spec(script, name)
                spec.labels = ["number": name]
                _ = try await client.call(RunContainer(spec, attachment: .detached, waits: script.hasPrefix("exit")))
            }
            func names(_ filters: String..., limit: Int? = nil) async throws -> [String] {
                try await client.call(ListContainers(filters: filters, limit: limit)).containers.map(\.name)
            }
            #expect(try await names() == ["four", "three"])
            #expect(try await names("status=exited") == ["two", "one"])
            #expect(try await names("exited=5") == ["two"])
            #expect(try await names("status=exited", "status=running").count == 4)
            #expect(try await names("label=number=three") == ["three"])
            #expect(try await names("name=o", "status=exited") == ["two", "one"])
            #expect(try await names(limit: 3) == ["four", "three", "two"])
            #expect(try await names("before=three", limit: 10) == ["two", "one"])
            #expect(try await names("since=two") == ["four", "three"])
            #expect(try await names("network=none", "health=none") == ["four", "three"])
            #expect(try await names("ancestor=nothing") == [])
            for wrong in ["colour=red", "status=asleep", "exited=x", "health=fine", "name"] {
                let failure = await #expect(throws: NodeFailure.self) { _ = try await names(wrong) }
                #expect(failure?.kind == .badRequest, "\(wrong)")
            }
        }
    }

    // Names, limits, processes.

    @Test func `a container is renamed while it runs, and its old name is free`() async throws {
        try await TestNode.with { test, client in
            try await start(spec("sleep 1000", "old"), client)
            try await start(spec("sleep 1000", "other"), client)
            _ = try await client.call(RenameContainer(container: "old", name: "new"))
            #expect(try await details("new", client).summary.name == "new")
            for (from, to, kind) in [
                ("new", "other", NodeFailure.Kind.conflict), ("new", "-x", .badRequest), ("new", "new", .badRequest),
                ("old", "x", .notFound),
            ] {
                let failure = await #expect(throws: NodeFailure.self) {
                    try await client.call(RenameContainer(container: from, name: to))
                }
                #expect(failure?.kind == kind)
            }
            try await start(spec("sleep 1000", "old"), client)
        }
    }

    @Test func `limits change while a container runs, and hold at its next start`() async throws {
        try await TestNode.with { test, client in
            var spec = spec("sleep 1000", "limited")
            spec.memoryBytes = 64 << 20
            spec.pidsLimit = 50
            spec.milliCPUs = 500
            try await start(spec, client)
            var request = UpdateContainer(container: "limited")
            request.memoryBytes = 128 << 20
            request.pidsLimit = 77
            request.restart = "unless-stopped"
            _ = try await client.call(request)
            let pid = try #require(try await details("limited", client).summary.pid)
            #expect(try TestCgroup.value(of: pid, "memory", v1: "memory.limit_in_bytes", v2: "memory.max") == "\(128 << 20)")
            #expect(try TestCgroup.value(of: pid, "pids", v1: "pids.max", v2: "pids.max") == "77")
            let changed = try await details("limited", client).spec
            #expect(changed.memoryBytes == 128 << 20 && changed.pidsLimit == 77 && changed.milliCPUs == 500)
            #expect(changed.restart == .unlessStopped)
            request = UpdateContainer(container: "limited")
            request.memoryBytes = 1
            await #expect(throws: NodeFailure.self) { try await client.call(request) }
            #expect(try await details("limited", client).spec == changed)
        }
    }

    @Test func `CVE-2022-1227: top runs nothing in the container and shows what does`() async throws {
        try await TestNode.with { test, client in
            // A `ps` of the container's own that would tell.
            let directory = try TemporaryDirectory("bin")
            try Files.replace(directory.path("ps"), with: Array("#!/bin/sh\ntouch /evil/ran\n".utf8), mode: 0o755)
            let evil = try TemporaryDirectory("evil")
            var spec = spec("sleep 98765 & wait", "busy")
            spec.environment = ["PATH=/trojan:/usr/bin:/bin"]
            spec.mounts = [
                .bind(source: directory.path, target: "/trojan", isReadOnly: true),
                .bind(source: evil.path, target: "/evil", isReadOnly: false),
            ]
            try await start(spec, client)
            try await eventually("both processes are seen") {
                let commands = try await client.call(TopContainer(container: "busy")).processes.map(\.command)
                return commands.contains("sleep 98765") && commands.contains { $0.hasPrefix("sh -c") }
            }
            #expect(!Files.exists(evil.path("ran")))
            let processes = try await client.call(TopContainer(container: "busy")).processes
            let pid = try await details("busy", client).summary.pid
            #expect(processes.first?.pid == pid)
            #expect(processes.allSatisfy { $0.user == "root" && $0.terminal == nil })
        }
    }

    @Test func `pruning removes what does not run, and nothing else`() async throws {
        try await TestNode.with { test, client in
            try await start(spec("sleep 1000", "running"), client)
            for name in ["one", "two"] {
                var spec = spec("true", name)
                if name == "two" { spec.labels = ["keep": ""] }
                _ = try await client.call(RunContainer(spec, attachment: .detached, waits: true))
            }
            let first = try await client.call(PruneContainers(filters: ["label!=keep"]))
            #expect(first.ids.count == 1)
            #expect(first.reclaimedBytes > 0)
            #expect(try await client.call(PruneContainers()).ids.count == 1)
            #expect(try await client.call(ListContainers(all: true)).containers.map(\.name) == ["running"])
        }
    }
}

/// What the kernel says of a process' cgroup.
enum TestCgroup {
    /// The value of a file of the controller's cgroup, in whichever hierarchy it is.
    static func value(of pid: Int32, _ controller: String, v1: String, v2: String) throws -> String {
        var unified = ""
        for line in try Files.readText("/proc/\(pid)/cgroup").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            if parts[1].split(separator: ",").contains(Substring(controller)) {
                return try text("/sys/fs/cgroup/\(controller)\(parts[2])/\(v1)")
            }
            if parts[0] == "0" { unified = String(parts[2]) }
        }
        let base = Files.exists("/sys/fs/cgroup/unified") ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup"
        return try text("\(base)\(unified)/\(v2)")
    }

    private static func text(_ path: String) throws -> String {
        String(try Files.readText(path).split(separator: "\n").first ?? "")
    }
}

extension TestNode {
    /// Runs `body` with a node of its own; afterwards node, keeper and everything that ran are gone.
    static func with(_ body: (TestNode, NodeClient) async throws -> Void) async throws {
        let test = try TestNode()
        let node = try await test.start()
        do { try await body(test, try await test.connect()) } catch {
            await node.stop()
            try await test.endKeeper()
            throw error
        }
        await node.stop()
        try await test.endKeeper()
    }
}
