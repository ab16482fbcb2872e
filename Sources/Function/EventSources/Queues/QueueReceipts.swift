internal import Linux
internal import Store

/// What receivers say about messages that they have, in a transaction of the caller's.
///
/// Invariants
/// 1. A receipt of an earlier time does nothing to a message that somebody else has received since.
///    (test: `an old receipt deletes nothing`)
/// 2. What is deleted or given back frees its group as soon as nothing of it is with a receiver.
///    (test: `a group goes on once its messages are deleted`)
enum QueueReceipts {
    /// Removes a message. One that is gone, or was received again since, is left: the service answers success, too.
    static func delete(
        _ handle: String, in queue: QueueTable.Record, now: Timestamp, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> QueueFailure? {
        guard let receipt = Receipt(handle) else { return invalid(handle) }
        guard let row = try message(receipt, queue, transaction) else { return nil }
        if queue.attributes.isFIFO, row.visibleAt <= now {
            return .invalidParameter(
                "Value \(handle) for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.")
        }
        try transaction.execute("DELETE FROM queue_message WHERE sequence = ?1", [StoreValue(receipt.sequence)])
        if queue.attributes.isFIFO, let group = row.group {
            try QueueReceiving.refresh(group, queue.name, transaction)
        }
        return nil
    }

    /// Lets a message be invisible for so long from now on; 0 gives it back at once.
    static func changeVisibility(
        _ handle: String, seconds: Int, in queue: QueueTable.Record, now: Timestamp, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> QueueFailure? {
        guard (0...43_200).contains(seconds) else {
            return .invalidParameter(
                "Value \(seconds) for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be an integer "
                    + "between 0 and 43200.")
        }
        guard let receipt = Receipt(handle) else { return invalid(handle) }
        guard let row = try message(receipt, queue, transaction), row.visibleAt > now else {
            return QueueFailure(
                "MessageNotInflight",
                "The message of the receipt handle \(handle) is not with a receiver: it is visible, "
                    + "deleted, or was received again.")
        }
        try show(receipt, at: now + .seconds(seconds), row.group, queue, transaction)
        return nil
    }

    /// Gives a message back that was not tried at all: this time does not count towards `maxReceiveCount`.
    static func release(
        _ handle: String, in queue: QueueTable.Record, at time: Timestamp, _ transaction: any StoreTransaction
    ) throws(StoreFailure) {
        guard let receipt = Receipt(handle), let row = try message(receipt, queue, transaction) else { return }
        try transaction.execute(
            "UPDATE queue_message SET receives = max(receives - 1, 0) WHERE sequence = ?1",
            [StoreValue(receipt.sequence)])
        try show(receipt, at: time, row.group, queue, transaction)
    }

    private static func show(
        _ receipt: Receipt, at time: Timestamp, _ group: String?, _ queue: QueueTable.Record,
        _ transaction: any StoreTransaction
    ) throws(StoreFailure) {
        try transaction.execute(
            "UPDATE queue_message SET visible_at = ?2 WHERE sequence = ?1",
            [StoreValue(receipt.sequence), StoreValue(time.nanoseconds)])
        if queue.attributes.isFIFO, let group { try QueueReceiving.refresh(group, queue.name, transaction) }
    }

    private static func message(
        _ receipt: Receipt, _ queue: QueueTable.Record, _ transaction: any StoreTransaction
    ) throws(StoreFailure) -> (group: String?, visibleAt: Timestamp)? {
        try transaction.first(
            "SELECT message_group, visible_at FROM queue_message WHERE sequence = ?1 AND queue = ?2 AND nonce = ?3",
            [StoreValue(receipt.sequence), .text(queue.name), StoreValue(receipt.nonce)]
        ).map { ($0.text(0), Timestamp(nanoseconds: $0.integer(1)!)) }
    }

    private static func invalid(_ handle: String) -> QueueFailure {
        QueueFailure(
            "ReceiptHandleIsInvalid", code: "ReceiptHandleIsInvalid", "The input receipt handle is invalid: \(handle)")
    }
}
