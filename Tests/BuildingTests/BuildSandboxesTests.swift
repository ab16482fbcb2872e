@testable import Building
@testable import Engine
import Keeper
import Linux
import Sandbox
import Spawn
import Synchronization
import TestKit
import Testing

@Suite struct BuildSandboxesTests {
    /// A keeper that starts what it is asked for, and remembers what it was told.
    private final class FakeKeeper: BuildKeeper {
        let requests = Mutex<[KeeperRequest]>([])
        let started = Mutex<[String]>([])

        func start(_ start: SandboxStart, descriptors: [CInt]) async throws(StartProblem) -> StartedSandbox {
            started.withLock { $0.append(start.name) }
            return StartedSandbox(report: BuildSandboxesTests.report, descriptors: [])
        }

        let forgotten = Mutex(0)
        func forget(_ plan: SandboxPlan) async { forgotten.withLock { $0 += 1 } }

        func perform(_ request: KeeperRequest) async throws(NodeFailure) { requests.withLock { $0.append(request) } }
    }

    fileprivate static let report = StartReport(pid: 7, startedAt: Clock.now(), startNanoseconds: 1, wasPrepared: false)

    private static func end(_ status: Int32) -> EndReport {
        EndReport(
            status: .exited(status), usage: ResourceUsage(), endedAt: Clock.now(), cgroup: nil,
            outOfMemory: false, lostLogBytes: 0)
    }

    private func start(_ name: String) -> SandboxStart {
        let call = ProgramCall(path: "/x", arguments: StringBlock(["x"]), environment: StringBlock([]))
        return SandboxStart(plan: SandboxPlan(), name: name, call: call, streams: .passed)
    }

    private func run(_ sandboxes: BuildSandboxes) -> Task<Result<EndReport, BuildFailure>, Never> {
        Task {
            do throws(BuildFailure) {
                return .success(try await sandboxes.run({ start($0) }, descriptors: [], started: {}))
            } catch { return .failure(error) }
        }
    }

    @Test func `whoever runs a program hears how it ended`() async throws {
        let keeper = FakeKeeper()
        let sandboxes = BuildSandboxes(keeper)
        let task = run(sandboxes)
        try await eventually("it runs") { keeper.started.withLock { $0.count } == 1 }
        let name = keeper.started.withLock { $0[0] }
        #expect(sandboxes.lives.owns(name))
        sandboxes.lives.ended(name, Self.end(3))
        #expect(try await task.value.get().status == .exited(3))
        #expect(keeper.forgotten.withLock { $0 } == 1)
        try await eventually("the end is acknowledged") {
            keeper.requests.withLock { $0.contains(.acknowledge(sandbox: name)) }
        }
    }

    @Test func `with the keeper the programs of a build are gone`() async throws {
        let keeper = FakeKeeper()
        let sandboxes = BuildSandboxes(keeper)
        let task = run(sandboxes)
        try await eventually("it runs") { keeper.started.withLock { $0.count } == 1 }
        await sandboxes.lives.adopt([], round: 1)
        let result = await task.value
        guard case .failure(let failure) = result else {
            Issue.record("it ended")
            return
        }
        #expect(failure.kind == .unavailable)
    }
}
