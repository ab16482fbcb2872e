import Metrics

/// How often which duration came: counts in buckets that grow with the duration, eight to each doubling, so that a percentile
/// is found within 6.25 %.
package struct DurationHistogram: Hashable, Sendable {
    /// Durations beyond 2^40 microseconds (12 days) count as that.
    static let bucketCount = 16 + (40 - 4 + 1) * 8

    /// By bucket; shorter than `bucketCount` when the rest is 0.
    private var counts: [Int] = []

    package init() {}

    package mutating func add(microseconds: Int, times: Int = 1) {
        let bucket = Self.bucket(of: microseconds)
        if counts.count <= bucket { counts += Array(repeating: 0, count: bucket + 1 - counts.count) }
        counts[bucket] = counts[bucket].clampedAdding(times)
    }

    package mutating func merge(_ other: DurationHistogram) {
        if counts.count < other.counts.count { counts += Array(repeating: 0, count: other.counts.count - counts.count) }
        for (bucket, count) in other.counts.enumerated() { counts[bucket] = counts[bucket].clampedAdding(count) }
    }

    /// The buckets that hold something, in their order.
    var filledBuckets: [(bucket: Int, count: Int)] {
        counts.enumerated().compactMap { $1 == 0 ? nil : (bucket: $0, count: $1) }
    }

    package var total: Int { counts.reduce(0) { $0.clampedAdding($1) } }

    /// The duration that `share` (0...100) of 100 do not exceed: the middle of its bucket, microseconds. nil without any.
    package func percentile(_ share: Int) -> Int? {
        let total = total
        guard total > 0 else { return nil }
        let rank = NearestRank.rank(share, of: total)
        var seen = 0
        for (bucket, count) in counts.enumerated() {
            seen = seen.clampedAdding(count)
            if seen >= rank { return Self.middle(of: bucket) }
        }
        return nil
    }

    static func bucket(of microseconds: Int) -> Int {
        let value = min(max(microseconds, 0), 1 << 40)
        if value < 16 { return value }
        let exponent = Int.bitWidth - 1 - value.leadingZeroBitCount
        return 16 + (exponent - 4) * 8 + (value >> (exponent - 3)) & 7
    }

    static func middle(of bucket: Int) -> Int {
        if bucket < 16 { return bucket }
        let exponent = 4 + (bucket - 16) / 8
        let low = (8 + (bucket - 16) % 8) << (exponent - 3)
        return low + 1 << (exponent - 3) / 2
    }

    /// Only the buckets that are not empty: pairs of number and count.
    func write(to text: inout PackedNumbers) {
        let filled = counts.indices.filter { counts[$0] != 0 }
        text.append(filled.count)
        for bucket in filled {
            text.append(bucket)
            text.append(counts[bucket])
        }
    }

    /// nil when the bytes are damaged.
    init?(_ numbers: inout PackedNumbers.Reader) {
        guard let filled = numbers.next(), filled <= Self.bucketCount else { return nil }
        for _ in 0..<filled {
            guard let bucket = numbers.next(), let count = numbers.next(), bucket < Self.bucketCount else { return nil }
            if counts.count <= bucket { counts += Array(repeating: 0, count: bucket + 1 - counts.count) }
            counts[bucket] = count
        }
    }
}
