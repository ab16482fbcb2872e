internal import Metrics

/// How long something took, many times over: percentiles of samples in nanoseconds.
///
/// Percentiles are by `NearestRank`: always a sample that was measured.
///
/// Invariants:
/// 1. There is at least one sample. Test: `no samples make no distribution`.
/// 2. A percentile that stands on too few samples says so. Test: `a 99th percentile of 99 samples says it is
///    the largest of them`.
package struct Distribution: Hashable, Sendable {
    /// The samples in ascending order.
    package let samples: [Int]

    /// The distribution of these samples, in any order; nil when there is none.
    package init?(nanoseconds samples: [Int]) {
        guard !samples.isEmpty else { return nil }
        self.samples = samples.sorted()
    }

    package var count: Int { samples.count }
    package var minimum: Int { samples[0] }
    package var maximum: Int { samples[samples.count - 1] }

    /// The arithmetic mean, summed in floating point so that no number of samples overflows.
    package var mean: Double { samples.reduce(0.0) { $0 + Double($1) } / Double(count) }

    package var p50: Percentile { percentile(50) }
    package var p90: Percentile { percentile(90) }
    package var p99: Percentile { percentile(99) }

    /// The percentile of a whole number of percent, 1 to 100.
    package func percentile(_ percent: Int) -> Percentile {
        precondition((1...100).contains(percent), "a percentile is from 1 to 100")
        let rank = NearestRank.rank(percent, of: count)
        return Percentile(
            percent: percent, nanoseconds: samples[rank - 1], rank: rank, sampleCount: count)
    }
}

/// One percentile, with what it stands on.
package struct Percentile: Hashable, Sendable {
    package let percent: Int
    package let nanoseconds: Int
    /// Its place among the samples in ascending order, from 1.
    package let rank: Int
    package let sampleCount: Int

    /// Samples needed so that the percentile differs from the largest sample: 2 for p50, 10 for p90, 100 for p99.
    package static func samplesNeeded(percent: Int) -> Int {
        precondition((1...99).contains(percent), "the 100th percentile is always the largest sample")
        return (100 + 99 - percent) / (100 - percent)
    }

    /// Whether there were too few samples to tell this percentile from the largest sample.
    package var standsOnTooFew: Bool { percent < 100 && sampleCount < Self.samplesNeeded(percent: percent) }

    /// What a reader has to know before believing the number; nil when there is nothing.
    package var caveat: String? {
        guard standsOnTooFew else { return nil }
        let samples = sampleCount == 1 ? "the only sample" : "the largest of \(sampleCount) samples"
        return "p\(percent) is \(samples): \(Self.samplesNeeded(percent: percent)) are needed to tell"
    }
}
