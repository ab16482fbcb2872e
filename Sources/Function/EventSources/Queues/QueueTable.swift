internal import JSON
internal import Linux
package import Store

/// The queues in the database.
package enum QueueTable {
    package static let migration = StoreMigration(
        "queues-1",
        """
        CREATE TABLE queue (
            name TEXT PRIMARY KEY,
            created_at INTEGER NOT NULL,
            changed_at INTEGER NOT NULL,
            purged_at INTEGER,
            attributes TEXT NOT NULL,
            tags TEXT NOT NULL
        );
        CREATE TABLE queue_message (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            queue TEXT NOT NULL,
            id TEXT NOT NULL,
            message_group TEXT,
            deduplication_id TEXT,
            sent_at INTEGER NOT NULL,
            visible_at INTEGER NOT NULL,
            receives INTEGER NOT NULL DEFAULT 0,
            first_received_at INTEGER,
            nonce INTEGER,
            origin TEXT,
            trace TEXT,
            attributes TEXT NOT NULL,
            body TEXT NOT NULL
        );
        CREATE INDEX queue_message_visible ON queue_message (queue, visible_at, sequence);
        CREATE INDEX queue_message_sent ON queue_message (queue, sent_at);
        CREATE INDEX queue_message_group ON queue_message (queue, message_group, sequence);
        CREATE INDEX queue_message_received ON queue_message (queue, message_group, visible_at) WHERE nonce IS NOT NULL;
        CREATE TABLE queue_group (
            queue TEXT NOT NULL,
            message_group TEXT NOT NULL,
            first_sequence INTEGER NOT NULL,
            free_at INTEGER NOT NULL,
            PRIMARY KEY (queue, message_group)
        ) WITHOUT ROWID;
        CREATE INDEX queue_group_order ON queue_group (queue, first_sequence);
        CREATE TABLE queue_deduplication (
            queue TEXT NOT NULL,
            key TEXT NOT NULL,
            sent_at INTEGER NOT NULL,
            id TEXT NOT NULL,
            sequence INTEGER NOT NULL,
            PRIMARY KEY (queue, key)
        ) WITHOUT ROWID;
        CREATE INDEX queue_deduplication_age ON queue_deduplication (queue, sent_at);
        CREATE TABLE queue_move (
            handle TEXT PRIMARY KEY,
            source TEXT NOT NULL,
            destination TEXT,
            per_second INTEGER,
            last_sequence INTEGER NOT NULL,
            to_move INTEGER NOT NULL,
            moved INTEGER NOT NULL DEFAULT 0,
            status TEXT NOT NULL,
            problem TEXT,
            started_at INTEGER NOT NULL
        );
        """)

    struct Record {
        var name: String
        var createdAt: Timestamp
        var changedAt: Timestamp
        var purgedAt: Timestamp?
        var attributes: QueueAttributes
        var tags: [String: String]
    }

    static func record(_ name: String, _ transaction: any StoreTransaction) throws(StoreFailure) -> Record? {
        try transaction.first(
            "SELECT name, created_at, changed_at, purged_at, attributes, tags FROM queue WHERE name = ?1", [.text(name)]
        ).map(read)
    }

    static func all(_ transaction: any StoreTransaction) throws(StoreFailure) -> [Record] {
        try transaction.query(
            "SELECT name, created_at, changed_at, purged_at, attributes, tags FROM queue ORDER BY name"
        )
        .map(read)
    }

    static func write(_ record: Record, _ transaction: any StoreTransaction) throws(StoreFailure) {
        try transaction.execute(
            """
            INSERT INTO queue (name, created_at, changed_at, purged_at, attributes, tags) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            ON CONFLICT (name) DO UPDATE SET changed_at = ?3, purged_at = ?4, attributes = ?5, tags = ?6
            """,
            [
                .text(record.name), StoreValue(record.createdAt.nanoseconds), StoreValue(record.changedAt.nanoseconds),
                StoreValue(record.purgedAt?.nanoseconds), .text(JSONWriter.text(record.attributes.texts.json)),
                .text(JSONWriter.text(record.tags.json)),
            ])
    }

    /// Removes what a queue holds, and the queue with `andItself`.
    static func empty(_ name: String, andItself: Bool, _ transaction: any StoreTransaction) throws(StoreFailure) {
        for table in ["queue_message", "queue_group"] + (andItself ? ["queue_deduplication"] : []) {
            try transaction.execute("DELETE FROM \(table) WHERE queue = ?1", [.text(name)])
        }
        if andItself { try transaction.execute("DELETE FROM queue WHERE name = ?1", [.text(name)]) }
    }

    private static func read(_ row: StoreRow) -> Record {
        let name = row.text(0)!
        var attributes = QueueAttributes(isFIFO: QueueName.isFIFO(name))
        // What this program wrote it can read.
        let texts = [String: String](json: try! JSONParser.parse(row.text(4)!))!
        try! attributes.set(texts, isCreation: true)
        return Record(
            name: name, createdAt: Timestamp(nanoseconds: row.integer(1)!),
            changedAt: Timestamp(nanoseconds: row.integer(2)!),
            purgedAt: row.integer(3).map { Timestamp(nanoseconds: $0) }, attributes: attributes,
            tags: [String: String](json: try! JSONParser.parse(row.text(5)!))!)
    }
}
