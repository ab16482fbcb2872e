/// Percentiles by nearest rank: the p-th percentile of n values is the smallest of them that at least p percent of them do
/// not exceed, which is number ⌈p·n/100⌉ in ascending order. It is always a value that was seen, never one between two.
package enum NearestRank {
    /// The place of a percentile among `count` values in ascending order, from 1; 1 when there is none.
    ///
    /// - Parameter percent: 0 to 100; 0 is the smallest value.
    package static func rank(_ percent: Int, of count: Int) -> Int {
        precondition((0...100).contains(percent), "a percentile lies between 0 and 100")
        // ⌈percent · count / 100⌉ without the product, which may be larger than a number can be.
        return max(1, count / 100 * percent + (count % 100 * percent + 99) / 100)
    }

    /// The percentile of values in ascending order; nil of none.
    package static func value<Value>(_ percent: Int, of ascending: [Value]) -> Value? {
        ascending.isEmpty ? nil : ascending[rank(percent, of: ascending.count) - 1]
    }
}
