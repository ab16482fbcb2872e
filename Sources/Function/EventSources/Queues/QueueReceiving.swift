internal import JSON
internal import Linux
internal import Store

/// Messages come out of a queue, in a transaction of the caller's. The time and chance are parameters.
///
/// Invariants
/// 1. A message is with one receiver at a time: received, it is invisible until its time. (test: `a received message is invisible until its time`)
/// 2. Of a group of a FIFO queue nothing is received while a message of it is invisible, and what is received is the
///    beginning of the group. (test: `a simulated crowd of receivers keeps every group in order`)
/// 3. A message is received `maxReceiveCount` times and then goes to the dead-letter queue, if that is there.
///    (test: `a message that was received too often goes to the dead-letter queue and its group goes on`)
/// 4. A message older than the retention period is gone. (test: `messages are kept for the retention period`)
enum QueueReceiving {
    struct Outcome: Sendable {
        var messages: [ReceivedMessage] = []
        /// When something that is invisible now becomes visible.
        var nextAt: Timestamp?
        /// The dead-letter queue, when something went there.
        var movedTo: String?
    }

    static func receive(
        _ wish: Receiving, from queue: QueueTable.Record, deadLetters: QueueTable.Record?, place: QueuePlace,
        now: Timestamp,
        _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> Outcome {
        try expire(queue, now, transaction)
        var outcome = Outcome()
        // Each message that is parked makes room for another look.
        while outcome.messages.isEmpty {
            let found = try candidates(wish, queue, now, transaction)
            if found.isEmpty { break }
            var parked = false
            for message in found {
                if let redrive = queue.attributes.redrive, let deadLetters, message.receives >= redrive.maxReceiveCount
                {
                    try park(message, from: queue, to: deadLetters, place, now, transaction)
                    outcome.movedTo = deadLetters.name
                    parked = true
                    // What follows it in its group is the beginning only from the next look on.
                    if queue.attributes.isFIFO { break }
                } else {
                    outcome.messages.append(try take(message, wish, queue, now, transaction))
                }
            }
            if !parked { break }
        }
        if queue.attributes.isFIFO {
            for group in Set(outcome.messages.compactMap(\.group)) { try refresh(group, queue.name, transaction) }
        }
        if outcome.messages.isEmpty { outcome.nextAt = try nextVisible(queue.name, now, transaction) }
        return outcome
    }

    struct Candidate {
        var sequence: Int
        var group: String?
        var receives: Int
    }

    private static func candidates(
        _ wish: Receiving, _ queue: QueueTable.Record, _ now: Timestamp, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> [Candidate] {
        guard queue.attributes.isFIFO else {
            return try transaction.query(
                """
                SELECT sequence, message_group, receives FROM queue_message
                WHERE queue = ?1 AND visible_at <= ?2 ORDER BY visible_at, sequence LIMIT ?3
                """, [.text(queue.name), StoreValue(now.nanoseconds), StoreValue(wish.maximum)]
            ).map { Candidate(sequence: $0.integer(0)!, group: $0.text(1), receives: $0.integer(2)!) }
        }
        let groups = try transaction.query(
            """
            SELECT g.message_group FROM queue_group g JOIN queue_message m ON m.sequence = g.first_sequence
            WHERE g.queue = ?1 AND g.free_at <= ?2 AND m.visible_at <= ?2 ORDER BY g.first_sequence LIMIT ?3
            """, [.text(queue.name), StoreValue(now.nanoseconds), StoreValue(wish.oneGroup ? 1 : wish.maximum)]
        ).map { $0.text(0)! }
        var found: [Candidate] = []
        for group in groups where found.count < wish.maximum {
            let messages = try transaction.query(
                """
                SELECT sequence, receives, visible_at FROM queue_message
                WHERE queue = ?1 AND message_group = ?2 ORDER BY sequence LIMIT ?3
                """, [.text(queue.name), .text(group), StoreValue(wish.maximum - found.count)])
            for (index, row) in messages.enumerated() {
                let receives = row.integer(1)!
                guard row.integer(2)! <= now.nanoseconds else { break }
                if wish.oneGroup, index > 0, receives > 0 || messages[0].integer(1)! > 0 { break }
                found.append(Candidate(sequence: row.integer(0)!, group: group, receives: receives))
            }
        }
        return found
    }

    private static func take(
        _ message: Candidate, _ wish: Receiving, _ queue: QueueTable.Record, _ now: Timestamp,
        _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> ReceivedMessage {
        let visibleAt = now + .seconds(wish.visibilitySeconds ?? queue.attributes.visibilitySeconds)
        // A receipt of an earlier time must not delete what another receiver has now.
        let receipt = Receipt(sequence: message.sequence, nonce: Int.random(in: 1...Int(Int32.max)))
        try transaction.execute(
            """
            UPDATE queue_message SET receives = receives + 1, visible_at = ?2, nonce = ?3,
                first_received_at = coalesce(first_received_at, ?4) WHERE sequence = ?1
            """,
            [
                StoreValue(message.sequence), StoreValue(visibleAt.nanoseconds), StoreValue(receipt.nonce),
                StoreValue(now.nanoseconds),
            ])
        let row = try transaction.first(
            """
            SELECT id, body, attributes, trace, message_group, deduplication_id, sent_at, first_received_at, receives, origin
            FROM queue_message WHERE sequence = ?1
            """, [StoreValue(message.sequence)])!
        let attributes = row.text(2)!
        return ReceivedMessage(
            id: row.text(0)!, receipt: receipt.handle, body: row.text(1)!,
            attributes: attributes.isEmpty ? [:] : [String: MessageAttribute](json: try! JSONParser.parse(attributes))!,
            trace: row.text(3), group: row.text(4), deduplicationID: row.text(5),
            sequenceNumber: queue.attributes.isFIFO ? QueueSending.sequenceNumber(message.sequence) : nil,
            sentAt: Timestamp(nanoseconds: row.integer(6)!), firstReceivedAt: Timestamp(nanoseconds: row.integer(7)!),
            receiveCount: row.integer(8)!, visibleAt: visibleAt, deadLetterSource: row.text(9))
    }

    private static func park(
        _ message: Candidate, from queue: QueueTable.Record, to target: QueueTable.Record, _ place: QueuePlace,
        _ now: Timestamp, _ transaction: any StoreTransaction
    ) throws(StoreFailure) {
        try move(
            message, from: queue.name, to: target.name, origin: place.arn(queue.name), isFIFO: queue.attributes.isFIFO,
            now,
            transaction)
    }

    /// Puts a message into another queue, in which nobody has received it yet. It keeps its place in its group.
    static func move(
        _ message: Candidate, from source: String, to target: String, origin: String?, isFIFO: Bool, _ now: Timestamp,
        _ transaction: any StoreTransaction
    ) throws(StoreFailure) {
        // The age of a message in a standard queue goes on with it, that of one in a FIFO queue begins anew (SQS guide).
        try transaction.execute(
            """
            UPDATE queue_message SET queue = ?2, visible_at = ?3, receives = 0, first_received_at = NULL, nonce = NULL,
                origin = ?4, sent_at = CASE WHEN ?5 THEN ?3 ELSE sent_at END WHERE sequence = ?1
            """,
            [
                StoreValue(message.sequence), .text(target), StoreValue(now.nanoseconds), StoreValue(origin),
                .integer(isFIFO ? 1 : 0),
            ])
        guard isFIFO, let group = message.group else { return }
        try refresh(group, source, transaction)
        try refresh(group, target, transaction)
    }

    /// Sets a group's row right after its messages have changed.
    static func refresh(_ group: String, _ queue: String, _ transaction: any StoreTransaction) throws(StoreFailure) {
        try transaction.execute(
            "DELETE FROM queue_group WHERE queue = ?1 AND message_group = ?2", [.text(queue), .text(group)])
        try transaction.execute(
            """
            INSERT INTO queue_group (queue, message_group, first_sequence, free_at)
            SELECT ?1, ?2, sequence, coalesce((SELECT max(visible_at) FROM queue_message
                WHERE queue = ?1 AND message_group = ?2 AND nonce IS NOT NULL), 0)
            FROM queue_message WHERE queue = ?1 AND message_group = ?2 ORDER BY sequence LIMIT 1
            """, [.text(queue), .text(group)])
    }

    private static func expire(
        _ queue: QueueTable.Record, _ now: Timestamp, _ transaction: any StoreTransaction
    ) throws(StoreFailure) {
        let oldest = (now + .seconds(-queue.attributes.retentionSeconds)).nanoseconds
        let groups =
            queue.attributes.isFIFO
            ? try transaction.query(
                "SELECT DISTINCT message_group FROM queue_message WHERE queue = ?1 AND sent_at <= ?2",
                [.text(queue.name), StoreValue(oldest)]) : []
        try transaction.execute(
            "DELETE FROM queue_message WHERE queue = ?1 AND sent_at <= ?2", [.text(queue.name), StoreValue(oldest)])
        for row in groups { try refresh(row.text(0)!, queue.name, transaction) }
    }

    private static func nextVisible(
        _ queue: String, _ now: Timestamp, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> Timestamp? {
        try transaction.first(
            "SELECT min(visible_at) FROM queue_message WHERE queue = ?1 AND visible_at > ?2",
            [.text(queue), StoreValue(now.nanoseconds)]
        )?.integer(0).map { Timestamp(nanoseconds: $0) }
    }
}
