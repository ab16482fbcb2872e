import Daemon
import Engine
import Linux
import Synchronization
import TestKit
import Testing

/// Programs run through a real node and a real keeper.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct NodeRunTests {
    /// Runs `body` with a node of its own and looks afterwards at what was left.
    private func withNode(_ body: (TestNode, NodeClient) async throws -> Void) async throws {
        let test = try TestNode()
        let node = try await test.start()
        do {
            try await body(test, try await test.connect())
        } catch {
            await node.stop()
            try await test.endKeeper()
            throw error
        }
        await node.stop()
        try await test.endKeeper()
    }

    private func shell(_ script: String, _ name: String) -> ContainerSpec {
        var spec = ContainerSpec(program: "sh", arguments: ["-c", script])
        spec.name = name
        return spec
    }

    private func log(_ client: NodeClient, _ request: ReadLogs) async throws -> [String] {
        let lines = Mutex<[String]>([])
        _ = try await client.stream(request) { item, _ in
            lines.withLock {
                $0 += item.lines.map { "\($0.stream) \(String(decoding: $0.content, as: UTF8.self))" }
            }
        }
        return lines.withLock { $0 }
    }

    @Test func `a program runs, its output is logged, and its status is the answer's`() async throws {
        try await withNode { _, client in
            let spec = shell("echo out; echo err >&2; exit 7", "first")
            let started = Mutex(0)
            let answer = try await client.stream(RunContainer(spec, attachment: .detached, waits: true)) { item, _ in
                #expect(item.name == "first")
                started.withLock { $0 = Int(item.pid) }
            }
            #expect(answer.end?.exitStatus == 7)
            #expect(started.withLock { $0 } > 0)
            #expect(try await log(client, ReadLogs(container: "first")).sorted() == ["stderr err", "stdout out"])
            let list = try await client.call(ListContainers(all: true)).containers
            #expect(list.map(\.name) == ["first"])
            #expect(list.first?.phase == .exited)
            #expect(try await client.call(ListContainers()).containers.isEmpty)
            _ = try await client.call(RemoveContainer(container: "first"))
            #expect(try await client.call(ListContainers(all: true)).containers.isEmpty)
        }
    }

    @Test func `passed streams are the program's own`() async throws {
        try await withNode { _, client in
            let streams = try TestStreams()
            var spec = shell("read line; echo \"got $line\"; echo bad >&2; cat", "passed")
            spec.removesOnExit = true
            async let answer = client.stream(
                RunContainer(spec, attachment: .passed, waits: true), descriptors: streams.descriptors
            ) { _, _ in streams.handedOver() }
            try streams.write("one\ntwo\n")
            streams.endInput()
            #expect(try await answer.end?.exitStatus == 0)
            #expect(try await streams.allOutput() == "got one\ntwo\n")
            #expect(try await streams.allErrors() == "bad\n")
            // --rm: it is gone when its end is told.
            #expect(try await client.call(ListContainers(all: true)).containers.isEmpty)
        }
    }

    @Test func `a log is followed while the program writes, to its end`() async throws {
        try await withNode { _, client in
            let spec = shell("for i in 1 2 3 4 5; do echo line $i; sleep 0.02; done", "chatty")
            _ = try await client.call(RunContainer(spec, attachment: .detached, waits: false))
            let lines = try await log(client, ReadLogs(container: "chatty", follow: true))
            #expect(lines == (1...5).map { "stdout line \($0)" })
            #expect(try await log(client, ReadLogs(container: "chatty", tail: 2)) == ["stdout line 4", "stdout line 5"])
        }
    }

    @Test func `what was not logged has no log, and says so`() async throws {
        try await withNode { _, client in
            let streams = try TestStreams()
            _ = try await client.stream(
                RunContainer(shell("true", "quiet"), attachment: .passed, waits: true), descriptors: streams.descriptors
            ) { _, _ in }
            let failure = await #expect(throws: NodeFailure.self) { try await log(client, ReadLogs(container: "quiet")) }
            #expect(failure?.kind == .unsupported)
        }
    }

    @Test func `a program that ignores SIGTERM is killed after its grace, one that obeys is not`() async throws {
        try await withNode { _, client in
            // As pid 1 of its namespace a shell has no default action: only the trap makes it end.
            _ = try await client.call(
                RunContainer(shell("trap 'exit 4' TERM; echo set; while :; do sleep 0.01; done", "good"), attachment: .detached, waits: false))
            _ = try await client.call(
                RunContainer(shell("trap '' TERM; echo set; while :; do sleep 1; done", "stubborn"), attachment: .detached, waits: false))
            for name in ["good", "stubborn"] {
                try await eventually("the trap is set") {
                    try await log(client, ReadLogs(container: name)) == ["stdout set"]
                }
            }
            let good = try await client.call(StopContainer(container: "good", timeoutSeconds: 60))
            #expect(good.exitStatus == 4 || good.signal == 15)
            let stubborn = try await client.call(StopContainer(container: "stubborn", timeoutSeconds: 1))
            #expect(stubborn.signal == Signal.kill)
            // Stopping what has ended is no error.
            #expect(try await client.call(StopContainer(container: "stubborn")).signal == Signal.kill)
        }
    }

    @Test func `another program is executed inside`() async throws {
        try await withNode { _, client in
            var spec = shell("sleep 600", "host")
            spec.environment = ["A=1", "B=1"]
            _ = try await client.call(RunContainer(spec, attachment: .detached, waits: false))
            let streams = try TestStreams()
            let request = ExecuteInContainer(
                container: "host", program: "sh", arguments: ["-c", "echo $A$B; hostname; ps | grep -c '[s]leep'; exit 9"],
                environment: ["B=2"])
            let answer = try await client.stream(request, descriptors: streams.descriptors) { _, _ in streams.handedOver() }
            #expect(answer.end.exitStatus == 9)
            let output = try await streams.allOutput().split(separator: "\n")
            #expect(output.prefix(2) == ["12", "forkless"])
            let missing = ExecuteInContainer(container: "host", program: "no-such-program")
            let unused = try TestStreams()
            let failure = await #expect(throws: NodeFailure.self) {
                try await client.call(missing, descriptors: unused.descriptors)
            }
            #expect(failure?.kind == .notFound)
            _ = try await client.call(RemoveContainer(container: "host", force: true))
            await #expect(throws: NodeFailure.self) { try await client.call(InspectContainer(container: "host")) }
        }
    }

    @Test func `a terminal is attached from the first byte and its size can be set`() async throws {
        try await withNode { _, client in
            var spec = shell("stty size; read line; stty size; echo done $line", "terminal")
            spec.hasTerminal = true
            let output = Published<[UInt8]>([])
            let reading = Published<Task<Void, Never>?>(nil)
            let answer = try await client.stream(
                RunContainer(
                    spec, attachment: .terminal, terminalSize: Terminal.Size(rows: 11, columns: 22), waits: true)
            ) { started, descriptors in
                try #require(descriptors.count == 2)
                let screen = descriptors[0]
                let task = Task {
                    let bytes = try? await BlockingPool.shared.run { () throws(SystemError) in
                        try Files.readAll(screen.raw)
                    }
                    output.set(bytes ?? [])
                }
                reading.set(task)
                let keys = descriptors[1]
                Task {
                    _ = try await client.call(
                        ResizeContainer(container: "terminal", size: Terminal.Size(rows: 33, columns: 44)))
                    try Files.writeAll(Array("key\n".utf8), to: keys.raw)
                }
            }
            #expect(answer.end?.exitStatus == 0)
            await reading.value?.value
            let text = String(decoding: output.value, as: UTF8.self)
            #expect(text.contains("11 22") || text.contains("33 44"))
            #expect(text.contains("33 44"))
            #expect(text.contains("done key"))
            #expect(try await log(client, ReadLogs(container: "terminal")).contains { $0.contains("done key") })
        }
    }

    @Test func `figures of what runs are read`() async throws {
        try await withNode { _, client in
            var spec = shell("while :; do :; done", "busy")
            spec.memoryBytes = 64 << 20
            _ = try await client.call(RunContainer(spec, attachment: .detached, waits: false))
            let rounds = Mutex<[StatisticsRound]>([])
            // Of a machine that stood still for seconds it has had little.
            let busy = try await eventuallySome("it is seen to work") { () async throws -> ContainerStatistics? in
                rounds.withLock { $0 = [] }
                _ = try await client.stream(ReadStatistics(containers: ["busy"])) { round, _ in
                    rounds.withLock { $0.append(round) }
                }
                let found = rounds.withLock { $0 }.first?.containers.first
                return (found?.cpus ?? 0) > 0.05 ? found : nil
            }
            #expect(busy.name == "busy")
            #expect((busy.memoryBytes ?? 0) > 0)
            #expect((busy.pids ?? 0) >= 1)
            let status = try await client.call(GetStatus())
            #expect(status.running == 1)
            #expect(status.keeper?.running == 1)
            _ = try await client.call(KillContainer(container: "busy", signal: Signal.kill))
            #expect(try await client.call(WaitForContainer(container: "busy")).signal == Signal.kill)
        }
    }

    @Test func `an error names what is wrong and leaves nothing`() async throws {
        try await withNode { test, client in
            func failure(_ change: (inout ContainerSpec) -> Void) async -> NodeFailure? {
                var spec = ContainerSpec(program: "true")
                change(&spec)
                let request = RunContainer(spec, attachment: .detached, waits: true)
                return await #expect(throws: NodeFailure.self) { try await client.call(request) }
            }
            #expect(await failure { $0.program = "no-such-program" }?.kind == .notFound)
            #expect(await failure { $0.program = "/etc/passwd" }?.kind == .notExecutable)
            #expect(await failure { $0.user = "nobody-knows" }?.message.contains("-u") == true)
            #expect(await failure { $0.memoryBytes = 1 << 50 }?.message.contains("--memory") == true)
            #expect(await failure { $0.directory = "/no/such/place" }?.message.contains("/no/such/place") == true)
            #expect(await failure { $0.limits = [ContainerLimit(name: "nofile", soft: 1 << 30, hard: 1 << 30)] } != nil)
            let listed = try await client.call(ListContainers(all: true)).containers
            #expect(listed.isEmpty)
            let files = try Files.list(test.settings.state + "/containers")
            #expect(files == [])
        }
    }

    @Test func `a hundred thousand arguments arrive`() async throws {
        try await withNode { _, client in
            let streams = try TestStreams()
            var spec = ContainerSpec(program: "sh", arguments: ["-c", "echo $#", "sh"])
            spec.arguments += (0..<100_000).map(String.init)
            let answer = try await client.stream(
                RunContainer(spec, attachment: .passed, waits: true), descriptors: streams.descriptors
            ) { _, _ in streams.handedOver() }
            #expect(answer.end?.exitStatus == 0)
            #expect(try await streams.allOutput() == "100000\n")
        }
    }

    @Test func `more environment than the kernel takes is an error that says so`() async throws {
        try await withNode { _, client in
            var spec = ContainerSpec(program: "true")
            // Two megabytes and more: a quarter of the usual stack limit is what execve(2) takes.
            spec.environment = (0..<24).map { "V\($0)=" + String(repeating: "x", count: 100_000) }
            let request = RunContainer(spec, attachment: .detached, waits: true)
            let failure = await #expect(throws: NodeFailure.self) { try await client.call(request) }
            #expect(failure?.message.contains("E2BIG") == true)
            let listed = try await client.call(ListContainers(all: true)).containers
            #expect(listed.isEmpty)
        }
    }

    @Test func `a second node in the same directories is refused`() async throws {
        try await withNode { test, _ in
            let failure = await #expect(throws: NodeFailure.self) { try await Node.start(test.settings, note: { _ in }) }
            #expect(failure?.kind == .conflict)
            #expect(failure?.message.contains("--state") == true)
        }
    }

    @Test func `a node that ends in order leaves its containers running, and the next one adopts them`() async throws {
        let test = try TestNode()
        let first = try await test.start()
        let client = try await test.connect()
        _ = try await client.call(
            RunContainer(shell("echo hello; sleep 600", "stays"), attachment: .detached, waits: false))
        _ = try await client.call(RunContainer(shell("sleep 0.2; exit 6", "ends"), attachment: .detached, waits: false))
        let pid = try await client.call(InspectContainer(container: "stays")).summary.pid
        await first.stop()
        #expect(pid.map { Files.exists("/proc/\($0)") } == true)
        let second = try await test.start()
        let again = try await test.connect()
        // The node takes containers over while it serves already.
        try await eventually("it is taken over") {
            try await again.call(InspectContainer(container: "stays")).summary.phase == .running
        }
        #expect(try await again.call(InspectContainer(container: "stays")).summary.pid == pid)
        #expect(try await again.call(WaitForContainer(container: "ends")).exitStatus == 6)
        try await eventually("the log is there") {
            try await log(again, ReadLogs(container: "stays")) == ["stdout hello"]
        }
        _ = try await again.call(RemoveContainer(container: "stays", force: true))
        await second.stop()
        try await test.endKeeper()
    }

    @Test func `with a killed keeper its containers are lost, and a new keeper takes new ones`() async throws {
        try await withNode { _, client in
            _ = try await client.call(RunContainer(shell("sleep 600", "lost"), attachment: .detached, waits: false))
            let keeper = try #require(try await client.call(GetStatus()).keeper)
            try ProcessFD(pid: keeper.pid).signal(Signal.kill)
            let end = try await client.call(WaitForContainer(container: "lost"))
            #expect(end.keeperLost)
            #expect(end.exitStatus == nil)
            #expect(try await client.call(InspectContainer(container: "lost")).summary.phase == .lost)
            let next = try await client.call(RunContainer(shell("exit 2", "next"), attachment: .detached, waits: true))
            #expect(next.end?.exitStatus == 2)
            #expect(try await client.call(GetStatus()).keeper?.pid != keeper.pid)
        }
    }
}
