internal import Metrics

/// How measured values spread: count, sum, smallest and largest exactly, percentiles to one part in 64.
///
/// Values are counted in buckets, so that a recording of any length takes little memory; below 64 a bucket is one value.
package struct Spread: Hashable, Sendable {
    package private(set) var count = 0
    package private(set) var sum = 0
    package private(set) var minimum = 0
    package private(set) var maximum = 0
    private var buckets: [Int: Int] = [:]

    package init() {}

    package init(_ values: some Sequence<Int>) { for value in values { add(value) } }

    package var isEmpty: Bool { count == 0 }

    /// nil of nothing.
    package var mean: Double? { count == 0 ? nil : Double(sum) / Double(count) }

    /// Counts a value; what is negative counts as 0.
    package mutating func add(_ value: Int, times: Int = 1) {
        let value = max(0, value)
        minimum = count == 0 ? value : min(minimum, value)
        maximum = max(maximum, value)
        count += times
        sum = Self.limited(sum, plus: value.multipliedReportingOverflow(by: times).overflow ? .max : value * times)
        buckets[Self.bucket(of: value), default: 0] += times
    }

    package mutating func add(_ other: Spread) {
        guard other.count > 0 else { return }
        minimum = count == 0 ? other.minimum : min(minimum, other.minimum)
        maximum = max(maximum, other.maximum)
        count += other.count
        sum = Self.limited(sum, plus: other.sum)
        buckets.merge(other.buckets, uniquingKeysWith: +)
    }

    /// By nearest rank; 0 of nothing. `percent` is 0 to 100.
    package func percentile(_ percent: Int) -> Int {
        let rank = NearestRank.rank(percent, of: count)
        guard count > 0 else { return 0 }
        if rank == 1 { return minimum }
        if rank == count { return maximum }
        var seen = 0
        for bucket in buckets.keys.sorted() {
            seen += buckets[bucket]!
            if seen >= rank { return min(max(Self.value(of: bucket), minimum), maximum) }
        }
        return maximum
    }

    package var p50: Int { percentile(50) }
    package var p90: Int { percentile(90) }
    package var p99: Int { percentile(99) }

    /// A sum that stops at the largest number: what an edited recording says must not trap.
    private static func limited(_ sum: Int, plus value: Int) -> Int {
        let (result, overflow) = sum.addingReportingOverflow(value)
        return overflow ? .max : result
    }

    /// 64 buckets for each power of two: values from 64 on lose their lowest bits.
    private static func bucket(of value: Int) -> Int {
        let shift = max(0, Int.bitWidth - value.leadingZeroBitCount - 7)
        return shift << 6 + (value >> shift)
    }

    /// The middle of a bucket.
    private static func value(of bucket: Int) -> Int {
        guard bucket >= 128 else { return bucket }
        let shift = bucket >> 6 - 1
        let mantissa = bucket - shift << 6
        return mantissa << shift + (1 << shift) / 2
    }
}
