import Keeper
import Linux
import Sandbox
import Spawn
import Synchronization
import TestKit
import Testing

@testable import Engine

/// What a link does that is closed while it is being made.
@Suite struct KeeperLinkTests {
    private let keeper = FakeKeeper()

    @Test func `a link that is closed while the keeper is being reached ends, and lets go of it`() async throws {
        let stops = StoppingAccess(keeper, at: .connect)
        let link = KeeperLink(stops, nodeName: "closing")
        let hasEnded = runs(link)
        try await eventually("the link is being made") { stops.isStopped }
        await link.close()
        stops.goOn()
        try await eventually("the end of the link") { hasEnded.isUp }
        try await eventually("the keeper is let go of") { !keeper.isConnected }
        await #expect(throws: NodeFailure.self) { try await link.untilUp() }
    }

    @Test func `a link that is closed when its keeper is gone starts no other`() async throws {
        let stops = StoppingAccess(keeper, at: .connect)
        let link = KeeperLink(stops, nodeName: "closing")
        let hasEnded = runs(link)
        try await eventually("the link is being made") { stops.isStopped }
        keeper.die()
        await link.close()
        stops.goOn()
        try await eventually("the end of the link") { hasEnded.isUp }
        #expect(keeper.starts == 0)
    }

    @Test func `a link that is closed while a keeper starts ends`() async throws {
        keeper.die()
        let stops = StoppingAccess(keeper, at: .start)
        let link = KeeperLink(stops, nodeName: "closing")
        let hasEnded = runs(link)
        try await eventually("the keeper is starting") { stops.isStopped }
        await link.close()
        stops.goOn()
        try await eventually("the end of the link") { hasEnded.isUp }
        try await eventually("the keeper is let go of") { !keeper.isConnected }
    }

    @Test func `what the keeper refuses for the moment alone is asked again`() async throws {
        let link = KeeperLink(keeper, nodeName: "patient")
        let hasEnded = runs(link)
        // The keeper changes its mind, and not this test, which may be held up for longer than the link is patient.
        let momentary = KeeperFailure(.conflict, "another one is just being started", code: Errno.again.rawValue)
        keeper.set(.refuse(momentary, times: 3))
        let start = SandboxStart(
            plan: SandboxPlan(), name: "late", call: ProgramCall(path: "/bin/true", arguments: ["true"], environment: []),
            streams: .passed)
        func asked() -> Int { keeper.requests.count { if case .start = $0 { true } else { false } } }
        #expect(try await link.start(start, descriptors: []).report == FakeKeeper.report)
        #expect(asked() == 4)
        keeper.set(.fail(KeeperFailure(.conflict, "start late: the name is in use")))
        let before = asked()
        await #expect(throws: StartProblem.self) { try await link.start(start, descriptors: []) }
        #expect(asked() == before + 1)
        await link.close()
        try await eventually("the end of the link") { hasEnded.isUp }
    }

    /// Runs a link, and tells when it has ended.
    private func runs(_ link: KeeperLink) -> Flag {
        let flag = Flag()
        Task {
            await link.run()
            flag.raise()
        }
        return flag
    }
}

private final class Flag: Sendable {
    private let value = Mutex(false)

    var isUp: Bool { value.withLock { $0 } }
    func raise() { value.withLock { $0 = true } }
}

/// The way to another keeper on which the first step waits until the test lets it go on.
private final class StoppingAccess: KeeperAccess {
    enum Step { case connect, start }

    private let keeper: FakeKeeper
    private let step: Step
    private let stopped = Flag()
    private let released = Flag()

    init(_ keeper: FakeKeeper, at step: Step) {
        self.keeper = keeper
        self.step = step
    }

    var isStopped: Bool { stopped.isUp }

    func goOn() { released.raise() }

    func connect() async throws(NodeFailure) -> MessageChannel? {
        if step == .connect { await stop() }
        return try await keeper.connect()
    }

    func start() async throws(NodeFailure) {
        if step == .start { await stop() }
        try await keeper.start()
    }

    private func stop() async {
        stopped.raise()
        while !released.isUp { try? await Task.sleep(for: .milliseconds(1)) }
    }
}
