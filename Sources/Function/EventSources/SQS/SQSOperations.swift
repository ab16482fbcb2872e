internal import JSON
internal import Linux

/// The operations on queues; those on messages stand in SQSMessages.swift.
extension SQSService {
    typealias Done = @Sendable (Result<JSONValue, QueueFailure>) -> Void

    func run(
        _ operation: String, _ request: SQSRequest, _ host: String, _ done: @escaping Done
    ) throws(QueueFailure) -> (@Sendable () -> Void)? {
        var request = request
        switch operation {
        case "SendMessage": try sendMessage(&request, done)
        case "SendMessageBatch": try sendBatch(&request, done)
        case "ReceiveMessage": return try receiveMessage(&request, done)
        case "DeleteMessage": try deleteMessage(&request, done)
        case "DeleteMessageBatch": try deleteBatch(&request, done)
        case "ChangeMessageVisibility": try changeVisibility(&request, done)
        case "ChangeMessageVisibilityBatch": try changeVisibilityBatch(&request, done)
        case "CreateQueue": try createQueue(&request, host, done)
        case "DeleteQueue": try onQueue(&request) { queue in queues.delete(queue) { done(Self.empty($0)) } }
        case "PurgeQueue": try onQueue(&request) { queue in queues.purge(queue) { done(Self.empty($0)) } }
        case "GetQueueUrl": try queueURL(&request, host, done)
        case "ListQueues": try listQueues(&request, host, done)
        case "GetQueueAttributes": try queueAttributes(&request, done)
        case "SetQueueAttributes":
            let attributes = try request.texts("Attributes")
            try onQueue(&request) { queue in queues.setAttributes(attributes, of: queue) { done(Self.empty($0)) } }
        case "ListDeadLetterSourceQueues": try deadLetterSources(&request, host, done)
        case "TagQueue":
            let tags = try request.texts("Tags")
            try onQueue(&request) { queue in queues.changeTags(of: queue, set: tags) { done(Self.empty($0)) } }
        case "UntagQueue":
            let keys = try request.list("TagKeys")
            try onQueue(&request) { queue in queues.changeTags(of: queue, remove: keys) { done(Self.empty($0)) } }
        case "ListQueueTags":
            try onQueue(&request) { queue in
                queues.tags(of: queue) { done($0.map { $0.isEmpty ? [:] : ["Tags": $0.json] }) }
            }
        case "StartMessageMoveTask": try startMove(&request, done)
        case "ListMessageMoveTasks": try listMoves(&request, done)
        case "CancelMessageMoveTask":
            let handle: String = try request.required("TaskHandle")
            try request.end()
            queues.cancelMove(handle) { done($0.map { ["ApproximateNumberOfMessagesMoved": .integer(Int64($0))] }) }
        case "AddPermission", "RemovePermission":
            throw .unsupported(
                "\(operation): queues have no policies on this node; whoever may reach its address may use them.")
        default:
            throw QueueFailure(
                "UnknownOperationException", code: "InvalidAction", "\(operation) is no operation of SQS.")
        }
        return nil
    }

    static func empty(_ result: Result<Void, QueueFailure>) -> Result<JSONValue, QueueFailure> { result.map { [:] } }

    private func onQueue(_ request: inout SQSRequest, _ body: (String) -> Void) throws(QueueFailure) {
        let queue = try request.queue()
        try request.end()
        body(queue)
    }

    private func createQueue(_ request: inout SQSRequest, _ host: String, _ done: @escaping Done) throws(QueueFailure) {
        let name: String = try request.required("QueueName")
        let attributes = try request.texts("Attributes")
        let tags = try request.texts("tags")
        try request.end()
        let url = queues.place.url(name, host: host)
        queues.create(name, attributes: attributes, tags: tags) { done($0.map { ["QueueUrl": .string(url)] }) }
    }

    private func queueURL(_ request: inout SQSRequest, _ host: String, _ done: @escaping Done) throws(QueueFailure) {
        let name: String = try request.required("QueueName")
        if let owner: String = try request.optional("QueueOwnerAWSAccountId"), owner != QueuePlace.account {
            throw .noQueue("\(name) of account \(owner); this node's account is \(QueuePlace.account)")
        }
        try request.end()
        let url = queues.place.url(name, host: host)
        queues.exists(name) { done($0.map { ["QueueUrl": .string(url)] }) }
    }

    private func listQueues(_ request: inout SQSRequest, _ host: String, _ done: @escaping Done) throws(QueueFailure) {
        let prefix: String = try request.optional("QueueNamePrefix") ?? ""
        let page = try page(&request)
        try request.end()
        queues.names(prefix: prefix) { [queues] in done($0.map { page.json($0, "QueueUrls", queues.place, host) }) }
    }

    private func deadLetterSources(_ request: inout SQSRequest, _ host: String, _ done: @escaping Done)
        throws(QueueFailure)
    {
        let queue = try request.queue()
        let page = try page(&request)
        try request.end()
        queues.sources(ofDeadLetters: queue) { [queues] in
            done($0.map { page.json($0, "queueUrls", queues.place, host) })
        }
    }

    private func queueAttributes(_ request: inout SQSRequest, _ done: @escaping Done) throws(QueueFailure) {
        let wanted = try request.list("AttributeNames")
        let queue = try request.queue()
        try request.end()
        queues.attributes(of: queue) { result in
            done(
                result.flatMap { texts in
                    if let unknown = wanted.first(where: { !Self.attributeNames.contains($0) }) {
                        return .failure(.invalidAttributeName(unknown))
                    }
                    let chosen = wanted.contains("All") ? texts : texts.filter { wanted.contains($0.key) }
                    return .success(chosen.isEmpty ? [:] : ["Attributes": chosen.json])
                })
        }
    }

    private static let attributeNames: Set<String> = [
        "All", "Policy", "VisibilityTimeout", "MaximumMessageSize", "MessageRetentionPeriod",
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible", "CreatedTimestamp", "LastModifiedTimestamp", "QueueArn",
        "ApproximateNumberOfMessagesDelayed", "DelaySeconds", "ReceiveMessageWaitTimeSeconds", "RedrivePolicy",
        "FifoQueue",
        "ContentBasedDeduplication", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "DeduplicationScope",
        "FifoThroughputLimit", "RedriveAllowPolicy", "SqsManagedSseEnabled",
    ]

    private func startMove(_ request: inout SQSRequest, _ done: @escaping Done) throws(QueueFailure) {
        guard let source = try request.queue(arn: "SourceArn") else { throw .missingParameter("SourceArn") }
        let destination = try request.queue(arn: "DestinationArn")
        let rate = try request.number("MaxNumberOfMessagesPerSecond", 1...500)
        try request.end()
        queues.startMove(source: source, destination: destination, perSecond: rate) {
            done($0.map { ["TaskHandle": .string($0)] })
        }
    }

    private func listMoves(_ request: inout SQSRequest, _ done: @escaping Done) throws(QueueFailure) {
        guard let source = try request.queue(arn: "SourceArn") else { throw .missingParameter("SourceArn") }
        let limit = try request.number("MaxResults", 1...10) ?? 1
        try request.end()
        let place = queues.place
        queues.moves(of: source) { done($0.map { ["Results": .array($0.prefix(limit).map { Self.json($0, place) })] }) }
    }

    private static func json(_ task: QueueMoves.Task, _ place: QueuePlace) -> JSONValue {
        var json = JSONObject()
        // As the service does it: the handle serves to cancel.
        if task.status == .running { json["TaskHandle"] = .string(task.handle) }
        json["Status"] = .string(task.status.rawValue)
        json["SourceArn"] = .string(place.arn(task.source))
        json["DestinationArn"] = task.destination.map { .string(place.arn($0)) }
        json["MaxNumberOfMessagesPerSecond"] = task.perSecond.map { .integer(Int64($0)) }
        json["ApproximateNumberOfMessagesMoved"] = .integer(Int64(task.moved))
        json["ApproximateNumberOfMessagesToMove"] = .integer(Int64(task.toMove))
        json["FailureReason"] = task.problem.map { .string($0) }
        json["StartedTimestamp"] = .integer(Int64(task.startedAt.milliseconds))
        return .object(json)
    }
}

/// A part of a list of queues.
struct QueuePage: Sendable {
    /// nil: up to a thousand, and no token.
    var limit: Int?
    /// The name after which it begins.
    var after: String?

    func json(_ names: [String], _ key: String, _ place: QueuePlace, _ host: String) -> JSONValue {
        let rest = after.map { after in names.filter { $0 > after } } ?? names
        let page = rest.prefix(limit ?? 1000)
        var json = JSONObject()
        if !page.isEmpty || key == "queueUrls" { json[key] = page.map { place.url($0, host: host) }.json }
        if limit != nil, page.count < rest.count, let last = page.last {
            json["NextToken"] = .string(Base64.text(Array(last.utf8)))
        }
        return .object(json)
    }
}

extension SQSService {
    private func page(_ request: inout SQSRequest) throws(QueueFailure) -> QueuePage {
        var page = QueuePage(limit: try request.number("MaxResults", 1...1000), after: nil)
        if let token: String = try request.optional("NextToken") {
            guard let bytes = Base64.bytes(token) else { throw .invalidParameter("Invalid or expired next token.") }
            page.after = String(decoding: bytes, as: UTF8.self)
        }
        return page
    }
}
