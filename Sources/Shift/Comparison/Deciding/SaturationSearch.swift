/// Whether a rung keeps up with a rate.
///
/// A rate is too high when one of these holds, compared with calls one at a time:
/// - fewer than 90 % of the calls that arrived in a second end in a second;
/// - nine of ten calls do not end within ten times the 90th percentile, or 10 ms more than it if that is longer;
/// - calls fail that do not fail one at a time.
/// With open load a rate that is a little too high lets the backlog, and with it every latency, grow as long as it lasts.
package struct SaturationRule: Hashable, Sendable {
    /// Of calls one at a time, nanoseconds.
    package var unloadedP90: Int
    package var failsUnloaded: Bool

    package static let leastAchieved = 0.9
    package static let latencyFactor = 10
    package static let latencyGraceNanoseconds = 10_000_000

    package init(unloadedP90: Int, failsUnloaded: Bool = false) {
        self.unloadedP90 = unloadedP90
        self.failsUnloaded = failsUnloaded
    }

    package var latencyLimit: Int {
        max(unloadedP90 * Self.latencyFactor, unloadedP90 + Self.latencyGraceNanoseconds)
    }

    /// Why the rate is too high; empty when it is not.
    package func saturation(_ point: LoadPoint) -> String {
        if !failsUnloaded, let failed = point.failures.kinds.first {
            return
                "\(FloatingText.grouped(failed.count)) of \(FloatingText.grouped(point.calls)) calls \(failed.kind.words)"
        }
        let p90 = point.latency.value(atPercentile: 90)
        if p90 > latencyLimit {
            return
                "p90 is \(FloatingText.duration(nanoseconds: p90)), more than \(FloatingText.duration(nanoseconds: latencyLimit))"
        }
        if point.achievedPerSecond < Self.leastAchieved * point.offeredPerSecond {
            return
                "\(FloatingText.rate(perSecond: point.achievedPerSecond)) of \(FloatingText.rate(perSecond: point.offeredPerSecond)) ended"
        }
        return ""
    }

    package var words: String {
        "A rate is kept up with while at least 90 % of it is achieved, no call fails for it, and 90 % of the calls end within "
            + "\(FloatingText.duration(nanoseconds: latencyLimit)) of their intended arrival (ten times the 90th percentile of calls "
            + "one at a time, at least 10 ms more than it). The knee is the highest such rate that was offered."
    }
}

/// Looks for the highest rate that a rung keeps up with: doubles the rate until it is too high (or halves it until it is not),
/// then goes between the two.
///
/// Invariants:
/// 1. No rate is tried above one that was too high, nor below one that was not. Test: `the search closes in on any knee`.
/// 2. It ends after `steps` rates. Test: `the search closes in on any knee`.
package struct SaturationSearch: Hashable, Sendable {
    private var rate: Double
    private var stepsLeft: Int
    private var kept: Double?
    private var saturated: Double?
    /// How close it comes: the rate that was too high divided by the one that was not.
    package static let precision = 1.15
    /// Below one call in twenty seconds there is nothing to find.
    package static let lowest = 0.05

    package init(first: Double, steps: Int) {
        precondition(first > 0 && first.isFinite && steps > 0, "a search begins somewhere")
        rate = first
        stepsLeft = steps
    }

    /// The rate to try next; nil: the search has ended.
    package var next: Double? {
        guard stepsLeft > 0, rate >= Self.lowest else { return nil }
        if let kept, let saturated, saturated / kept <= Self.precision { return nil }
        return rate
    }

    package mutating func record(isSaturated: Bool) {
        stepsLeft -= 1
        if isSaturated { saturated = rate } else { kept = rate }
        rate =
            switch (kept, saturated) {
            case (let kept?, let saturated?): (kept * saturated).squareRoot()
            case (_?, nil): rate * 2
            case (nil, _): rate / 2
            }
    }

    /// What was found; nil: no rate that was tried was kept up with.
    package func knee(rule: String) -> Knee? {
        kept.map { Knee(perSecond: $0, saturatedPerSecond: saturated, rule: rule) }
    }
}
