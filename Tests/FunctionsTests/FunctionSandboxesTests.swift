import Engine
import Keeper
import Linux
import Sandbox
import Spawn
import Synchronization
import TestKit
import Testing

@testable import Functions

extension FakeKeeper: InstanceKeeper {
    func execute(_ request: ExecuteRequest, descriptors: [CInt]) async throws(NodeFailure) -> StartedSandbox {
        throw NodeFailure(.unsupported, "nothing is executed here")
    }

    func expect(_ plan: SandboxPlan) async {}

    func forget(_ plan: SandboxPlan) async {}
}

/// The books of instances' sandboxes, over a keeper that does what the test says.
@Suite struct FunctionSandboxesTests {
    private func start(_ name: String) -> SandboxStart {
        SandboxStart(
            plan: SandboxPlan(), name: name, call: ProgramCall(path: "/x", arguments: ["x"], environment: []), streams: .passed)
    }

    /// Ends as they were told.
    private final class Ends: Sendable {
        let told = Mutex<[ProgramEnd]>([])
        var count: Int { told.withLock { $0.count } }
        var take: FunctionSandboxes.Ended { { end in self.told.withLock { $0.append(end) } } }
    }

    @Test func `names are this node's and differ`() {
        let sandboxes = FunctionSandboxes(FakeKeeper(), run: 35)
        #expect([sandboxes.nextName(), sandboxes.nextName()] == ["fn-z-1", "fn-z-2"])
        #expect(sandboxes.owns("fn-other-1") && !sandboxes.owns("standby-z-1"))
    }

    @Test func `an end that comes before the start's answer is told once`() async throws {
        let (keeper, ends) = (FakeKeeper(), Ends())
        let sandboxes = FunctionSandboxes(keeper)
        keeper.asked.withLock { $0.beforeAnswer = { name in sandboxes.ended(name, StandbySandboxesTests.report(1)) } }
        let name = sandboxes.nextName()
        _ = try await sandboxes.start(start(name), descriptors: [], ended: ends.take)
        sandboxes.ended(name, StandbySandboxesTests.report(1))
        #expect(ends.count == 1)
        #expect(sandboxes.count == 0)
        try await eventually("an acknowledgement") { keeper.wasAsked(.acknowledge(sandbox: name)) }
    }

    @Test func `with the keeper its instances are gone`() async throws {
        let (keeper, ends) = (FakeKeeper(), Ends())
        let sandboxes = FunctionSandboxes(keeper)
        _ = try await sandboxes.start(start(sandboxes.nextName()), descriptors: [], ended: ends.take)
        await sandboxes.adopt([])
        #expect(ends.told.withLock { $0 } == [.unknown("the keeper that ran it is gone")])
    }

    @Test func `instances of a former node are killed`() async throws {
        let keeper = FakeKeeper()
        let sandboxes = FunctionSandboxes(keeper)
        let report = StartReport(pid: 7, startedAt: Clock.now(), startNanoseconds: 1, wasPrepared: false)
        await sandboxes.adopt([
            SandboxReport(sandbox: "fn-former-1", parent: nil, start: report, isFrozen: false, end: nil),
            SandboxReport(
                sandbox: "fn-former-2", parent: nil, start: report, isFrozen: false, end: StandbySandboxesTests.report(0)),
        ])
        try await eventually("a kill and a thank") {
            keeper.wasKilled("fn-former-1") && keeper.wasAsked(.acknowledge(sandbox: "fn-former-2"))
        }
        #expect(!keeper.wasKilled("fn-former-2"))
    }

    @Test func `a start whose answer was lost is killed`() async throws {
        let (keeper, ends) = (FakeKeeper(), Ends())
        let sandboxes = FunctionSandboxes(keeper)
        keeper.asked.withLock { $0.problem = .unanswered(NodeFailure(.unavailable, "gone")) }
        let name = sandboxes.nextName()
        await #expect(throws: NodeFailure.self) {
            _ = try await sandboxes.start(start(name), descriptors: [], ended: ends.take)
        }
        try await eventually("a kill") { keeper.wasKilled(name) }
        #expect(ends.count == 0 && sandboxes.count == 0)
    }
}
