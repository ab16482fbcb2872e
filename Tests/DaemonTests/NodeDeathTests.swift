import Daemon
import Engine
import Images
import Linux
import Spawn
import TestKit
import Testing

/// A node in a process of its own, killed at any instant.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct NodeDeathTests {
    /// `forkless node`, as it was built with the tests.
    ///
    /// - Parameter holder: a process in whose network namespace it runs; nil: this one's.
    private func launch(_ test: TestNode, inNetworkOf holder: Int32? = nil) async throws -> RunningProgram {
        let executable = try TestNode.forkless()
        var options = Options()
        options.standardInput = .null
        options.standardOutput = .null
        options.standardError = .null
        options.group = .own
        let arguments = ["node", "--state", test.settings.state, "--run", test.settings.run]
        let template =
            if let holder {
                try Template(
                    .path("/usr/bin/nsenter"), arguments: ["--net=/proc/\(holder)/ns/net", executable] + arguments,
                    options: options)
            } else {
                try Template(.path(executable), arguments: arguments, options: options)
            }
        let program = try template.start()
        try await eventually(within: .seconds(60), "the node serves") {
            if let end = try program.exitIfEnded() { throw NodeFailure(.system, "the node \(end.status)") }
            return (try? await test.connect().call(GetVersion())) != nil
        }
        return program
    }

    private func kill(_ node: RunningProgram) async throws {
        try node.signal(Signal.kill)
        _ = try await node.wait()
    }

    @Test func `a killed node leaves its containers running, and the next one adopts them`() async throws {
        let test = try TestNode()
        let first = try await launch(test)
        let client = try await test.connect()
        func start(_ name: String, _ script: String) async throws {
            var spec = ContainerSpec(program: "sh", arguments: ["-c", script])
            spec.name = name
            _ = try await client.call(RunContainer(spec, attachment: .detached, waits: false))
        }
        try await start("runs", "echo before; sleep 0.3; echo after; sleep 600")
        try await start("ends", "sleep 0.2; echo late; exit 7")
        let pid = try #require(try await client.call(InspectContainer(container: "runs")).summary.pid)
        try await kill(first)
        #expect(Files.exists("/proc/\(pid)"))
        // What happens while no node is there is not lost.
        try await eventually("the log is written without a node") {
            try await logs(test, "runs") == ["before", "after"]
        }
        let second = try await launch(test)
        let next = try await test.connect()
        #expect(try await next.call(WaitForContainer(container: "ends")).exitStatus == 7)
        try await eventually("it is taken over") {
            try await next.call(InspectContainer(container: "runs")).summary.phase == .running
        }
        #expect(try await next.call(InspectContainer(container: "runs")).summary.pid == pid)
        #expect(try await logs(test, "ends") == ["late"])
        #expect(try await next.call(StopContainer(container: "runs", timeoutSeconds: 0)).signal == Signal.kill)
        try await kill(second)
        try await test.endKeeper()
    }

    @Test func `a container of an image keeps its room and its network when the node is killed`() async throws {
        let test = try TestNode()
        try TestImage.busybox(in: try ImageStore(directory: test.settings.state + "/images"), as: "app")
        // One namespace for both nodes: the second finds what the first has made.
        let holder = try Template(
            .path("/usr/bin/unshare"), arguments: ["-n", "sh", "-c", "ip link set lo up; exec sleep 1000"]
        ).start()
        let name = "/proc/\(holder.pid)/comm"
        // Before that a node would join ours, and leave a bridge in it, or one that has no loopback yet.
        try await eventually("the namespace is made") { try Files.readText(name) == "sleep" }
        let first = try await launch(test, inNetworkOf: holder.pid)
        let client = try await test.connect()
        var spec = ContainerSpec(
            program: "sh", arguments: ["-c", "[ -e /note ] || echo wrote > /note; ip -4 -o addr show eth0 > /address; exec sleep 1000"])
        spec.image = ContainerImage("app")
        spec.name = "keeps"
        _ = try await client.call(RunContainer(spec, attachment: .detached, waits: false))
        let rooms = test.settings.state + "/rooms"
        func written(_ name: String) throws -> String {
            for room in try Files.list(rooms) where Files.exists("\(rooms)/\(room)/upper/\(name)") {
                return try Files.readText("\(rooms)/\(room)/upper/\(name)")
            }
            return ""
        }
        try await eventually("the container has its address") { try written("address").contains("inet ") }
        try await kill(first)
        let second = try await launch(test, inNetworkOf: holder.pid)
        let next = try await test.connect()
        try await eventually("it is taken over") {
            try await next.call(InspectContainer(container: "keeps")).summary.phase == .running
        }
        #expect(try written("note") == "wrote")
        // A neighbour reaches it: its link is still on the bridge, and the names are known.
        var neighbour = ContainerSpec(program: "ping", arguments: ["-c", "1", "-w", "10", "keeps"])
        neighbour.image = ContainerImage("app")
        neighbour.removesOnExit = true
        // The node takes containers over while it serves already.
        let request = RunContainer(neighbour, attachment: .detached, waits: true)
        try await eventually(within: .seconds(60), "the neighbour reaches it by its name") {
            try await next.call(request).end?.exitStatus == 0
        }
        let stopped = try await next.call(StopContainer(container: "keeps", timeoutSeconds: 0))
        #expect(stopped.signal == Signal.kill)
        _ = try await next.call(StartContainer(container: "keeps"))
        #expect(try written("note") == "wrote")
        _ = try await next.call(RemoveContainer(container: "keeps", force: true))
        #expect(try written("note").isEmpty)
        try await kill(second)
        try await test.endKeeper()
        try holder.signal(Signal.kill)
        _ = try await holder.wait()
    }

    @Test func `a node killed in the middle of starts loses none of them`() async throws {
        let test = try TestNode()
        var node = try await launch(test)
        for round in 0..<5 {
            let client = try await test.connect()
            let starting = Task {
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<10 {
                        group.addTask {
                            var spec = ContainerSpec(program: "sleep", arguments: ["600"])
                            spec.name = "r\(round)-\(number)"
                            _ = try? await client.call(RunContainer(spec, attachment: .detached, waits: false))
                        }
                    }
                }
            }
            // At whatever point the starts are then.
            try await Task.sleep(for: .milliseconds(3 * round))
            try await kill(node)
            await starting.value
            node = try await launch(test)
        }
        try await agree(test)
        let client = try await test.connect()
        for container in try await client.call(ListContainers(all: true)).containers {
            _ = try await client.call(RemoveContainer(container: container.id, force: true))
        }
        #expect(try Files.list(test.settings.state + "/containers") == [])
        try await kill(node)
        try await test.endKeeper()
    }

    /// What the node says that runs is exactly what the keeper runs.
    private func agree(_ test: TestNode) async throws {
        try await eventually(within: .seconds(60), "node and keeper agree") {
            let client = try await test.connect()
            let containers = try await client.call(ListContainers(all: true)).containers
            let running = containers.count { $0.phase == .running }
            let others = containers.count { ![.running, .created, .lost].contains($0.phase) }
            let status = try await client.call(GetStatus())
            return others == 0 && status.keeper?.running == running && status.remarks.isEmpty
        }
    }

    private func logs(_ test: TestNode, _ name: String) async throws -> [String] {
        let directory = ContainerDirectory(state: test.settings.state)
        let record = try #require(try directory.load().records.first { $0.name == name })
        let lines = Published<[String]>([])
        try await LogReader(directory: directory.logDirectory(of: record.id)).read { new in
            lines.set(lines.value + new.map { String(decoding: $0.content, as: UTF8.self) })
        }
        return lines.value
    }
}
