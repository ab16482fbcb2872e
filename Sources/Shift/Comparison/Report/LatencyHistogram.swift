package import JSON

/// Durations in nanoseconds, counted in buckets that keep three significant digits at any size: an HDR histogram.
///
/// The buckets are those of HdrHistogram (Gil Tene, hdrhistogram.org) with a lowest discernible value of 1 and three
/// significant digits: 2,048 buckets of width 1, then 1,024 for each doubling. A value and what is told of it differ by
/// less than 0.1 %. The library of that name for Swift is not used: it would bring two more packages for 200 lines, and
/// its values are neither hashable nor written by our JSON.
///
/// Invariants:
/// 1. A percentile is within 0.1 % of what sorting all samples gives.
///    Test: `percentiles are within a thousandth of those of the sorted samples`.
/// 2. Adding two histograms gives what recording all their samples in one gives. Test: `adding is recording in one`.
/// 3. Equal contents are equal values, however they were recorded. Test: `adding is recording in one`.
package struct LatencyHistogram: ReportObject {
    /// Counts by bucket, up to the last one that is not empty.
    private var counts: [Int] = []
    package private(set) var count = 0
    /// The smallest and the largest value, exact; 0 when there is none.
    package private(set) var minimum = 0
    package private(set) var maximum = 0
    /// The sum of all values, exact.
    private var sum = 0

    /// Longest duration that is told apart, a day: what is longer counts as that.
    package static let longest = 86_400_000_000_000

    package init() {}

    package init(_ nanoseconds: some Sequence<Int>) {
        for value in nanoseconds { record(value) }
    }

    package var isEmpty: Bool { count == 0 }
    /// The arithmetic mean; 0 of nothing.
    package var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }

    /// Counts a duration. Less than nothing is nothing: two clock readings may be in either order on two processors.
    package mutating func record(_ nanoseconds: Int, times: Int = 1) {
        precondition(times > 0, "a value is counted at least once")
        let value = min(max(nanoseconds, 0), Self.longest)
        let index = Self.index(of: value)
        if index >= counts.count { counts += [Int](repeating: 0, count: index + 1 - counts.count) }
        counts[index] += times
        minimum = count == 0 ? value : min(minimum, value)
        maximum = max(maximum, value)
        sum &+= value &* times
        count += times
    }

    /// Counts everything that another histogram counted.
    package mutating func add(_ other: LatencyHistogram) {
        guard !other.isEmpty else { return }
        if other.counts.count > counts.count {
            counts += [Int](repeating: 0, count: other.counts.count - counts.count)
        }
        for (index, more) in other.counts.enumerated() { counts[index] += more }
        minimum = isEmpty ? other.minimum : min(minimum, other.minimum)
        maximum = max(maximum, other.maximum)
        sum &+= other.sum
        count += other.count
    }

    /// The value that `percentile` percent of all values do not exceed (0 to 100), by HdrHistogram's rule: the highest
    /// value of the bucket in which rank ⌈percentile · count / 100⌉ lies, and never more than the largest value. 0 of nothing.
    package func value(atPercentile percentile: Double) -> Int {
        precondition((0...100).contains(percentile), "a percentile is from 0 to 100")
        guard count > 0 else { return 0 }
        // A step of one ulp down: 99.9 is a little more than 999/1000, and its product would be rounded up a rank.
        let rank = max(1, Int((percentile.nextDown * Double(count) / 100).rounded(.up)))
        var seen = 0
        for (index, times) in counts.enumerated() where times > 0 {
            seen += times
            if seen >= rank { return min(Self.highest(ofBucket: index), maximum) }
        }
        return maximum
    }

    /// Samples that are needed so that this percentile is not just the largest one: 1,000 for 99.9.
    package static func samplesNeeded(forPercentile percentile: Double) -> Int {
        percentile >= 100 ? 1 : Int((100 / (100 - percentile)).rounded())
    }

    /// The buckets that are not empty, ascending: the highest value of each and how many lie in it.
    package var steps: [Step] {
        counts.indices.filter { counts[$0] > 0 }.map {
            Step(nanoseconds: min(Self.highest(ofBucket: $0), maximum), count: counts[$0])
        }
    }

    package struct Step: Hashable, Sendable {
        package var nanoseconds: Int
        package var count: Int
    }

    /// A point of a percentile plot.
    package struct CurvePoint: Hashable, Sendable {
        /// 0 to 100.
        package var percentile: Double
        package var nanoseconds: Int
    }

    /// Points of a percentile plot with a logarithmic axis, as HdrHistogram's percentile iterator has them: so many ticks
    /// for each halving of the distance to 100 %, down to one sample, and then 100 %.
    package func percentileCurve(ticksPerHalfDistance: Int = 5) -> [CurvePoint] {
        precondition(ticksPerHalfDistance > 0, "a half distance has at least one tick")
        guard count > 0 else { return [] }
        var points: [CurvePoint] = []
        var level = 0.0
        while (100 - level) / 100 * Double(count) >= 1 {
            points.append(CurvePoint(percentile: level, nanoseconds: value(atPercentile: level)))
            var half = 1.0
            while half * 2 <= 100 / (100 - level) { half *= 2 }
            level += 100 / (Double(ticksPerHalfDistance) * half * 2)
        }
        return points + [CurvePoint(percentile: 100, nanoseconds: maximum)]
    }

    // Buckets.

    private static let halfCount = 1024
    private static let halfMagnitude = 10

    private static func index(of value: Int) -> Int {
        let shift = Int.bitWidth - 1 - halfMagnitude - (value | (2 * halfCount - 1)).leadingZeroBitCount
        return ((shift + 1) << halfMagnitude) + (value >> shift) - halfCount
    }

    private static func lowest(ofBucket index: Int) -> Int {
        let bucket = (index >> halfMagnitude) - 1
        if bucket < 0 { return index }
        return ((index & (halfCount - 1)) + halfCount) << bucket
    }

    private static func highest(ofBucket index: Int) -> Int { lowest(ofBucket: index + 1) - 1 }

    // JSON: the lowest value of each bucket and its count, so that whoever reads it needs no knowledge of buckets.

    package var json: JSONValue {
        [
            "unit": "ns", "significantDigits": 3, "count": count.json, "min": minimum.json, "max": maximum.json,
            "sum": sum.json,
            "buckets": .array(
                counts.indices.filter { counts[$0] > 0 }.map {
                    .array([Self.lowest(ofBucket: $0).json, counts[$0].json])
                }),
        ]
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        let buckets: [[Int]] = try reader.list("buckets")
        for pair in buckets {
            guard pair.count == 2, (0...Self.longest).contains(pair[0]), pair[1] > 0, pair[1] < 1 << 40 else {
                throw reader.error("buckets", "expected pairs of a duration and a count, found \(pair)")
            }
            record(pair[0], times: pair[1])
        }
        let (count, minimum, maximum): (Int, Int, Int) =
            (try reader.required("count"), try reader.required("min"), try reader.required("max"))
        guard count == self.count, isEmpty || Self.index(of: max(minimum, 0)) == Self.index(of: self.minimum),
            isEmpty || Self.index(of: min(max(maximum, 0), Self.longest)) == Self.index(of: self.maximum)
        else { throw reader.error("count", "count, min and max do not belong to these buckets") }
        self.minimum = minimum
        self.maximum = maximum
        sum = try reader.required("sum")
    }
}
