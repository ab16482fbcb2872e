@testable import Engine
import Keeper
import Linux
import Sandbox
import Spawn
import Synchronization
import TestKit
import Testing

@testable import Functions

/// A link whose answers the test gives, with notes of what was asked.
final class FakeKeeper: StandbyKeeper {
    struct Asked {
        var starts: [SandboxStart] = []
        var requests: [KeeperRequest] = []
        var problem: StartProblem?
        var failures: [NodeFailure] = []
        /// Told before a start is answered.
        var beforeAnswer: (@Sendable (String) -> Void)?
    }

    let asked = Mutex(Asked())

    func start(_ start: SandboxStart, descriptors: [CInt]) async throws(StartProblem) -> StartedSandbox {
        let (problem, before) = asked.withLock { asked in
            asked.starts.append(start)
            return (asked.problem, asked.beforeAnswer)
        }
        before?(start.name)
        if let problem { throw problem }
        do {
            let pipes = [try Files.pipe().ends(), try Files.pipe().ends(), try Files.pipe().ends()]
            let report = StartReport(pid: 7, startedAt: Clock.now(), startNanoseconds: 1, wasPrepared: false)
            return StartedSandbox(report: report, descriptors: [pipes[0].writer, pipes[1].reader, pipes[2].reader])
        } catch {
            throw .failed(NodeFailure(.system, "\(error)"))
        }
    }

    func perform(_ request: KeeperRequest) async throws(NodeFailure) {
        let failure = asked.withLock { asked -> NodeFailure? in
            asked.requests.append(request)
            return asked.failures.isEmpty ? nil : asked.failures.removeFirst()
        }
        if let failure { throw failure }
    }

    func wasAsked(_ request: KeeperRequest) -> Bool { asked.withLock { $0.requests.contains(request) } }
    func wasKilled(_ name: String) -> Bool { wasAsked(.signal(sandbox: name, number: Signal.kill, wholeTree: true)) }
}

@Suite struct StandbySandboxesTests {
    static let launch = PlannedLaunch(
        plan: SandboxPlan(), call: ProgramCall(path: "/bin/cat", arguments: ["cat"], environment: []))

    static func report(_ status: Int32) -> EndReport {
        EndReport(
            status: .exited(status), usage: ResourceUsage(userMicroseconds: 5, peakResidentBytes: 9), endedAt: Clock.now(),
            cgroup: nil, outOfMemory: false, lostLogBytes: 0)
    }

    static func running(_ name: String, end: EndReport? = nil) -> SandboxReport {
        SandboxReport(
            sandbox: name, parent: nil,
            start: StartReport(pid: 7, startedAt: Clock.now(), startNanoseconds: 1, wasPrepared: false), isFrozen: false,
            end: end)
    }

    @Test func `names are this node's and differ`() async throws {
        let keeper = FakeKeeper()
        let sandboxes = StandbySandboxes(keeper, run: 35)
        let first = try await sandboxes.start(Self.launch)
        let second = try await sandboxes.start(Self.launch)
        #expect([first.name, second.name] == ["standby-z-1", "standby-z-2"])
        #expect(sandboxes.owns(first.name))
        #expect(!sandboxes.owns("container-1"))
        #expect(keeper.asked.withLock { $0.starts.map(\.streams) } == [.pipes, .pipes])
    }

    @Test func `an end is told to who asked and acknowledged`() async throws {
        let keeper = FakeKeeper()
        let sandboxes = StandbySandboxes(keeper)
        let name = try await sandboxes.start(Self.launch).name
        async let end = sandboxes.end(of: name)
        sandboxes.ended(name, Self.report(4))
        #expect(await end == InstanceEnd(.ended(.exited(4)), userMicroseconds: 5, peakMemoryBytes: 9))
        try await eventually("acknowledgement") { keeper.wasAsked(.acknowledge(sandbox: name)) }
        // Told again, because the acknowledgement was lost.
        sandboxes.ended(name, Self.report(4))
    }

    @Test func `an end that comes before the start's answer is kept`() async throws {
        let keeper = FakeKeeper()
        let sandboxes = StandbySandboxes(keeper)
        keeper.asked.withLock { $0.beforeAnswer = { sandboxes.ended($0, Self.report(1)) } }
        let name = try await sandboxes.start(Self.launch).name
        #expect(await sandboxes.end(of: name).outcome == .ended(.exited(1)))
    }

    @Test func `with the keeper its sandboxes are gone`() async throws {
        let sandboxes = StandbySandboxes(FakeKeeper())
        let here = try await sandboxes.start(Self.launch).name
        let gone = try await sandboxes.start(Self.launch).name
        await sandboxes.adopt([Self.running(here)])
        #expect(await sandboxes.end(of: gone).outcome == .unknown("the keeper that ran it is gone"))
        await sandboxes.adopt([Self.running(here, end: Self.report(2))])
        #expect(await sandboxes.end(of: here).outcome == .ended(.exited(2)))
    }

    @Test func `what a former node left is killed`() async throws {
        let keeper = FakeKeeper()
        let sandboxes = StandbySandboxes(keeper, run: 1)
        await sandboxes.adopt([
            Self.running("standby-0-1"), Self.running("standby-0-2", end: Self.report(0)),
        ])
        try await eventually("kill") { keeper.wasKilled("standby-0-1") }
        try await eventually("acknowledgement") { keeper.wasAsked(.acknowledge(sandbox: "standby-0-2")) }
        #expect(!keeper.wasKilled("standby-0-2"))
    }

    @Test func `a start without an answer is an error, and killed should it run`() async throws {
        let keeper = FakeKeeper()
        let sandboxes = StandbySandboxes(keeper, run: 1)
        keeper.asked.withLock { $0.problem = .unanswered(NodeFailure(.unavailable, "the link broke")) }
        await #expect(throws: InstanceFailure("the link broke")) { try await sandboxes.start(Self.launch) }
        try await eventually("kill") { keeper.wasKilled("standby-1-1") }
        keeper.asked.withLock { $0.problem = .failed(NodeFailure(.system, "no memory")) }
        await #expect(throws: InstanceFailure("no memory")) { try await sandboxes.start(Self.launch) }
        #expect(!keeper.wasKilled("standby-1-2"))
    }

    @Test func `a kill is tried again while the keeper is away`() async throws {
        let keeper = FakeKeeper()
        let sandboxes = StandbySandboxes(keeper)
        keeper.asked.withLock { $0.failures = [NodeFailure(.unavailable, "away"), NodeFailure(.unavailable, "away")] }
        await sandboxes.kill("standby-x")
        #expect(keeper.asked.withLock { $0.requests.count } == 3)
        // One that has ended needs no second try.
        keeper.asked.withLock { $0.failures = [NodeFailure(.notFound, "no such sandbox")] }
        await sandboxes.kill("standby-x")
        #expect(keeper.asked.withLock { $0.requests.count } == 4)
    }
}
