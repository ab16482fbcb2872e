import Linux

/// Which points answer a question: of which tier, and in slots of which length. Pure.
///
/// Invariants
/// 1. There are never more points than asked for. (test: `there are never more points than asked for`)
/// 2. A time is answered from the tier that still has it, in the resolution that was asked for where that is coarser.
///    (test: `the tier is the one that has the time, and no finer than needed`)
struct HistoryQuery: Hashable, Sendable {
    let tier: Tier
    /// Seconds since 1970, of the first slot and behind the last.
    let start: Int
    let end: Int
    /// Seconds of a slot.
    let step: Int

    /// nil for a time without any length.
    init?(from: Timestamp, to: Timestamp, points: Int, now: Timestamp) {
        let (first, last) = (from.nanoseconds / 1_000_000_000, to.nanoseconds / 1_000_000_000)
        guard last > first, points > 0 else { return nil }
        let asked = max(1, (last - first + points - 1) / points)
        let age = now.nanoseconds / 1_000_000_000 - first
        // Blocks go a little later than they might, so that a question for just an hour gets seconds.
        let covering = Tier.allCases.filter { age <= $0.kept + $0.groupSpan }
        let having = covering.isEmpty ? [.hours] : covering
        tier = having.last { $0.resolution <= asked } ?? having[0]
        start = Tier.floor(first, to: tier.resolution)
        end = last
        var step = (asked + tier.resolution - 1) / tier.resolution * tier.resolution
        while (last - start + step - 1) / step > points { step += tier.resolution }
        self.step = step
    }

    /// Put together slot by slot.
    struct Slots {
        private let query: HistoryQuery
        private var sums: [Int: SlotPoint] = [:]

        init(_ query: HistoryQuery) { self.query = query }

        mutating func add(_ point: SlotPoint, at second: Int) {
            guard second >= query.start, second < query.end else { return }
            let slot = (second - query.start) / query.step
            sums[slot] = sums[slot]?.merged(with: point) ?? point
        }

        var isEmpty: Bool { sums.isEmpty }

        var points: [MeasuredPoint] {
            sums.sorted { $0.key < $1.key }.map { slot, point in
                MeasuredPoint(
                    at: Timestamp(nanoseconds: (query.start + slot * query.step) * 1_000_000_000), minimum: Double(point.minimum),
                    mean: Double(point.mean), maximum: Double(point.maximum))
            }
        }
    }
}
