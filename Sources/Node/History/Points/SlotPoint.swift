package import Metrics

/// What was measured of one series in one slot of time: a second, a minute or an hour.
///
/// Invariants
/// 1. The point of a span is the same whichever way its parts were put together. (test: `points reduce the same in any order`)
package struct SlotPoint: Hashable, Sendable {
    package var minimum: Float
    package var mean: Float
    package var maximum: Float
    /// How much the mean stands for: seconds that were measured, or what a quantile was taken of.
    package var weight: UInt32

    package init(minimum: Float, mean: Float, maximum: Float, weight: UInt32) {
        self.minimum = minimum
        self.mean = mean
        self.maximum = maximum
        self.weight = weight
    }

    /// One measurement.
    package init(_ value: Double, weight: UInt32 = 1) {
        let value = Float(value)
        self.init(minimum: value, mean: value, maximum: value, weight: weight)
    }

    package func merged(with other: SlotPoint) -> SlotPoint {
        let all = Double(weight) + Double(other.weight)
        let sum = Double(mean) * Double(weight) + Double(other.mean) * Double(other.weight)
        return SlotPoint(
            minimum: min(minimum, other.minimum), mean: all > 0 ? Float(sum / all) : mean, maximum: max(maximum, other.maximum),
            weight: UInt32(min(all, Double(UInt32.max))))
    }

    var isOneValue: Bool { minimum == mean && mean == maximum }
}

extension SlotPoint? {
    mutating func merge(_ point: SlotPoint) { self = self?.merged(with: point) ?? point }
}

/// A time series by its name and labels.
package struct SeriesKey: Hashable, Sendable {
    package var name: String
    package var labels: [MetricLabel]

    package init(_ name: String, _ labels: [MetricLabel] = []) {
        self.name = name
        self.labels = labels
    }
}
