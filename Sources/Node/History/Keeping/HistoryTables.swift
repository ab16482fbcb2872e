internal import JSON
internal import Metrics
package import Store

/// The history in its database. Rows are few and wide: a block has all series of ten seconds, of a minute or of an hour; a
/// chunk has one series of an hour of minutes, or of a week of hours.
package enum HistoryTables {
    package static let migrations = [
        StoreMigration(
            "history-1",
            """
            CREATE TABLE series (
                id INTEGER PRIMARY KEY,
                name TEXT NOT NULL,
                labels TEXT NOT NULL,
                seen INTEGER NOT NULL,
                UNIQUE (name, labels)
            );
            CREATE TABLE block (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                tier INTEGER NOT NULL,
                at INTEGER NOT NULL,
                points BLOB NOT NULL
            );
            CREATE INDEX block_tier ON block (tier);
            CREATE TABLE chunk (
                tier INTEGER NOT NULL,
                series INTEGER NOT NULL,
                at INTEGER NOT NULL,
                block INTEGER NOT NULL,
                points BLOB NOT NULL,
                PRIMARY KEY (tier, series, at, block)
            ) WITHOUT ROWID;
            CREATE TABLE rolled (
                tier INTEGER PRIMARY KEY,
                block INTEGER NOT NULL
            );
            """)
    ]

    // Series.

    /// The number of a series, which it gets when it is seen first.
    static func id(of key: SeriesKey, seen: Int, _ store: any StoreTransaction) throws(StoreFailure) -> Int {
        let labels = text(key.labels)
        let known = try store.first("SELECT id FROM series WHERE name = ?1 AND labels = ?2", [.text(key.name), .text(labels)])
        if let id = known?.integer(0) { return id }
        try store.execute(
            "INSERT INTO series (name, labels, seen) VALUES (?1, ?2, ?3)", [.text(key.name), .text(labels), StoreValue(seen)])
        return Int(store.lastInsertID)
    }

    /// Series of a name whose labels include others, those that were seen last first.
    static func series(
        _ name: String, _ labels: [MetricLabel], limit: Int, _ store: any StoreTransaction
    ) throws(StoreFailure) -> [(id: Int, labels: [MetricLabel])] {
        let rows = try store.query("SELECT id, labels FROM series WHERE name = ?1 ORDER BY seen DESC, id", [.text(name)])
        var found: [(id: Int, labels: [MetricLabel])] = []
        for row in rows where found.count < limit {
            guard let id = row.integer(0), let own = row.text(1).flatMap(read), labels.allSatisfy(own.contains) else { continue }
            found.append((id, own))
        }
        return found
    }

    private static func text(_ labels: [MetricLabel]) -> String {
        JSONWriter.text(.array(labels.map { .array([.string($0.name), .string($0.value)]) }))
    }

    private static func read(_ text: String) -> [MetricLabel]? {
        guard let pairs = try? JSONParser.parse(text).array else { return nil }
        return pairs.compactMap { pair in
            guard let pair = pair.array, pair.count == 2, let name = pair[0].string, let value = pair[1].string else { return nil }
            return MetricLabel(name, value)
        }
    }

    // Blocks.

    struct Block {
        var id: Int
        var at: Int
        var points: [UInt8]

        init(_ row: StoreRow) {
            id = row.integer(0)!
            at = row.integer(1)!
            points = row.blob(2)!
        }
    }

    static func insert(_ block: PointBlock, _ tier: Tier, _ store: any StoreTransaction) throws(StoreFailure) {
        try store.execute(
            "INSERT INTO block (tier, at, points) VALUES (?1, ?2, ?3)",
            [StoreValue(tier.rawValue), StoreValue(block.at), .blob(block.bytes)])
    }

    /// Blocks that have been put together to nothing yet, in the order in which they came.
    static func unrolled(_ tier: Tier, limit: Int = -1, _ store: any StoreTransaction) throws(StoreFailure) -> [Block] {
        try store.query(
            """
            SELECT id, at, points FROM block WHERE tier = ?1
                AND id > coalesce((SELECT block FROM rolled WHERE tier = ?1), 0) ORDER BY id LIMIT ?2
            """, [StoreValue(tier.rawValue), StoreValue(limit)]
        ).map { Block($0) }
    }

    static func blocks(
        _ tier: Tier, from: Int, to: Int, _ store: any StoreTransaction
    ) throws(StoreFailure) -> [Block] {
        try store.query(
            "SELECT id, at, points FROM block WHERE tier = ?1 AND at > ?2 AND at < ?3",
            [StoreValue(tier.rawValue), StoreValue(from), StoreValue(to)]
        ).map { Block($0) }
    }

    static func rolled(_ tier: Tier, upTo block: Int, _ store: any StoreTransaction) throws(StoreFailure) {
        try store.execute("INSERT OR REPLACE INTO rolled (tier, block) VALUES (?1, ?2)", [StoreValue(tier.rawValue), StoreValue(block)])
    }
}
