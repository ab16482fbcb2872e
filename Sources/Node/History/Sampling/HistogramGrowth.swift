import Metrics

/// What came to a histogram between two looks.
struct HistogramGrowth: Sendable {
    /// Upper bounds with what came at most there, cumulative.
    private let buckets: [(bound: Double, count: UInt64)]
    let count: UInt64

    /// A histogram that has less than before has begun anew.
    init(from before: MetricHistogram, to now: MetricHistogram) {
        let isAnew = now.count < before.count || now.buckets.count != before.buckets.count
        count = isAnew ? now.count : now.count - before.count
        buckets = now.buckets.indices.map { index in
            let bucket = now.buckets[index]
            let former = isAnew ? 0 : before.buckets[index].count
            return (bucket.upperBound, bucket.count >= former ? bucket.count - former : 0)
        }
    }

    /// The value that a share of what came did not exceed, as Prometheus' histogram_quantile finds it: linear within a bucket,
    /// and the last bound for what lies beyond all.
    func quantile(_ share: Double) -> Double {
        let rank = share * Double(count)
        var (low, before) = (0.0, 0.0)
        for (bound, count) in buckets where bound != .infinity {
            if Double(count) >= rank {
                let inside = Double(count) - before
                return inside > 0 ? low + (bound - low) * (rank - before) / inside : bound
            }
            (low, before) = (bound, Double(count))
        }
        return low
    }
}
