import HTTPServing
import Lambda
import Linux
import TestKit
import Testing

@testable import Functions

/// What a pool relies on in every instance, whoever launches it. The suites of each launcher run these.
struct InstanceContract {
    /// Confined to `loop`.
    let launcher: LoopBound<any InstanceLauncher>
    var loop: ServingLoop { launcher.loop }

    /// What an instance has told, and what became of its calls. Confined to the loop.
    final class Story {
        var events: [InstanceEvent] = []
        var outcomes: [InvocationOutcome] = []
        var instance: (any FunctionInstance)?
        var isInsideLaunch = true
        var toldInsideLaunch = false

        func count(_ matches: (InstanceEvent) -> Bool) -> Int { events.filter(matches).count }
    }

    func launch(_ function: DeployedFunction) async -> LoopBound<Story> {
        let story = LoopBound(Story(), on: loop)
        let launcher = launcher
        await loop.run {
            let told = story.value
            told.instance = launcher.value.launch(function, isProvisioned: false, on: launcher.loop) { event in
                if told.isInsideLaunch { told.toldInsideLaunch = true }
                told.events.append(event)
            }
            told.isInsideLaunch = false
        }
        return story
    }

    func invoke(_ story: LoopBound<Story>, _ invocation: Invocation) {
        loop.execute {
            let told = story.value
            told.instance!.invoke(invocation) { told.outcomes.append($0) }
        }
    }

    func until(_ story: LoopBound<Story>, _ what: String, _ holds: @escaping @Sendable (Story) -> Bool) async throws {
        try await eventually(what) { await loop.run { holds(story.value) } }
    }

    /// It becomes ready, serves one call after the other, and ends when it is told to: each event once and in order.
    func `an instance lives from ready over its calls to its end`(_ function: DeployedFunction, calls: [Invocation])
        async throws
    {
        let story = await launch(function)
        try await until(story, "it is ready") { $0.count { if case .ready = $0 { true } else { false } } == 1 }
        for (index, invocation) in calls.enumerated() {
            invoke(story, invocation)
            try await until(story, "call \(index) is answered and it is free again") {
                $0.outcomes.count == index + 1 && $0.count { $0 == .free } == index + 1
            }
        }
        await loop.run { story.value.instance!.stop(.spindown) }
        try await until(story, "it ends") { $0.count { if case .ended = $0 { true } else { false } } == 1 }
        let (inside, first, last) = await loop.run {
            (story.value.toldInsideLaunch, story.value.events.first, story.value.events.last)
        }
        #expect(!inside, "no event comes before launch has returned")
        if case .ready = first {} else { Issue.record("the first event is \(String(describing: first))") }
        if case .ended = last {} else { Issue.record("the last event is \(String(describing: last))") }
    }

    /// A call that is under way is answered when its instance is stopped, once, and before the instance has ended.
    func `a stopped instance answers the call that it has`(_ function: DeployedFunction, slow: Invocation) async throws
    {
        let story = await launch(function)
        try await until(story, "it is ready") { !$0.events.isEmpty }
        invoke(story, slow)
        await loop.run { story.value.instance!.stop(.timeout) }
        try await until(story, "it ends") { $0.count { if case .ended = $0 { true } else { false } } == 1 }
        #expect(await loop.run { story.value.outcomes.count } == 1)
    }

    /// One that does not become ready says why, and ends.
    func `a start that fails is told and ended`(_ function: DeployedFunction) async throws {
        let story = await launch(function)
        try await until(story, "it ends") { $0.count { if case .ended = $0 { true } else { false } } == 1 }
        let events = await loop.run { story.value.events }
        guard events.count == 2, case .failed = events[0] else {
            Issue.record("it told \(events)")
            return
        }
    }
}

/// The contract holds for the fake of these tests: or else they would prove nothing.
@Suite struct FakeInstanceContractTests {
    static func invocation(_ payload: String) -> Invocation {
        let function = PlaneBench.function()
        return Invocation(
            requestID: "r", function: function, invokedARN: function.arn, payload: Array(payload.utf8), trace: "",
            arrivedAt: Instant(nanoseconds: Clock.monotonicNanoseconds()), arrivedAtTime: Clock.now())
    }

    /// Runs a check of the contract on fakes that a script has changed.
    static func holds(
        _ fake: FakeLauncher, _ check: (InstanceContract) async throws -> Void
    ) async throws {
        let loops = ServingLoops(count: 1)
        // The fake is kept alive by the box: its instances do not own it.
        try await check(InstanceContract(launcher: LoopBound(fake, on: loops.loops[0])))
        await loops.shutDown()
    }

    @Test func `a fake instance lives, serves and ends as any other`() async throws {
        try await Self.holds(FakeLauncher()) {
            try await $0.`an instance lives from ready over its calls to its end`(
                PlaneBench.function(), calls: (0..<3).map { Self.invocation("\($0)") })
        }
    }

    @Test func `a fake instance that is stopped answers its call`() async throws {
        let fake = FakeLauncher()
        fake.callTime = { _ in .seconds(30) }
        try await Self.holds(fake) {
            try await $0.`a stopped instance answers the call that it has`(
                PlaneBench.function(), slow: Self.invocation("x"))
        }
    }

    @Test func `a fake start that fails is told and ended`() async throws {
        let fake = FakeLauncher()
        fake.start = { _ in .fails(InstanceStartFailure(errorType: "E", errorMessage: "no luck")) }
        try await Self.holds(fake) {
            try await $0.`a start that fails is told and ended`(PlaneBench.function())
        }
    }
}
