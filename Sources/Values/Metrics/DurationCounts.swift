/// How long something took, many times: what a histogram shows of it.
package struct DurationCounts: Hashable, Sendable {
    /// Upper bounds, microseconds: from a call of a warm function to a batch.
    package static let bounds = [
        100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000,
        60_000_000,
    ]

    /// By bucket, not cumulative; the last is everything longer than the last bound. Empty until something is added.
    private var counts: [UInt64] = []
    package private(set) var count: UInt64 = 0
    private var microseconds: UInt64 = 0

    package init() {}

    /// - Parameter duration: microseconds; what is less than nothing counts as nothing.
    package mutating func add(microseconds duration: Int) {
        if counts.isEmpty { counts = Array(repeating: 0, count: Self.bounds.count + 1) }
        let duration = max(0, duration)
        counts[Self.bounds.firstIndex { duration <= $0 } ?? Self.bounds.count] += 1
        count += 1
        microseconds &+= UInt64(duration)
    }

    /// In seconds.
    package var metric: MetricHistogram {
        var seen: UInt64 = 0
        var buckets: [MetricHistogram.Bucket] = []
        buckets.reserveCapacity(Self.bounds.count)
        for (index, bound) in Self.bounds.enumerated() {
            seen += counts.isEmpty ? 0 : counts[index]
            buckets.append(.init(upTo: Double(bound) / 1e6, seen))
        }
        return MetricHistogram(buckets: buckets, sum: Double(microseconds) / 1e6, count: count)
    }
}
