package import Linux
package import Metrics

/// What was measured over time: a second's values for an hour, a minute's for a week, an hour's for a year.
package protocol MeasurementHistory: Sendable {
    /// The series of a name whose labels include all the given ones, at most `limit` of them.
    ///
    /// Each series has at most `points` points, evenly spaced from `from` to `to`, of the finest resolution that is kept
    /// for that time and is not finer than asked for.
    func series(
        _ name: String, labels: [MetricLabel], from: Timestamp, to: Timestamp, points: Int, limit: Int
    ) async throws(HistoryError) -> [MeasuredSeries]
}

/// One time series over a time.
package struct MeasuredSeries: Hashable, Sendable {
    package var name: String
    package var labels: [MetricLabel]
    /// Oldest first. A time without measurements has no point.
    package var points: [MeasuredPoint]

    package init(_ name: String, labels: [MetricLabel], points: [MeasuredPoint]) {
        self.name = name
        self.labels = labels
        self.points = points
    }
}

/// What was measured between `at` and the next point. Of a counter, `mean` is the rate per second.
package struct MeasuredPoint: Hashable, Sendable {
    package var at: Timestamp
    package var minimum: Double
    package var mean: Double
    package var maximum: Double

    package init(at: Timestamp, minimum: Double, mean: Double, maximum: Double) {
        self.at = at
        self.minimum = minimum
        self.mean = mean
        self.maximum = maximum
    }
}

/// Why the history did not answer, as a sentence.
package struct HistoryError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
