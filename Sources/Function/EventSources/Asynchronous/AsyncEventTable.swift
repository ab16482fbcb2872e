internal import JSON
internal import Linux
package import Store

/// The accepted events in the database.
package enum AsyncEventTable {
    package static let migration = StoreMigration(
        "events-1",
        """
        CREATE TABLE async_event (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            request_id TEXT NOT NULL,
            target TEXT NOT NULL,
            source TEXT NOT NULL,
            order_key TEXT,
            accepted_at INTEGER NOT NULL,
            due_at INTEGER,
            invokes INTEGER NOT NULL,
            function_errors INTEGER NOT NULL,
            refusals INTEGER NOT NULL,
            details TEXT NOT NULL,
            payload BLOB NOT NULL
        );
        """)

    /// - Returns: the event with its sequence number.
    static func insert(_ event: AsyncEvent, _ transaction: any StoreTransaction) throws(StoreFailure) -> AsyncEvent {
        try transaction.execute(
            """
            INSERT INTO async_event (request_id, target, source, order_key, accepted_at, due_at, invokes, function_errors,
                refusals, details, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            """,
            [
                .text(event.requestID), .text(event.target), .text(event.source), StoreValue(event.orderKey),
                StoreValue(event.acceptedAt.nanoseconds), StoreValue(event.dueAt?.nanoseconds),
                StoreValue(event.invokes),
                StoreValue(event.functionErrors), StoreValue(event.refusals),
                .text(JSONWriter.text(details(of: event))),
                .blob(event.payload),
            ])
        var accepted = event
        accepted.sequence = Int(transaction.lastInsertID)
        return accepted
    }

    /// What an attempt has changed.
    static func update(_ event: AsyncEvent, _ transaction: any StoreTransaction) throws(StoreFailure) {
        try transaction.execute(
            "UPDATE async_event SET invokes = ?2, function_errors = ?3, refusals = ?4, due_at = ?5 WHERE sequence = ?1",
            [
                StoreValue(event.sequence), StoreValue(event.invokes), StoreValue(event.functionErrors),
                StoreValue(event.refusals), StoreValue(event.dueAt?.nanoseconds),
            ])
    }

    static func remove(_ sequence: Int, _ transaction: any StoreTransaction) throws(StoreFailure) {
        try transaction.execute("DELETE FROM async_event WHERE sequence = ?1", [StoreValue(sequence)])
    }

    static func event(_ sequence: Int, _ transaction: any StoreTransaction) throws(StoreFailure) -> AsyncEvent? {
        try transaction.first(
            """
            SELECT sequence, request_id, target, source, order_key, accepted_at, due_at, invokes, function_errors, refusals,
                details, payload FROM async_event WHERE sequence = ?1
            """, [StoreValue(sequence)]
        ).map(read)
    }

    /// What the queue must know of every event, oldest first, without the payloads.
    static func entries(_ transaction: any StoreTransaction) throws(StoreFailure) -> [AsyncQueue.Entry] {
        try transaction.query("SELECT sequence, target, order_key, due_at FROM async_event ORDER BY sequence").map {
            row in
            var event = AsyncEvent(
                requestID: "", target: row.text(1)!, payload: [], source: "", trace: "",
                acceptedAt: Timestamp(nanoseconds: 0))
            event.sequence = row.integer(0)!
            event.orderKey = row.text(2)
            event.dueAt = row.integer(3).map { Timestamp(nanoseconds: $0) }
            return event.entry
        }
    }

    private static func read(_ row: StoreRow) -> AsyncEvent {
        // What this program wrote it can read: a row that is something else means a damaged file, and going on loses events.
        let details = try! JSONParser.parse(row.text(10)!)
        var event = AsyncEvent(
            requestID: row.text(1)!, target: row.text(2)!, payload: row.blob(11) ?? [], source: row.text(3)!,
            trace: details["trace"]?.string ?? "", acceptedAt: Timestamp(nanoseconds: row.integer(5)!))
        event.sequence = row.integer(0)!
        event.orderKey = row.text(4)
        event.dueAt = row.integer(6).map { Timestamp(nanoseconds: $0) }
        event.invokes = row.integer(7)!
        event.functionErrors = row.integer(8)!
        event.refusals = row.integer(9)!
        event.clientContext = details["clientContext"]?.string
        event.sdkInvocationID = details["sdkInvocationID"]?.string
        event.messageID = details["messageID"]?.string
        event.headers = details["headers"].flatMap { [String: String](json: $0) } ?? [:]
        event.afterwards = details["afterwards"].flatMap { Delivery(json: $0) }
        event.overrides = InvokeOverrides(json: details["overrides"] ?? .null)
        return event
    }

    private static func details(of event: AsyncEvent) -> JSONValue {
        var details = JSONObject()
        details["trace"] = .string(event.trace)
        details["clientContext"] = event.clientContext.map { .string($0) }
        details["sdkInvocationID"] = event.sdkInvocationID.map { .string($0) }
        details["messageID"] = event.messageID.map { .string($0) }
        if !event.headers.isEmpty { details["headers"] = event.headers.json }
        details["afterwards"] = event.afterwards?.json
        if event.overrides != InvokeOverrides() { details["overrides"] = event.overrides.json }
        return .object(details)
    }
}
