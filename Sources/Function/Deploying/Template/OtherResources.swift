internal import JSON

extension TemplateReading {
    /// Reads an AWS::Serverless::LayerVersion.
    mutating func readLayer(_ name: String, _ object: inout TemplateObject) throws(TemplateFailure) {
        _ = try object.string("LayerName")
        guard let content = try codePath("ContentUri", &object) else { throw object.failure("ContentUri", "expected a path, found nothing") }
        var layer = LayerDeclaration(name: name, content: .path(place.absolute(content)), runtimes: [])
        layer.description = try object.string("Description")
        layer.runtimes = try object.strings("CompatibleRuntimes") ?? []
        layer.license = try object.string("LicenseInfo")
        if let policy = try object.string("RetentionPolicy"), policy != "Retain" {
            throw object.failure("RetentionPolicy", "only Retain: versions that functions may use are not removed")
        }
        plan.layers.append(layer)
    }

    /// Attributes of a queue that are numbers, by the names of CloudFormation and of SQS.
    private static let numbers = [
        ("VisibilityTimeout", "VisibilityTimeout"), ("MessageRetentionPeriod", "MessageRetentionPeriod"),
        ("DelaySeconds", "DelaySeconds"), ("MaximumMessageSize", "MaximumMessageSize"),
        ("ReceiveMessageWaitTimeSeconds", "ReceiveMessageWaitTimeSeconds"),
    ]

    /// Reads an AWS::SQS::Queue.
    mutating func readQueue(_ name: String, _ object: inout TemplateObject) throws(TemplateFailure) {
        _ = try object.string("QueueName")
        var queue = QueueDeclaration(name: name, attributes: [:], redrivesTo: nil)
        let isFIFO = try object.boolean("FifoQueue") ?? false
        guard isFIFO == name.hasSuffix(".fifo") else {
            throw object.failure(
                isFIFO ? "QueueName" : "FifoQueue", "a queue has FifoQueue: true and a name that ends with .fifo, or neither")
        }
        if isFIFO { queue.attributes["FifoQueue"] = "true" }
        if let isByContent = try object.boolean("ContentBasedDeduplication") {
            queue.attributes["ContentBasedDeduplication"] = isByContent ? "true" : "false"
        }
        for (key, attribute) in Self.numbers {
            if let number = try object.integer(key) { queue.attributes[attribute] = "\(number)" }
        }
        if var policy = try object.object("RedrivePolicy") {
            guard let target = try policy.string("deadLetterTargetArn") else {
                throw policy.failure("deadLetterTargetArn", "expected the ARN of a queue, found nothing")
            }
            guard let count = try policy.integer("maxReceiveCount") else {
                throw policy.failure("maxReceiveCount", "expected a whole number, found nothing")
            }
            try policy.refuseUnknown()
            let value: JSONValue = ["deadLetterTargetArn": .string(target), "maxReceiveCount": .integer(Int64(count))]
            queue.attributes["RedrivePolicy"] = JSONWriter.text(value)
            queue.redrivesTo = target.split(separator: ":").last.map(String.init)
        }
        plan.queues.append(queue)
    }

    /// Reads a Forkless::Directory: `Path`, and `Mode` of one that has to be made.
    mutating func readDirectory(_ object: inout TemplateObject) throws(TemplateFailure) {
        let path = place.absolute(try object.string("Path") ?? "")
        guard path != "/" else { throw object.failure("Path", "it is the root directory") }
        let text = try object.string("Mode") ?? "0755"
        guard let mode = UInt32(text, radix: 8), mode <= 0o7777 else {
            throw object.failure("Mode", "expected permissions such as 0750, found \"\(text)\"")
        }
        plan.directories.append(DirectoryDeclaration(path: path, mode: mode))
    }

    /// Reads an AWS::Lambda::EventSourceMapping.
    mutating func readMapping(_ object: inout TemplateObject) throws(TemplateFailure) {
        guard let function = try object.string("FunctionName") else { throw object.failure("FunctionName", "expected a function, found nothing") }
        guard let source = try object.string("EventSourceArn") else {
            throw object.failure("EventSourceArn", "expected the ARN of a queue, a schedule or a directory, found nothing")
        }
        let fields = try mappingFields(&object)
        plan.mappings.append(MappingDeclaration(path: object.path, function: function, source: source, fields: fields))
    }

    /// What mappings and events have in common, as CreateEventSourceMapping takes it.
    func mappingFields(_ object: inout TemplateObject) throws(TemplateFailure) -> JSONObject {
        var fields = JSONObject()
        fields["Enabled"] = .bool(try object.boolean("Enabled") ?? true)
        for key in ["BatchSize", "MaximumBatchingWindowInSeconds", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds"] {
            if let number = try object.integer(key) { fields[key] = .integer(Int64(number)) }
        }
        if let types = try object.strings("FunctionResponseTypes") { fields["FunctionResponseTypes"] = .array(types.map { .string($0) }) }
        if var scaling = try object.object("ScalingConfig") {
            guard let most = try scaling.integer("MaximumConcurrency") else {
                throw scaling.failure("MaximumConcurrency", "expected a whole number, found nothing")
            }
            try scaling.refuseUnknown()
            fields["ScalingConfig"] = ["MaximumConcurrency": .integer(Int64(most))]
        }
        if let filters = try filters(&object) { fields["FilterCriteria"] = filters }
        if let destinations = try Self.destinations(&object) { fields["DestinationConfig"] = .object(destinations) }
        return fields
    }

    /// `FilterCriteria`: {Filters: [{Pattern: text}]}.
    private func filters(_ object: inout TemplateObject) throws(TemplateFailure) -> JSONValue? {
        guard var criteria = try object.object("FilterCriteria") else { return nil }
        var filters: [JSONValue] = []
        for var filter in try criteria.objects("Filters") ?? [] {
            guard let pattern = try filter.string("Pattern") else { throw filter.failure("Pattern", "expected JSON as a text, found nothing") }
            try filter.refuseUnknown()
            filters.append(["Pattern": .string(pattern)])
        }
        try criteria.refuseUnknown()
        return ["Filters": .array(filters)]
    }
}
