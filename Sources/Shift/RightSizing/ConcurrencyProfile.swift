/// How many calls ran at once.
package struct ConcurrencyProfile: Hashable, Sendable {
    /// For each call, in the order of their begins: how many ran when it began, itself included.
    package let found: [Int]
    /// Over the time from the first begin to the last end.
    package let mean: Double
    package var peak: Int { found.max() ?? 0 }

    package init(_ samples: [CallSample]) {
        let sorted = samples.sorted { $0.start < $1.start }
        let ends = samples.map { $0.start + $0.seconds }.sorted()
        var ended = 0
        var found: [Int] = []
        found.reserveCapacity(sorted.count)
        for (index, sample) in sorted.enumerated() {
            // Who ends at the very moment has made room.
            while ended < ends.count, ends[ended] <= sample.start { ended += 1 }
            found.append(max(1, index + 1 - ended))
        }
        self.found = found
        let span = (ends.last ?? 0) - (sorted.first?.start ?? 0)
        mean = span > 0 ? samples.reduce(0) { $0 + $1.seconds } / span : 0
    }

    /// Calls that would have found all of so many instances busy.
    package func beyond(_ instances: Int) -> Int { found.count { $0 > instances } }

    /// The fewest instances of which at most such a share of the calls would have found none free.
    package func instances(for share: Double) -> Int {
        let allowed = Int(Double(found.count) * share)
        let sorted = found.sorted(by: >)
        return allowed < sorted.count ? sorted[allowed] : 0
    }
}
