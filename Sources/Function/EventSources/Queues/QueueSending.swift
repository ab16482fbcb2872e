internal import JSON
internal import Linux
internal import Store

/// Messages go into a queue, in a transaction of the caller's. The time is a parameter.
///
/// Invariants
/// 1. Of messages with one deduplication id within five minutes only the first goes in, and all are answered as it was.
///    (test: `a message with the same deduplication id is sent once`)
/// 2. A FIFO queue has a row for each group with messages, with its first message and the time from which it is free.
///    (test: `a simulated crowd of receivers keeps every group in order`)
enum QueueSending {
    static func send(
        _ message: NewMessage, to queue: QueueTable.Record, now: Timestamp, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> SentMessage {
        let attributes = queue.attributes
        var message = message
        if attributes.isFIFO, message.deduplicationID == nil {
            message.deduplicationID = Digests.sha256(Array(message.body.utf8))
        }
        if attributes.isFIFO, let first = try earlier(message, queue, now, transaction) { return first }
        let id = Identifiers.random()
        let delay = attributes.isFIFO ? attributes.delaySeconds : message.delaySeconds ?? attributes.delaySeconds
        try transaction.execute(
            """
            INSERT INTO queue_message (queue, id, message_group, deduplication_id, sent_at, visible_at, trace, attributes, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
            """,
            [
                .text(queue.name), .text(id), StoreValue(message.group), StoreValue(message.deduplicationID),
                StoreValue(now.nanoseconds), StoreValue((now + .seconds(delay)).nanoseconds), StoreValue(message.trace),
                .text(message.attributes.isEmpty ? "" : JSONWriter.text(message.attributes.json)), .text(message.body),
            ])
        let sequence = Int(transaction.lastInsertID)
        guard attributes.isFIFO else { return SentMessage(id: id, sequenceNumber: nil) }
        try transaction.execute(
            "INSERT OR REPLACE INTO queue_deduplication (queue, key, sent_at, id, sequence) VALUES (?1, ?2, ?3, ?4, ?5)",
            [
                .text(queue.name), .text(key(message, attributes)), StoreValue(now.nanoseconds), .text(id),
                StoreValue(sequence),
            ])
        try transaction.execute(
            "INSERT OR IGNORE INTO queue_group (queue, message_group, first_sequence, free_at) VALUES (?1, ?2, ?3, 0)",
            [.text(queue.name), StoreValue(message.group), StoreValue(sequence)])
        return SentMessage(id: id, sequenceNumber: sequenceNumber(sequence))
    }

    /// Twenty digits, as the service's are.
    static func sequenceNumber(_ sequence: Int) -> String {
        let digits = "\(sequence)"
        return "1" + String(repeating: "0", count: 19 - digits.count) + digits
    }

    private static func earlier(
        _ message: NewMessage, _ queue: QueueTable.Record, _ now: Timestamp, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> SentMessage? {
        let oldest = now + .seconds(-QueueLimits.deduplicationSeconds)
        try transaction.execute(
            "DELETE FROM queue_deduplication WHERE queue = ?1 AND sent_at <= ?2",
            [.text(queue.name), StoreValue(oldest.nanoseconds)])
        return try transaction.first(
            "SELECT id, sequence FROM queue_deduplication WHERE queue = ?1 AND key = ?2",
            [.text(queue.name), .text(key(message, queue.attributes))]
        ).map { SentMessage(id: $0.text(0)!, sequenceNumber: sequenceNumber($0.integer(1)!)) }
    }

    /// Neither part holds a space.
    private static func key(_ message: NewMessage, _ attributes: QueueAttributes) -> String {
        attributes.deduplicatesWithinGroups ? message.group! + " " + message.deduplicationID! : message.deduplicationID!
    }
}
