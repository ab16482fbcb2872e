/// What repetitions give together.
///
/// A quantity is measured in several repetitions; each gives one number (for a percentile: the percentile of the
/// repetition's own samples). The estimate is their mean, its interval Student's t with one degree of freedom less than
/// repetitions: samples within a repetition are not independent of each other, whole repetitions nearly are (Georges, Buytaert,
/// Eeckhout: "Statistically rigorous Java performance evaluation", 2007).
package enum Statistics {
    package static let confidence = 0.95

    package static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(values.count, 1)) }

    /// The sample's standard deviation, with n − 1; 0 for fewer than two values.
    package static func standardDeviation(_ values: [Double]) -> Double {
        guard values.count > 1 else { return 0 }
        let mean = mean(values)
        return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
    }

    /// Standard deviation divided by mean; 0 where there is no mean.
    package static func coefficientOfVariation(_ values: [Double]) -> Double {
        let mean = mean(values)
        return mean > 0 ? standardDeviation(values) / mean : 0
    }

    package static func median(_ values: [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// The estimate of what these repetitions gave; nil of none. Its lower end is never below zero: durations, memory and
    /// rates are not.
    package static func estimate(_ repetitions: [Double]) -> Estimate? {
        guard !repetitions.isEmpty else { return nil }
        let mean = mean(repetitions)
        guard repetitions.count > 1 else { return Estimate(value: mean, interval: nil, repetitions: repetitions) }
        let half =
            student(degreesOfFreedom: repetitions.count - 1) * standardDeviation(repetitions)
            / Double(repetitions.count).squareRoot()
        let interval = ConfidenceInterval(
            low: min(mean, max(0, mean - half)), high: mean + half, confidence: confidence)
        return Estimate(value: mean, interval: interval, repetitions: repetitions)
    }

    /// The summary of the histograms of repetitions; nil when there is not one sample.
    package static func summary(_ repetitions: [LatencyHistogram]) -> LatencySummary? {
        let filled = repetitions.filter { !$0.isEmpty }
        guard !filled.isEmpty else { return nil }
        var all = LatencyHistogram()
        for histogram in filled { all.add(histogram) }
        func at(_ percentile: Double) -> Estimate {
            estimate(filled.map { Double($0.value(atPercentile: percentile)) })!
        }
        return LatencySummary(histogram: all, p50: at(50), p90: at(90), p99: at(99), p999: at(99.9))
    }

    /// The two-sided 95 % quantile of Student's t distribution, from its table; beyond 30 by Cornish and Fisher's expansion.
    package static func student(degreesOfFreedom: Int) -> Double {
        precondition(degreesOfFreedom > 0, "one value has no spread")
        if degreesOfFreedom <= table.count { return table[degreesOfFreedom - 1] }
        let (z, freedom) = (1.959964, Double(degreesOfFreedom))
        let cube = z * z * z
        return z + (cube + z) / (4 * freedom) + (5 * cube * z * z + 16 * cube + 3 * z) / (96 * freedom * freedom)
    }

    private static let table = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
        2.110,
        2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ]

    /// Slope and intercept of the least-squares line; nil of fewer than two different positions.
    package static func line(_ points: [(x: Double, y: Double)]) -> (slope: Double, intercept: Double)? {
        let (mx, my) = (mean(points.map(\.x)), mean(points.map(\.y)))
        let squares = points.reduce(0) { $0 + ($1.x - mx) * ($1.x - mx) }
        guard squares > 0 else { return nil }
        let slope = points.reduce(0) { $0 + ($1.x - mx) * ($1.y - my) } / squares
        return (slope, my - slope * mx)
    }
}
