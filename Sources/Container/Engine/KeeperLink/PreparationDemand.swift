/// Decides for which templates children are prepared ahead: those that were started several times of late.
///
/// A program that is run once is not worth a waiting child; one that a legacy caller starts for every transaction is.
/// Invariant: what was asked to be prepared is let go when nobody has started it for a while.
/// (test: `a template that nobody starts any more is let go`)
package struct PreparationDemand: Sendable {
    /// So many starts within the window make a template worth preparing for.
    package static let startsNeeded = 3
    package static let window = Duration.seconds(10)
    /// Children kept waiting; the keeper refills when half are taken.
    package static let count = 8

    private struct Use: Sendable {
        var starts: [ContinuousClock.Instant] = []
        var isPrepared = false
    }

    private var uses: [UInt32: Use] = [:]

    package init() {}

    /// Notes a start; true: from now on children should wait for this template.
    package mutating func started(_ template: UInt32, at now: ContinuousClock.Instant) -> Bool {
        var use = uses[template] ?? Use()
        use.starts = use.starts.suffix(Self.startsNeeded - 1) + [now]
        defer { uses[template] = use }
        guard !use.isPrepared, use.starts.count == Self.startsNeeded, now - use.starts[0] <= Self.window else { return false }
        use.isPrepared = true
        return true
    }

    /// Templates whose children should go, since nobody has started them within the window.
    package mutating func released(at now: ContinuousClock.Instant) -> [UInt32] {
        let idle = uses.filter { now - ($0.value.starts.last ?? now) > Self.window }
        for template in idle.keys { uses[template] = nil }
        return idle.filter(\.value.isPrepared).map(\.key).sorted()
    }

    /// Whether anything is prepared that will have to be let go.
    package var isActive: Bool { uses.contains { $0.value.isPrepared } }

    /// Forgets everything: the keeper that knew these templates is gone.
    package mutating func reset() { uses = [:] }
}
