import Engine
import Keeper
import Linux
import Sandbox
import Synchronization
import TestKit
import Testing

/// The engine with a scripted keeper: what it records, adopts and answers.
@Suite struct ContainerEngineTests {
    /// A node's inside over one state directory; several in a row are one node after the other.
    struct Inside: Sendable {
        let engine: ContainerEngine
        let link: KeeperLink
        let remarks: [String]

        init(_ files: TemporaryDirectory, _ keeper: FakeKeeper) async throws {
            link = KeeperLink(keeper, nodeName: "test")
            let machine = MachineFacts(
                capacity: MachineCapacity(
                    cpus: IndexList("0")!, memoryNodes: IndexList("0")!, memoryBytes: 1 << 30, processes: 32_768),
                capabilities: [], uid: 0, gid: 0, controllers: [])
            engine = ContainerEngine(
                directory: ContainerDirectory(state: files.path), link: link, planner: LaunchPlanner(machine: machine),
                note: { _ in })
            remarks = try await engine.open()
            let link = link
            Task { await link.run() }
        }

        func phase(_ name: String) -> ContainerPhase? { try? engine.inspect(name).summary.phase }
        func sandbox(_ name: String) throws -> String {
            let details = try engine.inspect(name)
            return "\(details.summary.id).\(details.starts)"
        }
    }

    let files: TemporaryDirectory
    let keeper = FakeKeeper()

    init() throws { files = try TemporaryDirectory("engine") }

    private func run(
        _ inside: Inside, _ name: String = "one", waits: Bool = false, change: (inout ContainerSpec) -> Void = { _ in }
    ) async throws -> RunAnswer {
        var spec = ContainerSpec(program: "true")
        spec.name = name
        change(&spec)
        return try await inside.engine.run(
            RunContainer(spec, attachment: .detached, waits: waits), descriptors: []) { _, _ in }
    }

    @Test func `a run is started, ends, is recorded and then acknowledged`() async throws {
        let inside = try await Inside(files, keeper)
        let answer = try await run(inside)
        #expect(answer.started.pid == 4242)
        #expect(answer.started.startMicroseconds == 250)
        #expect(answer.started.wasPrepared)
        #expect(inside.phase("one") == .running)
        let sandbox = try inside.sandbox("one")
        async let waiting = inside.engine.wait(for: "one")
        try await keeper.end(sandbox, status: 3)
        #expect(try await waiting.exitStatus == 3)
        try await eventually { keeper.requests.contains(.acknowledge(sandbox: sandbox)) }
        #expect(inside.phase("one") == .exited)
        let next = try await Inside(files, keeper)
        #expect(try next.engine.inspect("one").summary.end?.exitStatus == 3)
    }

    @Test func `a node that comes back adopts what runs and what has ended`() async throws {
        let first = try await Inside(files, keeper)
        for name in ["runs", "ends"] { _ = try await run(first, name) }
        let ends = try first.sandbox("ends")
        await first.link.close()
        // The node is gone; the program ends unheard.
        try? await keeper.end(ends, status: 5)
        let second = try await Inside(files, keeper)
        try await eventually { second.phase("ends") == .exited }
        #expect(try second.engine.inspect("ends").summary.end?.exitStatus == 5)
        try await second.link.untilUp()
        #expect(second.phase("runs") == .running)
        #expect(try second.engine.inspect("runs").summary.pid == 4242)
        try await eventually { keeper.sandboxes[ends] == nil }
        try await keeper.end(try second.sandbox("runs"), status: 0)
        #expect(try await second.engine.wait(for: "runs").exitStatus == 0)
    }

    @Test func `a start whose answer a dead node never saw is adopted`() async throws {
        let first = try await Inside(files, keeper)
        keeper.set(.runUnheard)
        let failure = await #expect(throws: NodeFailure.self) { try await run(first) }
        #expect(failure?.kind == .unavailable)
        // The link comes back by itself and finds it running.
        try await eventually { first.phase("one") == .running }
        #expect(try first.engine.inspect("one").summary.pid == 4242)
    }

    @Test func `a keeper that dies in the middle of a start fails the request, not the node`() async throws {
        let inside = try await Inside(files, keeper)
        keeper.set(.die)
        let failure = await #expect(throws: NodeFailure.self) { try await run(inside) }
        #expect(failure?.kind == .unavailable)
        try await eventually { inside.phase("one") == .created }
        #expect(try inside.engine.inspect("one").startError?.contains("interrupted") == true)
        #expect(keeper.starts >= 1)
        // And the next start works.
        keeper.set(.run)
        #expect(try await inside.engine.start("one").pid == 4242)
    }

    @Test func `what ran in a keeper that died is lost, and its waiters hear so`() async throws {
        let inside = try await Inside(files, keeper)
        _ = try await run(inside)
        async let waiting = inside.engine.wait(for: "one")
        async let removed = run(inside, "two", waits: true) { $0.removesOnExit = true }
        try await eventually { inside.phase("two") == .running }
        keeper.die()
        #expect(try await waiting.keeperLost)
        #expect(try await removed.end?.keeperLost == true)
        #expect(inside.phase("one") == .lost)
        #expect(inside.phase("two") == nil)
        #expect(try await run(inside, "three").started.pid == 4242)
    }

    @Test func `a connection that breaks loses nothing`() async throws {
        let inside = try await Inside(files, keeper)
        _ = try await run(inside)
        keeper.cutOff()
        try await eventually { keeper.requests.filter { $0 == .list }.count >= 2 }
        try await keeper.end(try inside.sandbox("one"), status: 9)
        #expect(try await inside.engine.wait(for: "one").exitStatus == 9)
        #expect(keeper.starts == 0)
    }

    @Test func `a sandbox of unknown origin is reported and left`() async throws {
        keeper.add(SandboxReport(sandbox: "stranger", parent: nil, start: FakeKeeper.report, isFrozen: false, end: nil))
        let inside = try await Inside(files, keeper)
        try await inside.link.untilUp()
        #expect(await inside.link.strangers == ["stranger"])
        #expect(keeper.sandboxes["stranger"] != nil)
    }

    @Test func `a start that fails leaves nothing behind`() async throws {
        let inside = try await Inside(files, keeper)
        keeper.set(.fail(KeeperFailure(.system, "mount proc on /proc: EPERM", code: 1)))
        let failure = await #expect(throws: NodeFailure.self) { try await run(inside) }
        #expect(failure?.message.contains("mount proc on /proc") == true)
        await #expect(throws: NodeFailure.self) { try await run(inside) { $0.program = "no-such-program" } }
        #expect(try await inside.engine.list(ListContainers(all: true)).containers.isEmpty)
        #expect(try Files.list(files.path("containers")) == [])
    }

    @Test func `of two containers that want one name one is refused`() async throws {
        let inside = try await Inside(files, keeper)
        _ = try await run(inside)
        let failure = await #expect(throws: NodeFailure.self) { try await run(inside) }
        #expect(failure?.kind == .conflict)
        #expect(failure?.message.contains("--name \"one\"") == true)
    }

    @Test func `containers are found by name, id and the beginning of an id`() async throws {
        let inside = try await Inside(files, keeper)
        let id = try await run(inside).started.id
        #expect(id.count == 64)
        for text in ["one", id, String(id.prefix(12)), String(id.prefix(1))] {
            #expect(try inside.engine.inspect(text).summary.id == id)
        }
        let failure = #expect(throws: NodeFailure.self) { try inside.engine.inspect("nobody") }
        #expect(failure?.kind == .notFound)
        #expect(throws: NodeFailure.self) { try inside.engine.inspect("") }
    }

    @Test func `names are made up where none is given`() async throws {
        let inside = try await Inside(files, keeper)
        for _ in 0..<20 {
            _ = try await inside.engine.create(ContainerSpec(program: "true"))
        }
        let names = try await inside.engine.list(ListContainers(all: true)).containers.map(\.name)
        #expect(Set(names).count == 20)
        for name in names { try ContainerSpec.validate(name: name) }
        #expect(try await inside.engine.list(ListContainers()).containers.isEmpty)
    }

    @Test func `stopping signals and kills after the grace`() async throws {
        let inside = try await Inside(files, keeper)
        _ = try await run(inside)
        let sandbox = try inside.sandbox("one")
        async let stopped = inside.engine.stop(StopContainer(container: "one", timeoutSeconds: 1, signal: 2))
        try await eventually {
            keeper.requests.contains(.signal(sandbox: sandbox, number: 2, wholeTree: false))
        }
        try await eventually {
            keeper.requests.contains(.signal(sandbox: sandbox, number: Signal.kill, wholeTree: true))
        }
        try await keeper.end(sandbox, status: 1)
        #expect(try await stopped.exitStatus == 1)
    }

    @Test func `a stop that was under way when the node died is carried through by the next`() async throws {
        let first = try await Inside(files, keeper)
        _ = try await run(first)
        let sandbox = try first.sandbox("one")
        let stopping = Task { try await first.engine.stop(StopContainer(container: "one", timeoutSeconds: 1)) }
        try await eventually { first.phase("one") == .stopping }
        await first.link.close()
        let second = try await Inside(files, keeper)
        // Where more than the grace has passed by now, the first has sent the kill, and nobody would hear of the end.
        try await second.link.untilUp()
        try await eventually {
            keeper.requests.contains(.signal(sandbox: sandbox, number: Signal.kill, wholeTree: true))
        }
        try await keeper.end(sandbox, status: 137)
        #expect(try await second.engine.wait(for: "one").exitStatus == 137)
        stopping.cancel()
        _ = try? await stopping.value
    }

    @Test func `a container is removed when it does not run, or by force`() async throws {
        let inside = try await Inside(files, keeper)
        _ = try await run(inside)
        let sandbox = try inside.sandbox("one")
        let failure = await #expect(throws: NodeFailure.self) {
            try await inside.engine.remove(RemoveContainer(container: "one"))
        }
        #expect(failure?.kind == .conflict)
        async let removed: Void = inside.engine.remove(RemoveContainer(container: "one", force: true))
        try await eventually {
            keeper.requests.contains(.signal(sandbox: sandbox, number: Signal.kill, wholeTree: true))
        }
        try await keeper.end(sandbox, status: 137)
        try await removed
        #expect(inside.phase("one") == nil)
        #expect(try Files.list(files.path("containers")) == [])
    }

    @Test func `an unreadable record is a remark and its container is left alone`() async throws {
        try files.write("{", to: "containers/broken/container.json")
        let inside = try await Inside(files, keeper)
        #expect(inside.remarks.count == 1)
        #expect(Files.exists(files.path("containers/broken/container.json")))
    }

    @Test func `no keeper that could be started is an error that says why`() async throws {
        let dead = FakeKeeper(isAlive: false)
        dead.failToStart(NodeFailure(.unavailable, "there is no keeper"))
        let inside = try await Inside(files, dead)
        let failure = await #expect(throws: NodeFailure.self) { try await inside.link.untilUp() }
        #expect(failure?.message == "there is no keeper")
        dead.failToStart(nil)
        // The first failure is told to who waits; the link goes on trying.
        try await eventually { (try? await inside.link.untilUp()) != nil }
        #expect(dead.starts == 1)
    }

    @Test func `on a full disk nothing starts and no end is forgotten, but what runs can be stopped`() async throws {
        let inside = try await Inside(files, keeper)
        _ = try await run(inside)
        let sandbox = try inside.sandbox("one")
        // A record that cannot be written, whoever writes: its temporary name is taken by a directory.
        let blocker = files.path("containers/\(try inside.engine.inspect("one").summary.id)/container.json.new")
        try Files.makeDirectories(blocker)
        async let stopped = inside.engine.stop(StopContainer(container: "one", timeoutSeconds: 0))
        try await eventually {
            keeper.requests.contains(.signal(sandbox: sandbox, number: Signal.kill, wholeTree: true))
        }
        try await keeper.end(sandbox, status: 137)
        #expect(try await stopped.exitStatus == 137)
        let failure = await #expect(throws: NodeFailure.self) { try await inside.engine.start("one") }
        #expect(failure?.kind == .system)
        #expect(!keeper.requests.contains(.acknowledge(sandbox: sandbox)))
        // The next node hears of the end again and can write it down.
        try Files.removeTree(blocker)
        await inside.link.close()
        let next = try await Inside(files, keeper)
        try await eventually { next.phase("one") == .exited }
        #expect(try next.engine.inspect("one").summary.end?.exitStatus == 137)
    }

    @Test func `equal places share a template`() async throws {
        let inside = try await Inside(files, keeper)
        for name in ["a", "b", "c"] { _ = try await run(inside, name) { $0.environment = ["NAME=\(name)"] } }
        _ = try await run(inside, "d") { $0.hostname = "other" }
        let defined = keeper.requests.filter { if case .define = $0 { true } else { false } }
        #expect(defined.count == 2)
    }
}
