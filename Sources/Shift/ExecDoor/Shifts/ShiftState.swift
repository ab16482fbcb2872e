package import Linux

/// One shift: which program, where it stands, and what was seen. A value that decides; nothing is done here.
///
/// Invariants (tests in ShiftStateTests)
/// 1. A shift that is paused, rolled back or without its shim never sends a call to the target.
///    (`only an active shift sends calls to the target`)
/// 2. A limit that is passed rolls back at once: the next decision is the original's. (`a limit that is passed rolls back at once`)
/// 3. Rates and percentiles say nothing below the minimum. (`a rate says nothing below the minimum`)
/// 4. A promotion takes one step at a time, each after its calls, and none after a limit was passed.
///    (`a promotion takes one step after the other`, `a promotion stops where a limit is passed`)
/// 5. What was asked for and cannot be changes nothing. (`a verb that cannot be changes nothing`)
/// 6. Every change of stage or phase is recorded. (`every change is recorded`)
package struct ShiftState: Hashable, Sendable {
    package enum Phase: Hashable, Sendable {
        case active
        /// The original answers; why.
        case paused(String)
        /// It is over; why.
        case rolledBack(String)
    }

    /// Differences of one stage that go into the history.
    static let recordedDifferences = 20

    package let id: String
    package internal(set) var spec: ShiftSpec
    package internal(set) var identity: ProgramIdentity
    package internal(set) var phase = Phase.active
    package internal(set) var stage: ShiftStage
    /// Which step of the promotion it is in.
    package internal(set) var step = 0
    package internal(set) var since: Timestamp
    /// Whether the shim is to stand over the program.
    package internal(set) var isMountWanted = true

    /// Calls decided, for the spread of percentages.
    package internal(set) var decided = 0
    package internal(set) var decidedForOriginal = 0
    package internal(set) var decidedForComparison = 0
    package internal(set) var counts = StageCounts()
    package internal(set) var original = RunTally()
    package internal(set) var target = RunTally()
    package internal(set) var shadow = RunTally()
    /// Over all stages.
    package internal(set) var compared = 0
    package internal(set) var differing = 0
    package internal(set) var detours = 0
    package internal(set) var noise = NoiseBaseline()
    /// The first difference of the stage, for people.
    package internal(set) var firstDifference: String?
    var recentTarget = RecentRuns()
    var recentComparisons = RecentComparisons()
    var isDetourRecorded = false

    package init(id: String, spec: ShiftSpec, identity: ProgramIdentity, now: Timestamp) {
        self.id = id
        self.spec = spec
        self.identity = identity
        stage = spec.stage
        since = now
    }

    package var isActive: Bool { phase == .active }

    package var phaseText: String {
        switch phase {
        case .active: "active"
        case .paused(let why): "paused: \(why)"
        case .rolledBack(let why): "rolled back: \(why)"
        }
    }

    // MARK: Deciding

    /// Who is to run a call.
    package enum Choice: Hashable, Sendable { case original, measured, target, shadow, control }

    /// Decides about the next call.
    package mutating func choose(_ spread: PercentSpread) -> Choice {
        guard isActive else { return .original }
        defer { decided += 1 }
        switch stage.mode {
        case .measure: return .measured
        case .full: return .target
        case .shadow: return comparison(spread)
        case .canary:
            if spread.isChosen(decided, percent: stage.percent) { return .target }
            defer { decidedForOriginal += 1 }
            let others = PercentSpread(seed: spread.seed ^ 0xC0FF_EE00)
            return others.isChosen(decidedForOriginal, percent: spec.comparePercent) ? comparison(spread) : .measured
        }
    }

    private mutating func comparison(_ spread: PercentSpread) -> Choice {
        defer { decidedForComparison += 1 }
        let controls = PercentSpread(seed: spread.seed ^ 0x0C02_7201)
        return controls.isChosen(decidedForComparison, percent: spec.controlPercent) ? .control : .shadow
    }
}
