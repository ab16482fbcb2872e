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
final class FakeKeeper: InstanceKeeper {
    struct Asked {
        var starts: [SandboxStart] = []
        var requests: [KeeperRequest] = []
        var problem: StartProblem?
    }

    let asked = Mutex(Asked())

    func start(_ start: SandboxStart, descriptors: [CInt]) async throws(StartProblem) -> StartedSandbox {
        let problem = asked.withLock { asked in
            asked.starts.append(start)
            return asked.problem
        }
        if let problem { throw problem }
        do {
            let pipes = [try Files.pipe().ends(), try Files.pipe().ends(), try Files.pipe().ends()]
            let report = StartReport(pid: 7, startedAt: Clock.now(), startNanoseconds: 1, wasPrepared: false)
            return StartedSandbox(report: report, descriptors: [pipes[0].writer, pipes[1].reader, pipes[2].reader])
        } catch {
            throw .failed(NodeFailure(.system, "\(error)"))
        }
    }

    func perform(_ request: KeeperRequest) async throws(NodeFailure) {}

    func execute(_ request: ExecuteRequest, descriptors: [CInt]) async throws(NodeFailure) -> StartedSandbox {
        throw NodeFailure(.unsupported, "nothing is executed here")
    }

    func expect(_ plan: SandboxPlan) async {}

    func forget(_ plan: SandboxPlan) async {}
}

/// What standbys add to the book of sandboxes, which has its own tests.
@Suite struct StandbySandboxesTests {
    static let launch = PlannedLaunch(
        plan: SandboxPlan(), call: ProgramCall(path: "/bin/cat", arguments: ["cat"], environment: []))

    static func report(_ status: Int32) -> EndReport {
        EndReport(
            status: .exited(status), usage: ResourceUsage(userMicroseconds: 5, peakResidentBytes: 9), endedAt: Clock.now(),
            cgroup: nil, outOfMemory: false, lostLogBytes: 0)
    }

    @Test func `a standby has pipes and a name of its own`() async throws {
        let keeper = FakeKeeper()
        let sandboxes = StandbySandboxes(keeper)
        let first = try await sandboxes.start(Self.launch)
        let second = try await sandboxes.start(Self.launch)
        #expect(first.name != second.name)
        #expect(sandboxes.lives.owns(first.name) && sandboxes.lives.owns(second.name))
        #expect(keeper.asked.withLock { $0.starts.map(\.streams) } == [.pipes, .pipes])
    }

    @Test func `an end is told to who asks, before it and after`() async throws {
        let sandboxes = StandbySandboxes(FakeKeeper())
        let (early, late) = (try await sandboxes.start(Self.launch).name, try await sandboxes.start(Self.launch).name)
        sandboxes.lives.ended(early, Self.report(4))
        #expect(await sandboxes.end(of: early) == InstanceEnd(.ended(.exited(4)), userMicroseconds: 5, peakMemoryBytes: 9))
        async let end = sandboxes.end(of: late)
        await sandboxes.lives.adopt([], round: 1)
        #expect(await end.outcome == .unknown("the keeper that ran it is gone"))
    }

    @Test func `a start that fails is an error of the instance`() async throws {
        let keeper = FakeKeeper()
        let sandboxes = StandbySandboxes(keeper)
        keeper.asked.withLock { $0.problem = .failed(NodeFailure(.system, "no memory")) }
        await #expect(throws: InstanceFailure("no memory")) { try await sandboxes.start(Self.launch) }
    }
}
