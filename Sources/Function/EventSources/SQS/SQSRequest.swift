internal import JSON

/// The members of a request of SQS, each read once; what nobody has read is refused.
struct SQSRequest {
    private var reader: JSONObjectReader
    private let place: QueuePlace
    /// In which trace messages are sent that name none.
    var trace: String?

    init(_ body: [UInt8], place: QueuePlace) throws(QueueFailure) {
        do {
            reader = try JSONObjectReader(try JSONParser.parse(body.isEmpty ? Array("{}".utf8) : body))
        } catch {
            throw QueueFailure(
                "SerializationException", code: "MalformedInput", "The body of the request is no JSON object: \(error)")
        }
        self.place = place
    }

    init(_ reader: JSONObjectReader, place: QueuePlace) {
        self.reader = reader
        self.place = place
    }

    mutating func optional<Field: JSONConvertible>(_ key: String, _ type: Field.Type = Field.self) throws(QueueFailure)
        -> Field?
    {
        do { return try reader.optional(key) } catch { throw .invalidParameter("\(error)") }
    }

    mutating func required<Field: JSONConvertible>(_ key: String, _ type: Field.Type = Field.self) throws(QueueFailure)
        -> Field
    {
        guard let value: Field = try optional(key) else { throw .missingParameter(key) }
        return value
    }

    mutating func texts(_ key: String) throws(QueueFailure) -> [String: String] {
        do { return try reader.dictionary(key) } catch { throw .invalidParameter("\(error)") }
    }

    mutating func list(_ key: String) throws(QueueFailure) -> [String] {
        do { return try reader.list(key) } catch { throw .invalidParameter("\(error)") }
    }

    mutating func attributes(_ key: String) throws(QueueFailure) -> [String: MessageAttribute] {
        do { return try reader.dictionary(key) } catch { throw .invalidParameter("\(error)") }
    }

    /// A number within its range.
    mutating func number(_ key: String, _ range: ClosedRange<Int>) throws(QueueFailure) -> Int? {
        guard let value: Int = try optional(key) else { return nil }
        guard range.contains(value) else {
            throw .invalidParameter(
                "Value \(value) for parameter \(key) is invalid. Reason: Must be between \(range.lowerBound) and "
                    + "\(range.upperBound), if provided.")
        }
        return value
    }

    /// The queue that `QueueUrl` names.
    mutating func queue() throws(QueueFailure) -> String {
        let url: String = try required("QueueUrl")
        guard let queue = place.queue(url: url) else {
            throw QueueFailure(
                "InvalidAddress", code: "InvalidAddress",
                "The address \(url) is not valid for this endpoint: it has the form "
                    + "http://HOST/\(QueuePlace.account)/QUEUE.")
        }
        return queue
    }

    /// The queue that an ARN in `key` names.
    mutating func queue(arn key: String) throws(QueueFailure) -> String? {
        guard let arn: String = try optional(key) else { return nil }
        guard let queue = place.queue(arn: arn) else {
            throw .noTask("The resource that you specified for the \(key) parameter doesn't exist: \(arn).")
        }
        return queue
    }

    /// One to ten entries with different ids.
    mutating func entries<Entry>(
        _ read: (inout SQSRequest) throws(QueueFailure) -> Entry
    ) throws(QueueFailure) -> [(id: String, entry: Entry)] {
        guard let values: [JSONObject] = try optional("Entries"), !values.isEmpty else {
            throw QueueFailure("EmptyBatchRequest", "There should be at least one entry in the request.")
        }
        guard values.count <= QueueLimits.batch else {
            throw QueueFailure(
                "TooManyEntriesInBatchRequest",
                "Maximum number of entries per request are 10. You have sent \(values.count).")
        }
        var entries: [(id: String, entry: Entry)] = []
        for (index, value) in values.enumerated() {
            let inner: JSONObjectReader
            do { inner = try JSONObjectReader(.object(value), path: "Entries[\(index)]") } catch {
                throw .invalidParameter("\(error)")
            }
            var request = SQSRequest(inner, place: place)
            let id: String = try request.required("Id")
            guard !id.isEmpty, id.utf8.count <= 80, QueueName.isValid(id), !QueueName.isFIFO(id) else {
                throw QueueFailure(
                    "InvalidBatchEntryId",
                    "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It "
                        + "can be at most 80 letters long.")
            }
            guard !entries.contains(where: { $0.id == id }) else {
                throw QueueFailure("BatchEntryIdsNotDistinct", "Id \(id) repeated.")
            }
            entries.append((id, try read(&request)))
            try request.end()
        }
        return entries
    }

    /// Refuses what nobody has read.
    func end() throws(QueueFailure) {
        do { try reader.refuseUnknown() } catch { throw .unsupported("\(error)") }
    }
}
