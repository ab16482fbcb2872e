import Keeper
import Linux
import Sandbox
import Spawn
import Synchronization
import TestKit
import Testing

@testable import Engine

/// The book of what the keeper runs for one purpose, over a link that answers what the test says.
@Suite struct SandboxLivesTests {
    private final class ScriptedLink: SandboxKeeper {
        struct Asked {
            var requests: [KeeperRequest] = []
            var problem: StartProblem?
            var failures: [NodeFailure] = []
            var round = 0
            /// Called before a start is answered.
            var beforeAnswer: (@Sendable (String) async -> Void)?
        }

        let asked = Mutex(Asked())

        func start(_ start: SandboxStart, descriptors: [CInt]) async throws(StartProblem) -> StartedSandbox {
            let (problem, before, round) = asked.withLock { ($0.problem, $0.beforeAnswer, $0.round) }
            await before?(start.name)
            if let problem { throw problem }
            return StartedSandbox(report: FakeKeeper.report, descriptors: [], round: round)
        }

        func perform(_ request: KeeperRequest) async throws(NodeFailure) {
            let failure = asked.withLock { asked -> NodeFailure? in
                asked.requests.append(request)
                return asked.failures.isEmpty ? nil : asked.failures.removeFirst()
            }
            if let failure { throw failure }
        }

        func wasAsked(_ request: KeeperRequest) -> Bool { asked.withLock { $0.requests.contains(request) } }
        func wasKilled(_ name: String) -> Bool {
            wasAsked(.signal(sandbox: name, number: Signal.kill, wholeTree: true))
        }
    }

    private let link = ScriptedLink()
    private let lives: SandboxLives
    private let told = Told()

    /// Ends as they were told.
    private final class Told: Sendable {
        let ends = Mutex<[ProgramEnd]>([])
        var all: [ProgramEnd] { ends.withLock { $0 } }
    }

    init() { lives = SandboxLives(link, prefix: "x-", run: 35) }

    private func start() async throws -> String {
        let name = lives.nextName()
        let call = ProgramCall(path: "/x", arguments: ["x"], environment: [])
        let start = SandboxStart(plan: SandboxPlan(), name: name, call: call, streams: .passed)
        _ = try await lives.start(start, descriptors: []) { [told] end in told.ends.withLock { $0.append(end) } }
        return name
    }

    private static func listed(_ name: String, end: EndReport? = nil, parent: String? = nil) -> SandboxReport {
        SandboxReport(sandbox: name, parent: parent, start: FakeKeeper.report, isFrozen: false, end: end)
    }

    private static let gone = ProgramEnd.unknown("the keeper that ran it is gone")

    @Test func `names are this node's and differ`() {
        #expect([lives.nextName(), lives.nextName()] == ["x-z-1", "x-z-2"])
        #expect(lives.owns("x-other-1") && !lives.owns("y-z-1"))
    }

    @Test func `an end is told once and acknowledged`() async throws {
        let (name, end) = (try await start(), FakeKeeper.end(4))
        lives.ended(name, end)
        // Told again, because the acknowledgement was lost.
        lives.ended(name, end)
        #expect(told.all == [.ended(end)])
        #expect(lives.count == 0)
        try await eventually("an acknowledgement") { link.wasAsked(.acknowledge(sandbox: name)) }
    }

    @Test func `an end that comes before the start's answer is told once`() async throws {
        let (lives, end) = (lives, FakeKeeper.end(1))
        link.asked.withLock { $0.beforeAnswer = { name in lives.ended(name, end) } }
        let name = try await start()
        lives.ended(name, end)
        #expect(told.all == [.ended(end)])
        #expect(lives.count == 0)
    }

    @Test func `with the keeper its programs are gone`() async throws {
        let (here, _) = (try await start(), try await start())
        await lives.adopt([Self.listed(here)], round: 1)
        #expect(told.all == [Self.gone])
        let end = FakeKeeper.end(2)
        await lives.adopt([Self.listed(here, end: end)], round: 2)
        #expect(told.all == [Self.gone, .ended(end)])
    }

    @Test func `a keeper that is lost before its answer was read takes the program with it`() async throws {
        let lives = lives
        link.asked.withLock { $0.beforeAnswer = { _ in await lives.adopt([], round: 1) } }
        _ = try await start()
        #expect(told.all == [Self.gone])
    }

    @Test func `what was started after an adoption is not missed in it`() async throws {
        await lives.adopt([], round: 1)
        link.asked.withLock { $0.round = 1 }
        _ = try await start()
        #expect(told.all.isEmpty && lives.count == 1)
    }

    @Test func `what a former node left is killed`() async throws {
        let left = [
            Self.listed("x-0-1"), Self.listed("x-0-2", end: FakeKeeper.end(0)), Self.listed("x-0-3", parent: "x-0-1"),
        ]
        await lives.adopt(left, round: 1)
        try await eventually("a kill and a thank") {
            link.wasKilled("x-0-1") && link.wasAsked(.acknowledge(sandbox: "x-0-2"))
        }
        #expect(!link.wasKilled("x-0-2"))
        // It goes with the sandbox that it runs in.
        #expect(!link.wasKilled("x-0-3"))
    }

    @Test func `a start whose answer was lost is killed`() async throws {
        let failure = NodeFailure(.unavailable, "the link broke")
        link.asked.withLock { $0.problem = .unanswered(failure) }
        await #expect(throws: failure) { try await start() }
        try await eventually("a kill") { link.wasKilled("x-z-1") }
        #expect(told.all.isEmpty && lives.count == 0)
    }

    @Test func `a start that failed is not killed`() async throws {
        let failure = NodeFailure(.system, "no memory")
        link.asked.withLock { $0.problem = .failed(failure) }
        await #expect(throws: failure) { try await start() }
        #expect(told.all.isEmpty && lives.count == 0 && !link.wasKilled("x-z-1"))
    }

    @Test func `a kill is tried again while the keeper is away`() async throws {
        let away = NodeFailure(.unavailable, "away")
        link.asked.withLock { $0.failures = [away, away] }
        await lives.kill("x-z-9")
        #expect(link.asked.withLock { $0.requests.count } == 3)
        // One that has ended needs no second try.
        link.asked.withLock { $0.failures = [NodeFailure(.notFound, "no such sandbox")] }
        await lives.kill("x-z-9")
        #expect(link.asked.withLock { $0.requests.count } == 4)
    }
}
