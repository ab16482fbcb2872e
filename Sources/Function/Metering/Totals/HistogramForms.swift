extension DurationHistogram {
    /// As it is kept: how many buckets are filled, then pairs of number and count, all as packed numbers.
    package var packed: [UInt8] {
        var numbers = PackedNumbers()
        write(to: &numbers)
        return numbers.bytes
    }

    /// nil when the bytes are damaged.
    package init?(packed bytes: [UInt8]) {
        var numbers = PackedNumbers.Reader(bytes)
        guard let histogram = DurationHistogram(&numbers), numbers.isAtEnd else { return nil }
        self = histogram
    }

    /// For each bound, ascending, how many durations do not exceed it: within a bucket's width (12.5 %).
    package func counts(upTo microseconds: [Int]) -> [Int] {
        var result: [Int] = []
        var (bucket, seen) = (0, 0)
        let all = filledBuckets
        for bound in microseconds {
            while bucket < all.count, Self.middle(of: all[bucket].bucket) <= bound {
                seen = seen.clampedAdding(all[bucket].count)
                bucket += 1
            }
            result.append(seen)
        }
        return result
    }
}
