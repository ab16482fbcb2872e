/// The last runs of a stage: what rates and percentiles are judged by, so that many good calls of yesterday do not hide the bad
/// ones of today.
package struct RecentRuns: Hashable, Sendable {
    package static let limit = 200

    private var runs: [RunMeasure] = []
    private var next = 0

    package init() {}

    package var count: Int { runs.count }

    package mutating func add(_ run: RunMeasure) {
        if runs.count < Self.limit {
            runs.append(run)
        } else {
            runs[next] = run
            next = (next + 1) % Self.limit
        }
    }

    package var failureShare: Double {
        runs.isEmpty ? 0 : Double(runs.count { $0.isFailure }) / Double(runs.count)
    }

    /// The duration that 95 of 100 do not exceed; nil without any.
    package var p95Microseconds: Int? {
        guard !runs.isEmpty else { return nil }
        let sorted = runs.map(\.microseconds).sorted()
        return sorted[(sorted.count * 95 + 99) / 100 - 1]
    }
}

/// Whether the last comparisons of a stage found differences.
package struct RecentComparisons: Hashable, Sendable {
    private var differed: [Bool] = []
    private var next = 0

    package init() {}

    package var count: Int { differed.count }

    package mutating func add(_ isDifferent: Bool) {
        if differed.count < RecentRuns.limit {
            differed.append(isDifferent)
        } else {
            differed[next] = isDifferent
            next = (next + 1) % RecentRuns.limit
        }
    }

    package var share: Double { differed.isEmpty ? 0 : Double(differed.count { $0 }) / Double(differed.count) }
}
