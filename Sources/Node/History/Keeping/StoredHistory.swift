package import Linux
package import Metrics
package import Store
internal import Synchronization

/// The history in a database of its own, STATE/history.db: what is measured is not worth the disk of what is declared.
///
/// Invariants
/// 1. A node that is killed loses at most the seconds since the last block, and nothing that was there before.
///    (test: `a history survives kill -9`)
/// 2. A disk that is full costs what is measured meanwhile, and nothing else. (test: `a full disk is told of once`)
package final class StoredHistory: MeasurementHistory {
    /// What the database may take at most, bytes: about 800 series that never rest, with all their tiers.
    package static let spaceLimit = 256 << 20

    package let database: StateDatabase
    private let spaceLimit: Int
    private let now: @Sendable () -> Timestamp

    private struct State {
        /// Numbers that series have; of those that were seen lately.
        var ids: [SeriesKey: Int] = [:]
        /// What is not in the database yet.
        var open: SecondBlock?
        var prunedAt: Int?
    }

    private let state = Mutex(State())

    /// - Parameter database: opened with `HistoryTables.migrations`.
    package init(
        _ database: StateDatabase, spaceLimit: Int = spaceLimit, now: @escaping @Sendable () -> Timestamp = { Clock.now() }
    ) {
        self.database = database
        self.spaceLimit = spaceLimit
        self.now = now
    }

    // Writing.

    /// What is being measured, so that questions are answered to the second.
    package func show(_ block: SecondBlock?) { state.withLock { $0.open = block } }

    /// Writes a block, and puts together what is over.
    ///
    /// - Parameter mayPrune: whether the clock can be trusted: then what is too old is thrown away.
    package func record(_ block: SecondBlock, mayPrune: Bool) async throws(StoreFailure) {
        let known = state.withLock { state in
            // Series come and go: from time to time everything is looked up anew.
            if state.ids.count > 4 * SampleReader.seriesLimit { state.ids = [:] }
            return state.ids
        }
        let spaceLimit = spaceLimit
        let prunes = mayPrune && state.withLock { $0.prunedAt.map { abs(block.at - $0) >= 3600 } ?? true }
        let found = try await database.write { store throws(StoreFailure) in
            var found: [SeriesKey: Int] = [:]
            var points: [Int: [SlotPoint?]] = [:]
            for (key, slots) in block.points {
                let id: Int
                if let number = known[key] {
                    id = number
                } else {
                    id = try HistoryTables.id(of: key, seen: block.at, store)
                    found[key] = id
                }
                points[id] = slots
            }
            try HistoryTables.insert(PointBlock(at: block.at, slots: SecondBlock.seconds, points: points), .seconds, store)
            try RollUp.perform(now: block.at, store)
            if mayPrune { try Pruning.blocks(now: block.at, store) }
            if prunes { try Pruning.chunks(now: block.at, store) }
            try Pruning.space(spaceLimit, store)
            return found
        }
        state.withLock { state in
            if prunes {
                state.prunedAt = block.at
                // A series that was thrown away meanwhile gets a new number.
                state.ids = state.ids.filter { block.points[$0.key] != nil }
            }
            state.ids.merge(found) { $1 }
        }
    }

    // Reading.

    package func series(
        _ name: String, labels: [MetricLabel], from: Timestamp, to: Timestamp, points: Int, limit: Int
    ) async throws(HistoryError) -> [MeasuredSeries] {
        guard let query = HistoryQuery(from: from, to: to, points: points, now: now()), limit > 0 else {
            throw HistoryError(
                "read the history of \(name): a time has to end after it begins, and at least one point of one series is wanted")
        }
        let open = state.withLock { $0.open }
        do throws(StoreFailure) {
            return try await database.read { store throws(StoreFailure) in
                try Self.read(query, name, labels, limit, open, store)
            }
        } catch { throw HistoryError("read the history of \(name): \(error)") }
    }

    private static func read(
        _ query: HistoryQuery, _ name: String, _ labels: [MetricLabel], _ limit: Int, _ open: SecondBlock?,
        _ store: any StoreTransaction
    ) throws(StoreFailure) -> [MeasuredSeries] {
        let series = try HistoryTables.series(name, labels, limit: limit, store)
        var slots: [Int: HistoryQuery.Slots] = [:]
        for one in series { slots[one.id] = HistoryQuery.Slots(query) }
        try readChunks(query, &slots, store)
        try readBlocks(query, &slots, store)
        for one in series {
            for (slot, point) in (open?.points[SeriesKey(name, one.labels)] ?? []).enumerated() {
                if let point { slots[one.id]!.add(point, at: open!.at + slot) }
            }
        }
        var result = series.compactMap { one -> MeasuredSeries? in
            let found = slots[one.id]!
            return found.isEmpty ? nil : MeasuredSeries(name, labels: one.labels, points: found.points)
        }
        // What was measured first a moment ago has no number yet.
        if let open, result.count < limit {
            let known = Set(series.map(\.labels))
            for (key, points) in open.points.sorted(by: { $0.key.order.lexicographicallyPrecedes($1.key.order) })
            where key.name == name && !known.contains(key.labels) && labels.allSatisfy(key.labels.contains) && result.count < limit {
                var found = HistoryQuery.Slots(query)
                for (slot, point) in points.enumerated() { if let point { found.add(point, at: open.at + slot) } }
                if !found.isEmpty { result.append(MeasuredSeries(name, labels: key.labels, points: found.points)) }
            }
        }
        return result
    }

    private static func readChunks(
        _ query: HistoryQuery, _ slots: inout [Int: HistoryQuery.Slots], _ store: any StoreTransaction
    ) throws(StoreFailure) {
        let tier = query.tier
        guard let count = tier.chunkSlots else { return }
        for id in Array(slots.keys) {
            let rows = try store.query(
                "SELECT at, points FROM chunk WHERE tier = ?1 AND series = ?2 AND at > ?3 AND at < ?4",
                [StoreValue(tier.rawValue), StoreValue(id), StoreValue(query.start - tier.groupSpan), StoreValue(query.end)])
            for row in rows {
                let at = row.integer(0)!
                var reader = PointCoding.Reader(row.blob(1)!)
                _ = reader.runs(of: count) { range, point in
                    for slot in range { slots[id]!.add(point, at: at + slot * tier.resolution) }
                }
            }
        }
    }

    /// Blocks of the tier, and of finer ones what has not become a point of it yet.
    private static func readBlocks(
        _ query: HistoryQuery, _ slots: inout [Int: HistoryQuery.Slots], _ store: any StoreTransaction
    ) throws(StoreFailure) {
        let wanted = Set(slots.keys)
        for tier in Tier.allCases where tier <= query.tier {
            let span = tier.blockSlots * tier.resolution
            let blocks =
                tier == query.tier
                ? try HistoryTables.blocks(tier, from: query.start - span, to: query.end, store)
                : try HistoryTables.unrolled(tier, store)
            for block in blocks {
                _ = PointBlock.read(block.points, slots: tier.blockSlots, of: wanted) { id, range, point in
                    for slot in range { slots[id]!.add(point, at: block.at + slot * tier.resolution) }
                }
            }
        }
    }
}

extension SeriesKey {
    /// For a fixed order.
    var order: [String] { labels.map(\.value) }
}
