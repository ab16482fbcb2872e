import Engine
import Keeper
import Linux
import TestKit
import Testing

@testable import Functions

/// A keeper of this test's own, with a link to it.
final class OwnKeeper: Sendable {
    let link: KeeperLink
    let sandboxes: StandbySandboxes
    let planner: LaunchPlanner
    let access: KeeperProcess
    private let directory: TemporaryDirectory
    private let running: Task<Void, Never>

    init() async throws {
        directory = try TemporaryDirectory("standby")
        access = KeeperProcess(run: directory.path, executable: try BuiltFile.path("forkless-keeper"))
        let link = KeeperLink(access, nodeName: "standby test")
        self.link = link
        sandboxes = StandbySandboxes(link)
        planner = LaunchPlanner(machine: try .ofThisMachine())
        await link.add(sandboxes.lives)
        running = Task { await link.run() }
    }

    func provider(_ argv: [String]) async throws -> SandboxInstanceProvider {
        var spec = ContainerSpec(program: argv[0], arguments: Array(argv.dropFirst()))
        spec.rung = .function
        return SandboxInstanceProvider(sandboxes, try await planner.plan(spec))
    }

    /// Ends the keeper and everything in it.
    func end() async throws {
        try await link.shutDown(killing: true)
        await running.value
    }
}

/// Standbys in real sandboxes of a real keeper.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct StandbyKeeperTests {
    /// Runs a test with a keeper, and looks for what it leaves behind.
    func withPrograms(_ body: (StandbyPrograms) async throws -> Void) async throws {
        let before = await Census.take(Self.scope)
        try await withKeeper { keeper in
            try await body(StandbyPrograms { try await keeper.provider($0) })
            // Whatever ran has ended and was acknowledged.
            try await eventually("an empty keeper") { try await keeper.link.list().isEmpty }
        }
        // Longer than anything lasts that suites beside this one have open meanwhile.
        #expect(await Census.settled(since: before, within: .seconds(60)) == [])
    }

    func withKeeper(_ body: (OwnKeeper) async throws -> Void) async throws {
        let keeper = try await OwnKeeper()
        do { try await body(keeper) } catch {
            try await keeper.end()
            throw error
        }
        try await keeper.end()
    }

    /// Pipes, control groups, mounts, and the run directory with what is in it.
    static var scope: Census.Scope {
        var scope = Census.Scope(only: [.descriptor, .cgroup, .mount, .file])
        scope.places = [Census.Place(directory: "/tmp", prefix: "forkless-standby")]
        scope.ignores = { $0.kind == .descriptor && !$0.sentence.contains("pipe:") }
        return scope
    }

    @Test func `every call gets a fresh waiting process`() async throws {
        try await withPrograms { programs in try await programs.everyCallGetsAFreshWaitingProcess() }
    }

    @Test func `answers are those of the programs`() async throws {
        try await withPrograms { programs in try await programs.answersAreThoseOfThePrograms() }
    }

    @Test func `a program that never reads is an error`() async throws {
        try await withPrograms { programs in try await programs.aProgramThatNeverReadsIsAnError() }
    }

    @Test func `twenty callers share four places`() async throws {
        try await withPrograms { programs in try await programs.twentyCallersShareFourPlaces() }
    }

    @Test func `a killed copy is replaced`() async throws {
        try await withPrograms { programs in
            try await programs.aKilledCopyIsReplaced { pid in try ProcessFD(pid: pid).signal(Signal.kill) }
        }
    }

    @Test func `a call runs in a sandbox of its own`() async throws {
        try await withPrograms { programs in
            let worker = try await programs.worker(["sh", "-c", "read x; echo $$; ls /proc | grep -c '^[0-9]'"])
            let answer = try await programs.call(worker, "go\n")
            let lines = answer.output.split(separator: "\n")
            #expect(lines.first == "1")
            // The shell, ls and grep: nothing else is to be seen in there.
            #expect(lines.last.flatMap { Int($0) }.map { $0 <= 3 } == true)
            await worker.close()
        }
    }

    @Test func `a former node's standbys are killed by the next`() async throws {
        let keeper = try await OwnKeeper()
        let instance = try await keeper.sandboxes.start(try await keeper.planner.plan(Self.catSpec))
        let next = KeeperLink(keeper.access, nodeName: "the next")
        let sandboxes = StandbySandboxes(next)
        await next.add(sandboxes.lives)
        await keeper.link.close()
        let running = Task { await next.run() }
        try await eventually("the standby's end") { !Files.exists("/proc/\(instance.pid)") }
        try await eventually("an empty keeper") { try await next.list().isEmpty }
        try await next.shutDown(killing: true)
        await running.value
    }

    static var catSpec: ContainerSpec {
        var spec = ContainerSpec(program: "cat")
        spec.rung = .function
        return spec
    }
}
