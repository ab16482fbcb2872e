/// How long and how thoroughly a comparison measures.
package struct ComparisonSettings: Sendable {
    /// "quick", "default" or "thorough".
    package enum Effort: String, Hashable, Sendable, CaseIterable {
        case quick
        case standard = "default"
        case thorough
    }

    package var effort: Effort
    package var repetitions: Int
    /// Calls one at a time in a repetition, at least; nil: as many as the time allows.
    package var count: Int?
    /// Calls in a repetition, at most, when they are not counted.
    package var mostCalls: Int
    /// How long a repetition lasts when its calls are not counted, nanoseconds.
    package var repetitionNanoseconds: Int
    package var warmUp: WarmUp
    /// Rates that are tried for the knee.
    package var searchSteps: Int
    /// How long a rate is tried, nanoseconds; longer where few calls would arrive.
    package var stepNanoseconds: Int
    /// How long the load that all rungs get lasts, nanoseconds.
    package var loadNanoseconds: Int
    /// Calls at once, at most.
    package var inFlight = 128
    /// After how long a call counts as hanging, nanoseconds.
    package var timeout = 10_000_000_000
    /// Instances that are started at most.
    package var densityLimit: Int
    /// Instances to which a rung is scaled.
    package var scaleTo: Int
    package var seed = 1
    /// What all calls together should give; nil: what the first rung gives.
    package var expected: [UInt8]?
    package var prices: CostEstimate.Prices?
    package var pricesName = ""
    /// Memory that this process holds for the comparison.
    package var parentBytes = 0
    /// The environment of the probe.
    package var probeEnvironment: [String] = []

    package init(_ effort: Effort) {
        self.effort = effort
        switch effort {
        case .quick:
            (repetitions, mostCalls, repetitionNanoseconds) = (3, 300, 250_000_000)
            (searchSteps, stepNanoseconds, loadNanoseconds) = (6, 300_000_000, 700_000_000)
            (densityLimit, scaleTo) = (8, 4)
            warmUp = WarmUp(window: 5, tolerance: 0.1, limit: 20)
        case .standard:
            (repetitions, mostCalls, repetitionNanoseconds) = (3, 1000, 700_000_000)
            (searchSteps, stepNanoseconds, loadNanoseconds) = (9, 500_000_000, 2_000_000_000)
            (densityLimit, scaleTo) = (32, 8)
            warmUp = WarmUp(window: 10, tolerance: 0.05, limit: 60)
        case .thorough:
            (repetitions, mostCalls, repetitionNanoseconds) = (5, 5000, 4_000_000_000)
            (searchSteps, stepNanoseconds, loadNanoseconds) = (14, 3_000_000_000, 20_000_000_000)
            (densityLimit, scaleTo) = (128, 32)
            warmUp = WarmUp(window: 20, tolerance: 0.03, limit: 400)
        }
    }

    /// Fewest calls from which a rate is judged.
    package static let fewestCalls = 25.0
    /// Longest time for which a rate is tried, as a multiple of the usual one.
    package static let longestStep = 6

    /// How long a rate is tried so that enough calls arrive, within reason.
    package func stepNanoseconds(rate: Double) -> Int {
        min(max(stepNanoseconds, Int(Self.fewestCalls / rate * 1e9)), stepNanoseconds * Self.longestStep)
    }

    /// The same for the load that all rungs get.
    package func loadNanoseconds(rate: Double) -> Int {
        min(max(loadNanoseconds, Int(2 * Self.fewestCalls / rate * 1e9)), loadNanoseconds * 3)
    }
}
