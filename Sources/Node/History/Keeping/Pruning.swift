internal import Store

/// Throws away what is too old, and more where there is too much.
///
/// Invariants
/// 1. The database stays within its bound of space. (test: `the space is bounded`)
enum Pruning {
    /// What is dated later than this, seconds from now, was written by a clock that was wrong.
    private static let future = 3600

    /// What is too old. It looks at every row of chunks: once an hour is enough.
    static func chunks(now: Int, _ store: any StoreTransaction) throws(StoreFailure) {
        for tier in Tier.allCases where tier.chunkSlots != nil {
            try store.execute(
                "DELETE FROM chunk WHERE tier = ?1 AND (at < ?2 OR at > ?3)",
                [StoreValue(tier.rawValue), StoreValue(now - tier.kept - 2 * tier.groupSpan), StoreValue(now + future)])
        }
        try store.execute("DELETE FROM series WHERE seen < ?1", [StoreValue(now - Tier.hours.kept - 2 * Tier.hours.groupSpan)])
    }

    static func blocks(now: Int, _ store: any StoreTransaction) throws(StoreFailure) {
        // Those of other tiers go when they are put together. Seconds stay a little longer than they are kept.
        try store.execute(
            """
            DELETE FROM block WHERE tier = ?1 AND (at < ?2 OR at > ?3)
                AND id <= coalesce((SELECT block FROM rolled WHERE tier = ?1), 0)
            """,
            [
                StoreValue(Tier.seconds.rawValue), StoreValue(now - Tier.seconds.kept - 2 * Tier.seconds.groupSpan),
                StoreValue(now + future),
            ])
    }

    /// Seconds beyond those of an hour go, then the oldest day of minutes, then the oldest weeks of hours: also when the clock
    /// cannot be trusted.
    static func space(_ limit: Int, _ store: any StoreTransaction) throws(StoreFailure) {
        guard try used(store) > limit else { return }
        try store.execute(
            """
            DELETE FROM block WHERE tier = ?1 AND id <= coalesce((SELECT block FROM rolled WHERE tier = ?1), 0) AND id <=
                (SELECT id FROM block WHERE tier = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
            """, [StoreValue(Tier.seconds.rawValue), StoreValue(Tier.seconds.kept / SecondBlock.seconds)])
        for _ in 0..<1000 {
            guard try used(store) > limit else { return }
            guard
                let row = try store.first("SELECT tier, min(at) FROM chunk GROUP BY tier ORDER BY tier LIMIT 1"),
                let tier = row.integer(0), let oldest = row.integer(1)
            else { return }
            let span = tier == Tier.minutes.rawValue ? 86_400 : Tier.hours.groupSpan
            try store.execute(
                "DELETE FROM chunk WHERE tier = ?1 AND at < ?2", [StoreValue(tier), StoreValue(oldest + span)])
        }
    }

    /// Bytes of pages that hold something.
    static func used(_ store: any StoreTransaction) throws(StoreFailure) -> Int {
        func number(_ name: String) throws(StoreFailure) -> Int { try store.first("PRAGMA \(name)")?.integer(0) ?? 0 }
        return (try number("page_count") - number("freelist_count")) * (try number("page_size"))
    }
}
