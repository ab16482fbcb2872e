internal import JSON
internal import Lambda
internal import Linux

// Event source mappings.
extension CatalogState {
    func createMapping(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        var members = try request.members()
        guard let sourceARN = try members.text("EventSourceArn", 1...4096) else {
            throw .invalidParameter(
                "EventSourceArn is missing: give a queue, a schedule or a directory. Self-managed sources cannot be read from here.")
        }
        let source = try EventSource(arn: sourceARN, account: account)
        guard let name = try members.text("FunctionName", 1...256) else { throw members.missing("FunctionName") }
        let function = try mapped(name)
        let same = mappings.values.first {
            $0.mapping.sourceARN == sourceARN && $0.mapping.function.name == function.name
                && $0.mapping.function.qualifier == function.qualifier
        }
        if let same {
            throw .conflict(
                "The event source arn (\" \(sourceARN) \") and function (\" \(function.name) \") provided mapping already exists. "
                    + "Please update or delete the existing mapping with UUID \(same.mapping.id)")
        }
        var mapping = EventSourceMapping(
            id: moment.uuid(), sourceARN: sourceARN, source: source, function: function,
            functionARN: account.function(function.name, function.qualifier))
        // Runs of a schedule and files of a directory come one by one.
        mapping.batchSize = if case .queue = source { 10 } else { 1 }
        var record = MappingRecord(mapping: mapping, modified: moment.now)
        try read(&members, into: &record)
        record.startingPosition = try members.choice("StartingPosition", ["LATEST"])
        try members.refuse("StartingPositionTimestamp", "none of the sources of this node keeps events that were read.")
        record.tags = try members.map("Tags") ?? [:]
        try Self.checkTags(record.tags)
        try members.finish()
        try moment.hooks.checkMapping(record.mapping)
        return Decision([.mapping(record)], answer: answer(record, moment, state: "Creating"))
    }

    func getMapping(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        return Decision(answer: answer(try mapping(request), moment))
    }

    func updateMapping(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        var record = try mapping(request)
        var members = try request.members()
        if let name = try members.text("FunctionName", 1...256) {
            record.mapping.function = try mapped(name)
            record.mapping.functionARN = account.function(record.mapping.function.name, record.mapping.function.qualifier)
        }
        try read(&members, into: &record)
        try members.finish()
        try moment.hooks.checkMapping(record.mapping)
        record.modified = moment.now
        return Decision([.mapping(record)], answer: answer(record, moment, state: "Updating"))
    }

    func deleteMapping(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        let record = try mapping(request)
        return Decision([.mappingRemoved(record.mapping.id)], answer: answer(record, moment, state: "Deleting"))
    }

    func listMappings(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery("EventSourceArn", "FunctionName", "Marker", "MaxItems")
        let page = try Page(request, cap: 100)
        var records = Array(mappings.values)
        if let source = request.query("EventSourceArn") { records.removeAll { $0.mapping.sourceARN != source } }
        if let name = request.query("FunctionName") {
            let reference = try reference(name, nil)
            records.removeAll { $0.mapping.function.name != reference.name || $0.mapping.function.qualifier != reference.qualifier }
        }
        let now = moment
        return Decision(
            answer: page.answer("EventSourceMappings", records.map { ($0.mapping.id, $0) }) { .object(answer($0, now)) })
    }

    // MARK: - Parts

    private func mapping(_ request: CatalogRequest) throws(LambdaFailure) -> MappingRecord {
        let id = try request.path("UUID")
        guard let record = mappings[id] else { throw .notFound("The resource you requested does not exist.") }
        return record
    }

    /// A function that is there.
    private func mapped(_ name: String) throws(LambdaFailure) -> FunctionReference {
        let reference = try reference(name, nil)
        _ = try version(try function(reference), reference.qualifier)
        return FunctionReference(name: reference.name, qualifier: reference.qualifier)
    }

    private func read(_ members: inout RequestMembers, into record: inout MappingRecord) throws(LambdaFailure) {
        if let isEnabled = try members.flag("Enabled") { record.mapping.isEnabled = isEnabled }
        try readBatches(&members, &record.mapping)
        try readScaling(&members, &record.mapping)
        try readFilters(&members, &record.mapping)
        try readFailures(&members, &record)
        for key in Self.streamMembers { try members.refuse(key, "it belongs to streams and brokers, which this node does not read from.") }
        try members.refuse("KMSKeyArn", "this node keeps no keys.")
        try members.refuse("MetricsConfig", "this node sends no metrics; see forkless fn report.")
        try members.refuse("LoggingConfig", "mappings have no log of their own.")
    }

    private static let streamMembers = [
        "ParallelizationFactor", "BisectBatchOnFunctionError", "TumblingWindowInSeconds", "Topics", "Queues",
        "SourceAccessConfigurations", "SelfManagedEventSource", "AmazonManagedKafkaEventSourceConfig",
        "SelfManagedKafkaEventSourceConfig", "DocumentDBEventSourceConfig", "ProvisionedPollerConfig",
    ]

    private func readBatches(_ members: inout RequestMembers, _ mapping: inout EventSourceMapping) throws(LambdaFailure) {
        let size = try members.integer("BatchSize", 1...10_000)
        let window = try members.integer("MaximumBatchingWindowInSeconds", 0...300)
        if let types = try members.texts("FunctionResponseTypes", count: 0...1) {
            guard types.allSatisfy({ $0 == "ReportBatchItemFailures" }) else {
                throw members.violation(types[0], "FunctionResponseTypes", "Member must satisfy enum value set: [ReportBatchItemFailures]")
            }
            guard types.isEmpty || mapping.hasBatches else {
                throw .invalidParameter("FunctionResponseTypes cannot be set for a schedule: it has no batches.")
            }
            mapping.reportsItemFailures = !types.isEmpty
        }
        if let size { mapping.batchSize = size }
        if let window { mapping.windowSeconds = window }
        if case .schedule = mapping.source, mapping.batchSize != 1 || mapping.windowSeconds != 0 {
            throw .invalidParameter("A schedule has no batches: leave out BatchSize and MaximumBatchingWindowInSeconds.")
        }
        if mapping.source.isOrdered {
            guard mapping.batchSize <= 10 else {
                throw .invalidParameter("Maximum batch size for a FIFO queue is 10, not \(mapping.batchSize).")
            }
            guard mapping.windowSeconds == 0 else {
                throw .invalidParameter("Batching window is not supported for FIFO queues.")
            }
        }
        guard mapping.batchSize <= 10 || mapping.windowSeconds >= 1 || !mapping.isQueue else {
            throw .invalidParameter(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
        }
    }

    private func readScaling(_ members: inout RequestMembers, _ mapping: inout EventSourceMapping) throws(LambdaFailure) {
        let maximum: Int?? = try members.object("ScalingConfig") { part throws(LambdaFailure) in
            try part.integer("MaximumConcurrency", 2...1000)
        }
        guard let maximum else { return }
        guard mapping.isQueue || maximum == nil else {
            throw .invalidParameter("ScalingConfig can be set for queues only.")
        }
        mapping.maximumConcurrency = maximum
    }

    private func readFilters(_ members: inout RequestMembers, _ mapping: inout EventSourceMapping) throws(LambdaFailure) {
        let filters: [String]?? = try members.object("FilterCriteria") { part throws(LambdaFailure) in
            try part.objects("Filters", count: 0...5) { filter throws(LambdaFailure) in
                guard let pattern = try filter.text("Pattern", 0...4096) else { throw filter.missing("Pattern") }
                return pattern
            }
        }
        guard let filters else { return }
        guard mapping.isQueue || filters?.isEmpty != false else {
            throw .invalidParameter("FilterCriteria can be set for queues only; a directory has ?pattern=.")
        }
        for filter in filters ?? [] {
            guard let value = try? JSONParser.parse(filter), value.object != nil else {
                throw .invalidParameter("Invalid filter pattern definition: \(String(reflecting: String(filter.prefix(256)))) is no JSON object.")
            }
        }
        mapping.filters = filters ?? []
    }

    private func readFailures(_ members: inout RequestMembers, _ record: inout MappingRecord) throws(LambdaFailure) {
        let retries = try members.integer("MaximumRetryAttempts", -1...10_000)
        let age = try members.integer("MaximumRecordAgeInSeconds", -1...604_800)
        let failure: String?? = try members.object("DestinationConfig") { part throws(LambdaFailure) in
            try part.refuse("OnSuccess", "a mapping has a destination for failures only.")
            return try destination(&part, "OnFailure")
        }
        guard retries != nil || age != nil || failure != nil else { return }
        guard !record.mapping.isQueue else {
            throw .invalidParameter(
                "MaximumRetryAttempts, MaximumRecordAgeInSeconds and DestinationConfig cannot be set for a queue: "
                    + "set the queue's RedrivePolicy and MessageRetentionPeriod.")
        }
        // -1 takes a value back.
        if let retries { record.mapping.maximumRetries = retries < 0 ? nil : retries }
        if let age {
            guard age == -1 || age >= 60 else {
                throw .invalidParameter("MaximumRecordAgeInSeconds must be -1, or 60 to 604800, not \(age).")
            }
            record.mapping.maximumAgeSeconds = age < 0 ? nil : age
        }
        if let failure = failure.flatMap(\.self) {
            record.onFailure = failure.isEmpty ? nil : failure
            record.mapping.onFailure = if let arn = record.onFailure { try Destination(arn: arn, account: account) } else { nil }
        }
    }

    private func answer(_ record: MappingRecord, _ moment: Moment, state: String? = nil) -> JSONObject {
        let mapping = record.mapping
        var object = JSONObject()
        object.put("UUID", mapping.id)
        object.put("EventSourceMappingArn", account.mapping(mapping.id))
        object.put("StartingPosition", record.startingPosition)
        object.put("BatchSize", mapping.batchSize)
        object.put("MaximumBatchingWindowInSeconds", mapping.windowSeconds)
        object.put("EventSourceArn", mapping.sourceARN)
        if !mapping.filters.isEmpty {
            object["FilterCriteria"] = ["Filters": .array(mapping.filters.map { ["Pattern": $0.json] })]
        }
        object.put("FunctionArn", mapping.functionARN)
        object["LastModified"] = record.modified.lambdaSeconds
        object.put("LastProcessingResult", moment.processingResults[mapping.id] ?? "No records processed")
        object.put("State", state ?? (mapping.isEnabled ? "Enabled" : "Disabled"))
        object.put("StateTransitionReason", "USER_INITIATED")
        if !mapping.isQueue {
            var destinations = JSONObject()
            if let arn = record.onFailure { destinations["OnFailure"] = ["Destination": arn.json] }
            object["DestinationConfig"] = .object(destinations)
            // Not -1, which would be without end: those that are not there are as the function's event invoke config says.
            object.put("MaximumRetryAttempts", mapping.maximumRetries)
            object.put("MaximumRecordAgeInSeconds", mapping.maximumAgeSeconds)
        }
        if mapping.reportsItemFailures { object["FunctionResponseTypes"] = ["ReportBatchItemFailures"] }
        if let maximum = mapping.maximumConcurrency { object["ScalingConfig"] = ["MaximumConcurrency": maximum.json] }
        return object
    }
}

extension EventSourceMapping {
    var isQueue: Bool { if case .queue = source { true } else { false } }
    /// A schedule has one event at a time.
    var hasBatches: Bool { if case .schedule = source { false } else { true } }
}
