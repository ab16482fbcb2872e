internal import Glibc

/// How far a share may lie above what was counted.
package enum ShareBound {
    /// The upper end of the one-sided 95 % interval of Clopper and Pearson ("The use of confidence or fiducial limits", Biometrika
    /// 26, 1934): the share at which so few would be seen in one of twenty cases. Of none in n it is about 3/n.
    package static func upper95(_ count: Int, of total: Int) -> Double {
        guard total > 0, count < total else { return 1 }
        if count == 0 { return 1 - pow(0.05, 1 / Double(total)) }
        var (low, high) = (Double(count) / Double(total), 1.0)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if atMost(count, of: total, share: middle) > 0.05 { low = middle } else { high = middle }
        }
        return high
    }

    /// The probability of `count` or fewer, binomial: summed from the largest term down, in logarithms.
    private static func atMost(_ count: Int, of total: Int, share: Double) -> Double {
        guard share > 0 else { return 1 }
        guard share < 1 else { return 0 }
        let (n, odds) = (Double(total), share / (1 - share))
        let first =
            lgamma(n + 1) - lgamma(Double(count) + 1) - lgamma(n - Double(count) + 1) + Double(count) * log(share)
            + (n - Double(count)) * log1p(-share)
        var (term, sum) = (1.0, 1.0)
        for k in stride(from: count, to: 0, by: -1) {
            term *= Double(k) / (Double(total - k + 1) * odds)
            sum += term
            if term < sum * 1e-12 { break }
        }
        return exp(first) * sum
    }
}
