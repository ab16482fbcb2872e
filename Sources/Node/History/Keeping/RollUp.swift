internal import Store

/// Puts the points of a time that is over together: seconds to a minute, minutes to an hour; and moves what stood in blocks
/// to where one series is read at once.
///
/// Blocks are taken in the order in which they came, not in that of their times: a clock that was set back makes blocks of
/// times that there are already, and who reads merges them.
///
/// Invariants
/// 1. Every block is put together once, whatever the clock did and whenever the node was killed.
///    (tests: `a history in the database answers as the model does`, `the clock is set back and forward`)
enum RollUp {
    /// Blocks of one step: a backlog is worked off in several.
    private static let blockLimit = 720

    /// - Parameter now: the second of the newest block: its minute, hour and week go on.
    static func perform(now: Int, _ store: any StoreTransaction) throws(StoreFailure) {
        for tier in Tier.allCases { try roll(tier, now, store) }
    }

    private static func roll(_ tier: Tier, _ now: Int, _ store: any StoreTransaction) throws(StoreFailure) {
        let current = Tier.floor(now, to: tier.groupSpan)
        let blocks = try HistoryTables.unrolled(tier, limit: blockLimit, store)
        var index = 0
        var last: Int?
        while index < blocks.count {
            let group = Tier.floor(blocks[index].at, to: tier.groupSpan)
            if group == current { break }
            let end = blocks[index...].firstIndex { Tier.floor($0.at, to: tier.groupSpan) != group } ?? blocks.count
            try roll(tier, group, blocks[index..<end], store)
            last = blocks[end - 1].id
            index = end
        }
        if let last {
            try HistoryTables.rolled(tier, upTo: last, store)
            if tier.chunkSlots != nil {
                try store.execute("DELETE FROM block WHERE tier = ?1 AND id <= ?2", [StoreValue(tier.rawValue), StoreValue(last)])
            }
        }
    }

    private static func roll(
        _ tier: Tier, _ group: Int, _ blocks: ArraySlice<HistoryTables.Block>, _ store: any StoreTransaction
    ) throws(StoreFailure) {
        var sums: [Int: SlotPoint] = [:]
        var chunks: [Int: [SlotPoint?]] = [:]
        let slots = tier.chunkSlots ?? 0
        for block in blocks {
            // A block that the disk has damaged is left out: the rest of the hour is good.
            _ = PointBlock.read(block.points, slots: tier.blockSlots, of: nil) { id, range, point in
                for slot in range {
                    sums[id] = sums[id]?.merged(with: point) ?? point
                    guard slots > 0 else { continue }
                    let place = (block.at - group) / tier.resolution + slot
                    if place < slots { chunks[id, default: Array(repeating: nil, count: slots)][place].merge(point) }
                }
            }
        }
        if let next = tier.next, !sums.isEmpty {
            try HistoryTables.insert(PointBlock(at: group, slots: 1, points: sums.mapValues { [$0] }), next, store)
        }
        for (id, points) in chunks {
            var bytes: [UInt8] = []
            PointCoding.write(points, to: &bytes)
            try store.execute(
                "INSERT INTO chunk (tier, series, at, block, points) VALUES (?1, ?2, ?3, ?4, ?5)",
                [
                    StoreValue(tier.rawValue), StoreValue(id), StoreValue(group), StoreValue(blocks.first!.id), .blob(bytes),
                ])
        }
        if tier == .minutes {
            for id in sums.keys {
                try store.execute("UPDATE series SET seen = max(seen, ?2) WHERE id = ?1", [StoreValue(id), StoreValue(group)])
            }
        }
    }
}
