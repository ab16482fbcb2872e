/// When calls have become as fast as they will be: windows of calls, until the medians of two in a row hardly differ.
package struct WarmUp: Hashable, Sendable {
    /// Calls in a window.
    package var window = 10
    /// How far the medians may differ, as a part of the smaller one.
    package var tolerance = 0.05
    /// Calls after which it ends, stable or not.
    package var limit = 60

    private var samples: [Int] = []
    private var last: Double?

    package enum Verdict: Hashable, Sendable { case goesOn, stable, unstable }

    package init(window: Int = 10, tolerance: Double = 0.05, limit: Int = 60) {
        precondition(window > 0 && limit >= window, "a warm-up has a window and room for it")
        self.window = window
        self.tolerance = tolerance
        self.limit = limit
    }

    package private(set) var count = 0

    /// Counts a call.
    package mutating func record(_ nanoseconds: Int) -> Verdict {
        count += 1
        samples.append(nanoseconds)
        guard samples.count == window else { return count >= limit ? .unstable : .goesOn }
        let median = Statistics.median(samples.map(Double.init))
        samples = []
        defer { last = median }
        if let last, abs(median - last) <= tolerance * min(median, last) { return .stable }
        return count >= limit ? .unstable : .goesOn
    }

    package var words: String {
        "calls in windows of \(window), until the medians of two windows differ by at most \(FloatingText.short(tolerance * 100)) %, "
            + "at most \(limit) calls"
    }
}
