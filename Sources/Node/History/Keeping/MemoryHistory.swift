package import Linux
package import Metrics
internal import Synchronization

/// A history in memory: the model that the one in the database is held against, and what tests and tools use.
package final class MemoryHistory: MeasurementHistory {
    private struct State {
        /// By series, tier and beginning.
        var points: [SeriesKey: [Tier: [Int: SlotPoint]]] = [:]
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> Timestamp

    package init(now: @escaping @Sendable () -> Timestamp = { Clock.now() }) { self.now = now }

    package func record(_ block: SecondBlock) {
        state.withLock { state in
            for (key, slots) in block.points {
                for (slot, point) in slots.enumerated() {
                    guard let point else { continue }
                    for tier in Tier.allCases {
                        let at = Tier.floor(block.at + slot, to: tier.resolution)
                        state.points[key, default: [:]][tier, default: [:]][at].merge(point)
                    }
                }
            }
        }
    }

    package func series(
        _ name: String, labels: [MetricLabel], from: Timestamp, to: Timestamp, points: Int, limit: Int
    ) async throws(HistoryError) -> [MeasuredSeries] {
        guard let query = HistoryQuery(from: from, to: to, points: points, now: now()), limit > 0 else {
            throw HistoryError(
                "read the history of \(name): a time has to end after it begins, and at least one point of one series is wanted")
        }
        let found = state.withLock { $0.points }.filter { key, _ in key.name == name && labels.allSatisfy(key.labels.contains) }
        return found.sorted { $0.key.order.lexicographicallyPrecedes($1.key.order) }.prefix(limit).compactMap { key, tiers in
            var slots = HistoryQuery.Slots(query)
            for (at, point) in tiers[query.tier] ?? [:] { slots.add(point, at: at) }
            return slots.isEmpty ? nil : MeasuredSeries(name, labels: key.labels, points: slots.points)
        }
    }
}
