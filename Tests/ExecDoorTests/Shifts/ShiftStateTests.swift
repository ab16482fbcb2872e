import ExecDoor
import JSON
import Linux
import Testing

/// What a shift decides, event by event.
struct ShiftStateTests {
    private let spread = PercentSpread(seed: 7)
    private static let identity = ProgramIdentity(device: 1, inode: 2, size: 3, modified: 4)

    private func state(
        _ stage: ShiftStage, limits: ShiftLimits = ShiftLimits(), promotion: [PromotionStep]? = nil, compare: Int = 0,
        control: Int = 0
    ) -> ShiftState {
        let spec = ShiftSpec(
            program: "/usr/bin/jq", target: ShiftTarget(.container), stage: stage, comparePercent: compare,
            controlPercent: control,
            limits: limits, promotion: promotion)
        return ShiftState(id: "jq-1", spec: spec, identity: Self.identity, now: Timestamp(nanoseconds: 0))
    }

    private func run(_ milliseconds: Int = 1, fails: Bool = false) -> RunMeasure {
        RunMeasure(microseconds: milliseconds * 1000, isFailure: fails)
    }

    private func byTarget(_ milliseconds: Int = 1, fails: Bool = false) -> ShiftEvent {
        .ended(EndedCall(way: .target, answer: run(milliseconds, fails: fails)))
    }

    private func byOriginal(_ milliseconds: Int = 1, fails: Bool = false) -> ShiftEvent {
        .ended(EndedCall(way: .measured, answer: run(milliseconds, fails: fails)))
    }

    private let equal = ShiftEvent.compared(ComparisonResult(), isControl: false, call: "jq .")
    private let different = ShiftEvent.compared(
        ComparisonResult(
            differences: [Difference(part: .output, site: "stdout line 1", original: "a", target: "b", column: 0)],
            count: 1),
        isControl: false, call: "jq .")

    @discardableResult
    private func handle(_ state: inout ShiftState, _ event: ShiftEvent, times: Int = 1) throws -> [ShiftAction] {
        try (0..<times).flatMap { _ in try state.handle(event, now: Timestamp(nanoseconds: 5)) }
    }

    private func canary(_ percent: Int) -> ShiftStage { ShiftStage(.canary, percent: percent)! }

    @Test func `only an active shift sends calls to the target`() throws {
        for event in [
            ShiftEvent.asked(.pause(unmounts: false)), .asked(.pause(unmounts: true)), .asked(.rollback), .unmounted,
            .unmountable("why"),
            .replaced(ProgramIdentity(device: 1, inode: 9, size: 3, modified: 4)),
        ] {
            var state = state(.full)
            #expect(state.choose(spread) == .target)
            try handle(&state, event)
            #expect(!state.isActive)
            #expect(state.choose(spread) == .original)
        }
    }

    @Test func `each mode sends calls where it says`() {
        var choices: [ShiftMode: [ShiftState.Choice: Int]] = [:]
        for stage in [ShiftStage.measure, .shadow, canary(30), .full] {
            var state = state(stage)
            for _ in 0..<1000 { choices[stage.mode, default: [:]][state.choose(spread), default: 0] += 1 }
        }
        #expect(
            choices == [
                .measure: [.measured: 1000], .shadow: [.shadow: 1000], .canary: [.target: 300, .measured: 700],
                .full: [.target: 1000],
            ])
    }

    @Test func `a canary compares a part of what the original answers, and runs it twice for a part of that`() {
        var state = state(canary(10), compare: 50, control: 20)
        var choices: [ShiftState.Choice: Int] = [:]
        for _ in 0..<10_000 { choices[state.choose(spread), default: 0] += 1 }
        #expect(choices == [.target: 1000, .measured: 4500, .shadow: 3600, .control: 900])
    }

    @Test func `exactly so many of each hundred are chosen, at other places with another seed`() {
        var patterns: Set<[Bool]> = []
        for seed in UInt64(0)..<20 {
            let spread = PercentSpread(seed: seed)
            for percent in [0, 1, 10, 50, 99, 100] {
                for hundred in 0..<5 {
                    let chosen = (0..<100).filter { spread.isChosen(hundred * 100 + $0, percent: percent) }
                    #expect(chosen.count == percent)
                }
            }
            patterns.insert((0..<100).map { spread.isChosen($0, percent: 10) })
        }
        #expect(patterns.count > 10)
    }

    @Test func `a limit that is passed rolls back at once`() throws {
        var state = state(canary(50), limits: ShiftLimits(differences: 0))
        let actions = try handle(&state, different)
        #expect(state.phase == .rolledBack("in canary 50 %, 1 call differed (limit 0)"))
        #expect(actions.contains(.unmount))
        #expect(actions.contains(.record(.rolledBack, "in canary 50 %, 1 call differed (limit 0)")))
        #expect(actions.contains { if case .announce = $0 { true } else { false } })
        #expect(state.choose(spread) == .original)
        #expect(!state.isMountWanted)
        // What was under way ends after it, and changes nothing more.
        #expect(try handle(&state, byTarget(fails: true)) == [])
    }

    @Test func `errors count against those of the original`() throws {
        // Half of the original's calls fail: grep does that.
        var usual = state(canary(50), limits: ShiftLimits(errorPercent: 10))
        for number in 0..<40 { try handle(&usual, byOriginal(fails: number % 2 == 0)) }
        for number in 0..<40 { try handle(&usual, byTarget(fails: number % 2 == 0)) }
        #expect(usual.isActive)
        var bad = state(canary(50), limits: ShiftLimits(errorPercent: 10))
        for _ in 0..<40 { try handle(&bad, byOriginal()) }
        for number in 0..<40 where bad.isActive { try handle(&bad, byTarget(fails: number % 2 == 0)) }
        #expect(
            bad.phase
                == .rolledBack(
                    "in canary 50 %, 50 % of the target's last 20 calls failed, 0 % of the original's (limit 10 points more)"
                ))
    }

    @Test func `latency counts by itself and against the original`() throws {
        var absolute = state(.full, limits: ShiftLimits(latencyMilliseconds: 5))
        try handle(&absolute, byTarget(4), times: 30)
        #expect(absolute.isActive)
        try handle(&absolute, byTarget(50), times: 5)
        #expect(absolute.phase == .rolledBack("in full, the target's p95 is 50 ms (limit 5 ms)"))
        var relative = state(canary(50), limits: ShiftLimits(latencyPercent: 150))
        try handle(&relative, byOriginal(10), times: 30)
        try handle(&relative, byTarget(12), times: 30)
        #expect(relative.isActive)
        try handle(&relative, byTarget(30), times: 30)
        #expect(!relative.isActive)
    }

    @Test func `a rate says nothing below the minimum`() throws {
        let limits = ShiftLimits(
            differencePercent: 1, errorPercent: 1, latencyPercent: 1, latencyMilliseconds: 0.001, minimum: 50)
        var state = state(canary(50), limits: limits)
        try handle(&state, byOriginal(), times: 49)
        try handle(&state, byTarget(fails: true), times: 49)
        try handle(&state, different, times: 49)
        #expect(state.isActive)
        try handle(&state, byTarget(fails: true))
        #expect(!state.isActive)
    }

    @Test func `bad calls of today are not hidden by many good ones of yesterday`() throws {
        var state = state(.full, limits: ShiftLimits(errorPercent: 20))
        try handle(&state, byTarget(), times: 10_000)
        try handle(&state, byTarget(fails: true), times: 50)
        #expect(!state.isActive)
    }

    private var steps: [PromotionStep] {
        [
            PromotionStep(.shadow, calls: 3), PromotionStep(canary(10), calls: 2), PromotionStep(canary(50), calls: 2),
            PromotionStep(.full, calls: nil),
        ]
    }

    @Test func `a promotion takes one step after the other`() throws {
        var state = state(.shadow, limits: ShiftLimits(differences: 0), promotion: steps)
        try handle(&state, equal, times: 2)
        #expect(state.stage == .shadow)
        let actions = try handle(&state, equal)
        #expect(
            actions.contains(.record(.promoted, "promoted from shadow to canary 10 % after 3 calls within the limits")))
        #expect(state.stage == canary(10))
        try handle(&state, byTarget(), times: 2)
        #expect(state.stage == canary(50))
        try handle(&state, byTarget(), times: 2)
        #expect(state.stage == .full)
        try handle(&state, byTarget(), times: 100)
        #expect(state.stage == .full)
        #expect(state.isActive)
    }

    @Test func `a promotion stops where a limit is passed`() throws {
        var state = state(.shadow, limits: ShiftLimits(differences: 0), promotion: steps)
        try handle(&state, equal, times: 3)
        try handle(&state, different)
        #expect(state.phase == .rolledBack("in canary 10 %, 1 call differed (limit 0)"))
        try handle(&state, byTarget(), times: 100)
        #expect(state.stage == canary(10))
    }

    @Test func `a promotion waits for the minimum where rates are limited`() throws {
        var state = state(.shadow, limits: ShiftLimits(errorPercent: 5, minimum: 20), promotion: steps)
        try handle(&state, equal, times: 19)
        #expect(state.stage == .shadow)
        try handle(&state, equal)
        #expect(state.stage == canary(10))
    }

    @Test func `calls that the target could not take are the original's, and the first of a stage is recorded`() throws
    {
        var state = state(.full)
        let detour = ShiftEvent.ended(EndedCall(way: .measured, detour: "it has a terminal", answer: run()))
        #expect(
            try handle(&state, detour, times: 3) == [
                .record(.detour, "the original answered in the target's place: it has a terminal")
            ])
        #expect(state.counts.detours == 3)
        #expect(state.original.runs == 3)
        #expect(state.target.runs == 0)
    }

    @Test func `what differs by itself is no difference`() throws {
        var state = state(.shadow, limits: ShiftLimits(differences: 0), control: 50)
        guard case .compared(let result, _, _) = different else { return }
        try handle(&state, .compared(result, isControl: true, call: ""))
        #expect(try handle(&state, different) == [])
        #expect(state.compared == 1)
        #expect(state.differing == 0)
    }

    @Test func `a verb that cannot be changes nothing`() throws {
        var active = state(.full)
        let before = active
        #expect(throws: ShiftProblem.self) { try active.handle(.asked(.resume), now: Timestamp(nanoseconds: 1)) }
        #expect(active == before)
        try handle(&active, .asked(.rollback))
        let over = active
        for verb in [ShiftVerb.rollback, .resume, .pause(unmounts: false), .pause(unmounts: true)] {
            #expect(throws: ShiftProblem.self) { try active.handle(.asked(verb), now: Timestamp(nanoseconds: 1)) }
        }
        #expect(active == over)
    }

    @Test func `every change is recorded`() throws {
        var state = state(.shadow)
        let events: [ShiftEvent] = [
            .asked(.pause(unmounts: false)), .asked(.pause(unmounts: true)), .asked(.resume), .unmounted,
            .asked(.resume),
            .asked(.change(state.spec)), .replaced(ProgramIdentity(device: 1, inode: 9, size: 3, modified: 4)),
            .asked(.resume),
            .asked(.rollback), .asked(.change(state.spec)),
        ]
        for event in events {
            let actions = try handle(&state, event)
            #expect(actions.contains { if case .record = $0 { true } else { false } }, "\(event)")
        }
        #expect(state.isActive)
    }

    @Test func `a pause without the shim takes it away, and resuming brings it back`() throws {
        var state = state(.full)
        #expect(try handle(&state, .asked(.pause(unmounts: true))).contains(.unmount))
        #expect(!state.isMountWanted)
        // Nobody has to be told that the shim is away: it was asked for.
        #expect(try handle(&state, .unmounted) == [])
        #expect(try handle(&state, .asked(.resume)).contains(.mount))
        #expect(state.isMountWanted)
        #expect(state.isActive)
    }

    @Test func `a program that was replaced pauses its shift, whose shim is put over the new file`() throws {
        var state = state(.full)
        let new = ProgramIdentity(device: 1, inode: 9, size: 30, modified: 40)
        let actions = try handle(&state, .replaced(new))
        #expect(actions.last == .mount)
        #expect(state.identity == new)
        #expect(!state.isActive)
        #expect(try handle(&state, .replaced(new)) == [])
    }

    @Test func `a state is kept as JSON`() throws {
        var state = state(
            canary(10), limits: ShiftLimits(differences: 3, errorPercent: 2.5, latencyPercent: 150), promotion: nil,
            compare: 10, control: 5)
        for number in 0..<50 {
            try handle(&state, number % 3 == 0 ? byTarget(number) : byOriginal(number, fails: number % 7 == 0))
        }
        try handle(&state, different)
        for _ in 0..<33 { _ = state.choose(spread) }
        let copy = try ShiftState(json: try JSONParser.parse(JSONWriter.text(state.json)))
        #expect(copy.json == state.json)
        #expect(copy.original == state.original)
        #expect(copy.phase == state.phase)
        #expect(copy.stage == state.stage)
    }
}
