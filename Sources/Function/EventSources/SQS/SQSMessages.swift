internal import JSON
internal import Linux

/// The operations on messages.
extension SQSService {
    func sendMessage(_ request: inout SQSRequest, _ done: @escaping Done) throws(QueueFailure) {
        let queue = try request.queue()
        let message = try Self.message(&request)
        try request.end()
        queues.send([message.traced(request.trace)], to: queue) { result in done(result.flatMap { $0[0].map { Self.sent($0, message) } }) }
    }

    func sendBatch(_ request: inout SQSRequest, _ done: @escaping Done) throws(QueueFailure) {
        let queue = try request.queue()
        let entries = try request.entries { entry throws(QueueFailure) in try Self.message(&entry) }
        try request.end()
        guard entries.reduce(0, { $0 + MessageRules.byteCount($1.entry) }) <= QueueLimits.messageBytes else {
            throw QueueFailure(
                "BatchRequestTooLong", "Batch requests cannot be longer than \(QueueLimits.messageBytes) bytes.")
        }
        let trace = request.trace
        queues.send(entries.map { $0.entry.traced(trace) }, to: queue) { result in
            done(
                result.map { results in
                    Self.batch(
                        zip(entries, results).map { entry, result in
                            (entry.id, result.map { Self.sent($0, entry.entry) })
                        })
                })
        }
    }

    func receiveMessage(
        _ request: inout SQSRequest, _ done: @escaping Done
    ) throws(QueueFailure) -> (@Sendable () -> Void)? {
        var wish = Receiving(try request.queue())
        wish.maximum = try request.number("MaxNumberOfMessages", 1...10) ?? 1
        wish.visibilitySeconds = try request.number("VisibilityTimeout", 0...43_200)
        wish.waitSeconds = try request.number("WaitTimeSeconds", 0...20)
        let system = try request.list("AttributeNames") + request.list("MessageSystemAttributeNames")
        let own = try request.list("MessageAttributeNames")
        if try request.optional("ReceiveRequestAttemptId", String.self) != nil {
            throw .unsupported(
                "ReceiveRequestAttemptId: a receive is not repeated here; messages come back at their visibility time-out."
            )
        }
        try request.end()
        if let unknown = system.first(where: { !Self.systemNames.contains($0) }) {
            throw .invalidAttributeName(unknown)
        }
        let queues = queues
        let number = queues.receive(wish) { result in
            done(
                result.map { messages in
                    messages.isEmpty
                        ? [:]
                        : ["Messages": .array(messages.map { SQSShape.json($0, system: system, attributes: own) })]
                })
        }
        return { queues.cancel(number) }
    }

    private static let systemNames: Set<String> = [
        "All", "SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp",
        "SequenceNumber",
        "MessageDeduplicationId", "MessageGroupId", "AWSTraceHeader", "DeadLetterQueueSourceArn",
    ]

    func deleteMessage(_ request: inout SQSRequest, _ done: @escaping Done) throws(QueueFailure) {
        let queue = try request.queue()
        let receipt: String = try request.required("ReceiptHandle")
        try request.end()
        queues.delete([receipt], from: queue) { done(Self.single($0)) }
    }

    func deleteBatch(_ request: inout SQSRequest, _ done: @escaping Done) throws(QueueFailure) {
        let queue = try request.queue()
        let entries = try request.entries { entry throws(QueueFailure) -> String in try entry.required("ReceiptHandle")
        }
        try request.end()
        queues.delete(entries.map(\.entry), from: queue) { done(Self.batch($0, entries.map(\.id))) }
    }

    func changeVisibility(_ request: inout SQSRequest, _ done: @escaping Done) throws(QueueFailure) {
        let queue = try request.queue()
        let change = try Self.change(&request)
        try request.end()
        queues.changeVisibility([change], of: queue) { done(Self.single($0)) }
    }

    func changeVisibilityBatch(_ request: inout SQSRequest, _ done: @escaping Done) throws(QueueFailure) {
        let queue = try request.queue()
        let entries = try request.entries { entry throws(QueueFailure) in try Self.change(&entry) }
        try request.end()
        queues.changeVisibility(entries.map(\.entry), of: queue) { done(Self.batch($0, entries.map(\.id))) }
    }

    private static func change(_ request: inout SQSRequest) throws(QueueFailure) -> (receipt: String, seconds: Int) {
        let receipt: String = try request.required("ReceiptHandle")
        guard let seconds: Int = try request.optional("VisibilityTimeout") else {
            throw .missingParameter("VisibilityTimeout")
        }
        return (receipt, seconds)
    }

    private static func message(_ request: inout SQSRequest) throws(QueueFailure) -> NewMessage {
        var message = NewMessage(try request.required("MessageBody"))
        message.attributes = try request.attributes("MessageAttributes")
        message.delaySeconds = try request.optional("DelaySeconds")
        message.group = try request.optional("MessageGroupId")
        message.deduplicationID = try request.optional("MessageDeduplicationId")
        for (name, attribute) in try request.attributes("MessageSystemAttributes") {
            guard name == "AWSTraceHeader", case .text(let trace) = attribute.value, attribute.type == "String" else {
                throw .invalidParameter(
                    "Message system attribute name '\(name)' is invalid: the only one is AWSTraceHeader, a String.")
            }
            message.trace = trace
        }
        return message
    }

    private static func sent(_ sent: SentMessage, _ message: NewMessage) -> JSONValue {
        var json = JSONObject()
        json["MessageId"] = .string(sent.id)
        json["MD5OfMessageBody"] = .string(Digests.md5(Array(message.body.utf8)))
        json["MD5OfMessageAttributes"] = AttributeDigest.md5(message.attributes).map { .string($0) }
        if let trace = message.trace {
            let system = ["AWSTraceHeader": MessageAttribute(type: "String", text: trace)]
            json["MD5OfMessageSystemAttributes"] = AttributeDigest.md5(system).map { .string($0) }
        }
        json["SequenceNumber"] = sent.sequenceNumber.map { .string($0) }
        return .object(json)
    }

    private static func single(_ result: Result<[QueueFailure?], QueueFailure>) -> Result<JSONValue, QueueFailure> {
        result.flatMap { failures in failures[0].map { .failure($0) } ?? .success([:]) }
    }

    private static func batch(
        _ result: Result<[QueueFailure?], QueueFailure>, _ ids: [String]
    ) -> Result<JSONValue, QueueFailure> {
        result.map { failures in
            batch(zip(ids, failures).map { id, failure in (id, failure.map { .failure($0) } ?? .success([:])) })
        }
    }

    /// What became of each entry.
    private static func batch(_ results: [(id: String, result: Result<JSONValue, QueueFailure>)]) -> JSONValue {
        var successful: [JSONValue] = []
        var failed: [JSONValue] = []
        for (id, result) in results {
            switch result {
            case .success(var value):
                value["Id"] = .string(id)
                successful.append(value)
            case .failure(let failure):
                failed.append([
                    "Id": .string(id), "SenderFault": .bool(failure.status < 500), "Code": .string(failure.code),
                    "Message": .string(failure.message),
                ])
            }
        }
        return ["Successful": .array(successful), "Failed": .array(failed)]
    }
}

extension NewMessage {
    fileprivate func traced(_ trace: String?) -> NewMessage {
        var message = self
        if message.trace == nil { message.trace = trace }
        return message
    }
}

/// A received message as clients and functions see it.
enum SQSShape {
    static func json(_ message: ReceivedMessage, system: [String], attributes wanted: [String]) -> JSONValue {
        var json = JSONObject()
        json["MessageId"] = .string(message.id)
        json["ReceiptHandle"] = .string(message.receipt)
        json["MD5OfBody"] = .string(Digests.md5(Array(message.body.utf8)))
        json["Body"] = .string(message.body)
        let all = systemAttributes(message)
        let chosen = system.contains("All") ? all : all.filter { system.contains($0.key) }
        if !chosen.isEmpty { json["Attributes"] = chosen.json }
        let own = message.attributes.filter { name, _ in wanted.contains { matches(name, $0) } }
        if !own.isEmpty {
            json["MD5OfMessageAttributes"] = AttributeDigest.md5(own).map { .string($0) }
            json["MessageAttributes"] = own.json
        }
        return .object(json)
    }

    /// What the queue knows of a message.
    static func systemAttributes(_ message: ReceivedMessage) -> [String: String] {
        var attributes = [
            "SenderId": QueuePlace.account, "SentTimestamp": "\(message.sentAt.milliseconds)",
            "ApproximateReceiveCount": "\(message.receiveCount)",
            "ApproximateFirstReceiveTimestamp": "\(message.firstReceivedAt.milliseconds)",
        ]
        attributes["SequenceNumber"] = message.sequenceNumber
        attributes["MessageGroupId"] = message.group
        attributes["MessageDeduplicationId"] = message.deduplicationID
        attributes["AWSTraceHeader"] = message.trace
        attributes["DeadLetterQueueSourceArn"] = message.deadLetterSource
        return attributes
    }

    /// "All", ".*", a name, or the beginning of names: "bar.*".
    private static func matches(_ name: String, _ wanted: String) -> Bool {
        wanted == "All" || wanted == ".*" || name == wanted
            || (wanted.hasSuffix(".*") && name.hasPrefix(wanted.dropLast(2)))
    }
}
