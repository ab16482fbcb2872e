internal import JSON
package import Linux

/// A message on its way into a queue.
package struct NewMessage: Hashable, Sendable {
    package var body: String
    package var attributes: [String: MessageAttribute] = [:]
    /// `AWSTraceHeader`
    package var trace: String?
    /// nil: the queue's.
    package var delaySeconds: Int?
    package var group: String?
    package var deduplicationID: String?

    package init(_ body: String) { self.body = body }
}

/// What its sender hears.
package struct SentMessage: Hashable, Sendable {
    package var id: String
    /// Only of FIFO queues.
    package var sequenceNumber: String?
}

/// A message that a receiver has, until its visibility time-out.
package struct ReceivedMessage: Hashable, Sendable {
    package var id: String
    package var receipt: String
    package var body: String
    package var attributes: [String: MessageAttribute]
    package var trace: String?
    package var group: String?
    package var deduplicationID: String?
    package var sequenceNumber: String?
    package var sentAt: Timestamp
    package var firstReceivedAt: Timestamp
    /// This time included.
    package var receiveCount: Int
    package var visibleAt: Timestamp
    /// ARN of the queue from which it came to this dead-letter queue.
    package var deadLetterSource: String?
}

/// What a receiver wants.
package struct Receiving: Hashable, Sendable {
    package var queue: String
    package var maximum = 1
    /// nil: the queue's.
    package var visibilitySeconds: Int?
    /// nil: the queue's.
    package var waitSeconds: Int?
    /// Messages of one group only, and a message that was received before comes alone: so a batch that fails finds out
    /// which of its messages it is.
    package var oneGroup = false

    package init(_ queue: String) { self.queue = queue }
}

/// The handle by which a receiver names what it has received: the message and which time it was received.
struct Receipt: Hashable {
    var sequence: Int
    var nonce: Int

    init(sequence: Int, nonce: Int) {
        self.sequence = sequence
        self.nonce = nonce
    }

    init?(_ handle: String) {
        guard let bytes = Base64.bytes(exactly: handle) else { return nil }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "receipt", let sequence = Int(parts[1]), let nonce = Int(parts[2]) else {
            return nil
        }
        self.init(sequence: sequence, nonce: nonce)
    }

    var handle: String { Base64.text(Array("receipt/\(sequence)/\(nonce)".utf8)) }
}

/// What may stand in a message. Pure.
enum MessageRules {
    static func check(_ message: NewMessage, in queue: QueueAttributes) throws(QueueFailure) {
        guard !message.body.isEmpty else { throw .missingParameter("MessageBody") }
        guard message.body.unicodeScalars.allSatisfy(isAllowed) else {
            throw QueueFailure(
                "InvalidMessageContents", code: "InvalidMessageContents",
                "Invalid characters found. Allowed are #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD, #x10000 to #x10FFFF."
            )
        }
        try checkAttributes(message.attributes)
        guard byteCount(message) <= queue.maximumMessageBytes else {
            throw .invalidParameter(
                "One or more parameters are invalid. Reason: Message must be shorter than \(queue.maximumMessageBytes) bytes."
            )
        }
        if let delay = message.delaySeconds {
            guard !queue.isFIFO || delay == 0 else {
                throw .invalidParameter(
                    "Value \(delay) for parameter DelaySeconds is invalid. Reason: The request include parameter that is not "
                        + "valid for this queue type.")
            }
            guard (0...900).contains(delay) else {
                throw .invalidParameter(
                    "Value \(delay) for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
                )
            }
        }
        try checkOrder(message, in: queue)
    }

    private static func checkOrder(_ message: NewMessage, in queue: QueueAttributes) throws(QueueFailure) {
        if queue.isFIFO {
            guard message.group != nil else { throw .missingParameter("MessageGroupId") }
            guard message.deduplicationID != nil || queue.deduplicatesByContent else {
                throw .invalidParameter(
                    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
                )
            }
        } else if message.deduplicationID != nil {
            throw .invalidParameter(
                "Value \(message.deduplicationID!) for parameter MessageDeduplicationId is invalid. Reason: The request include "
                    + "parameter that is not valid for this queue type.")
        }
        for (name, value) in [("MessageGroupId", message.group), ("MessageDeduplicationId", message.deduplicationID)] {
            guard let value else { continue }
            guard (1...128).contains(value.utf8.count), value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw .invalidParameter(
                    "Value \(value) for parameter \(name) is invalid. Reason: \(name) can only include alphanumeric and "
                        + "punctuation characters. 1 to 128 in length.")
            }
        }
    }

    private static func checkAttributes(_ attributes: [String: MessageAttribute]) throws(QueueFailure) {
        guard attributes.count <= QueueLimits.attributes else {
            throw .invalidParameter(
                "Number of message attributes [\(attributes.count)] exceeds the allowed maximum [10].")
        }
        for (name, attribute) in attributes {
            let isName =
                !name.isEmpty && name.utf8.count <= 256 && !name.hasPrefix(".") && !name.hasSuffix(".")
                && !name.contains("..") && !name.lowercased().hasPrefix("aws.")
                && !name.lowercased().hasPrefix("amazon.")
                && name.utf8.allSatisfy { QueueName.isValid(String(Unicode.Scalar($0))) || $0 == UInt8(ascii: ".") }
            guard isName else { throw .invalidParameter("Message attribute name '\(name)' is invalid.") }
            let isOfType =
                switch (attribute.baseType, attribute.value) {
                case ("String", .text(let text)): !text.isEmpty
                case ("Number", .text(let text)): Double(text) != nil
                case ("Binary", .bytes(let bytes)): !bytes.isEmpty
                default: false
                }
            guard isOfType, attribute.type.utf8.count <= 256 else {
                throw .invalidParameter(
                    "The message attribute '\(name)' must have a DataType String, Number or Binary and a value of that type "
                        + "that is not empty.")
            }
        }
    }

    static func byteCount(_ message: NewMessage) -> Int {
        message.body.utf8.count + message.attributes.reduce(0) { $0 + $1.value.byteCount(named: $1.key) }
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x9, 0xA, 0xD, 0x20...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }
}
