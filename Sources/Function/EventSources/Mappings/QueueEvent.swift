internal import JSON
internal import Lambda

/// The event that a function gets from a queue, as Lambda has it.
enum QueueEvent {
    static func bytes(_ records: [JSONValue]) -> [UInt8] { JSONWriter.bytes(["Records": .array(records)]) }

    static func record(_ message: ReceivedMessage, _ mapping: EventSourceMapping, _ account: LambdaAccount) -> JSONValue
    {
        var record = JSONObject()
        record["messageId"] = .string(message.id)
        record["receiptHandle"] = .string(message.receipt)
        record["body"] = .string(message.body)
        record["attributes"] = SQSShape.systemAttributes(message).json
        record["messageAttributes"] = attributes(message.attributes)
        if let digest = AttributeDigest.md5(message.attributes) { record["md5OfMessageAttributes"] = .string(digest) }
        record["md5OfBody"] = .string(Digests.md5(Array(message.body.utf8)))
        record["eventSource"] = "aws:sqs"
        record["eventSourceARN"] = .string(mapping.sourceARN)
        record["awsRegion"] = .string(account.region)
        return .object(record)
    }

    private static func attributes(_ attributes: [String: MessageAttribute]) -> JSONValue {
        var json = JSONObject()
        for (name, attribute) in attributes.sorted(by: { $0.key < $1.key }) {
            var value = JSONObject()
            switch attribute.value {
            case .text(let text): value["stringValue"] = .string(text)
            case .bytes(let bytes): value["binaryValue"] = .string(Base64.text(bytes))
            }
            value["stringListValues"] = []
            value["binaryListValues"] = []
            value["dataType"] = .string(attribute.type)
            json[name] = .object(value)
        }
        return .object(json)
    }

    /// What a filter looks at: the record, with a body that is JSON as that.
    static func filtered(_ record: JSONValue) -> JSONValue {
        var record = record
        if let body = record["body"]?.string, let value = try? JSONParser.parse(body), case .object = value {
            record["body"] = value
        }
        return record
    }
}
