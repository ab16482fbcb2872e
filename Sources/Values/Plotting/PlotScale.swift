internal import Glibc

/// How values become places along an axis: 0 is its beginning, 1 its end.
///
/// Invariants:
/// 1. `lower` is less than `upper`, both have a place, and both are finite. Test: `any values make a scale`.
/// 2. A larger value has no smaller place. Test: `places grow with values`.
package struct PlotScale: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case linear
        /// Equal factors are equally long; only values above 0 have a place.
        case logarithmic
        /// Of fractions from 0 to 1, stretched towards 1 as HdrHistogram's plots are: 90 %, 99 % and 99.9 % are equally
        /// far apart, since the place is log₁₀ 1/(1 - q).
        case percentile
    }

    package let kind: Kind
    package let lower: Double
    package let upper: Double

    /// Larger numbers, and smaller ones than its inverse on logarithmic scales, get no place on a scale that is made to
    /// fit: in nanoseconds it is 31 years.
    private static let mostThatFits = 1e18

    /// A scale between two values as they are.
    package init(_ kind: Kind, from lower: Double, to upper: Double) {
        precondition(lower.isFinite && upper.isFinite && lower < upper, "a scale goes from a value up to a larger one")
        precondition(kind != .logarithmic || lower > 0, "a logarithmic scale begins above 0")
        precondition(kind != .percentile || (lower >= 0 && upper < 1), "percentiles stand from 0 to below 1")
        self.kind = kind
        self.lower = lower
        self.upper = upper
    }

    /// The linear scale for these values, from 0 or from the least of them, to a round number.
    package static func linear(fitting values: [Double], _ quantity: PlotQuantity, fromZero: Bool = true) -> PlotScale {
        let finite = values.filter { $0.magnitude <= mostThatFits }
        var lower = min(finite.min() ?? 0, fromZero ? 0 : .infinity)
        var upper = max(finite.max() ?? 1, fromZero ? 0 : -.infinity)
        if lower == upper { (lower, upper) = lower == 0 ? (0, 1) : (min(lower, 0), max(upper, 0)) }
        let step = quantity.step(over: upper - lower, parts: 5)
        let begin = (lower / step).rounded(.down) * step
        let end = (upper / step).rounded(.up) * step
        // Of numbers so large that a step is lost in them, the numbers themselves.
        guard begin < end else { return PlotScale(.linear, from: 0, to: max(1, upper)) }
        return PlotScale(.linear, from: begin, to: end)
    }

    /// The logarithmic scale for those of the values that are above 0.
    package static func logarithmic(fitting values: [Double], _ quantity: PlotQuantity) -> PlotScale {
        let positive = values.filter { $0 >= 1 / mostThatFits && $0 <= mostThatFits }
        let least = positive.min() ?? 1
        let most = positive.max() ?? 10
        var lower = quantity.rung(atMost: least)
        var upper = quantity.rung(atLeast: most)
        if lower >= upper { (lower, upper) = (lower / 2, upper * 2) }
        return PlotScale(.logarithmic, from: lower, to: upper)
    }

    /// The scale of percentiles for so many samples: to the percentile that the largest of them is.
    package static func percentile(samples: Int) -> PlotScale {
        PlotScale(.percentile, from: 0, to: 1 - 1 / Double(max(samples, 10)))
    }

    /// The scale of time for these moments, without a margin: seconds.
    package static func clock(from begin: Double, to end: Double) -> PlotScale {
        PlotScale(.linear, from: begin, to: end > begin ? end : begin + 1)
    }

    /// Where a value stands; nil when it has no place. Outside of the scale it is below 0 or above 1; all percentiles
    /// beyond the end stand at the end.
    package func place(of value: Double) -> Double? {
        guard value.isFinite else { return nil }
        switch kind {
        case .linear: return (value - lower) / (upper - lower)
        case .logarithmic: return value > 0 ? log(value / lower) / log(upper / lower) : nil
        case .percentile:
            guard (0...1).contains(value) else { return nil }
            return (Self.stretched(min(value, upper)) - Self.stretched(lower))
                / (Self.stretched(upper) - Self.stretched(lower))
        }
    }

    private static func stretched(_ fraction: Double) -> Double { -log10(1 - fraction) }
}
