internal import JSON
internal import Lambda
internal import Linux

// What becomes of asynchronous invocations.
extension CatalogState {
    func putEventInvoke(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try writeEventInvoke(request, EventInvokeRecord(modified: moment.now), moment)
    }

    func updateEventInvoke(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        var (config, _, _) = try eventInvoke(request)
        config.modified = moment.now
        return try writeEventInvoke(request, config, moment)
    }

    private func writeEventInvoke(
        _ request: CatalogRequest, _ before: EventInvokeRecord, _ moment: Moment
    ) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier")
        var (record, qualifier) = try named(request)
        let key = try existing(record, qualifier)
        var config = before
        var members = try request.members()
        let retries = try members.integer("MaximumRetryAttempts", 0...2)
        let age = try members.integer("MaximumEventAgeInSeconds", 60...21_600)
        let destinations: (success: String?, failure: String?)? = try members.object("DestinationConfig") { part throws(LambdaFailure) in
            (try destination(&part, "OnSuccess"), try destination(&part, "OnFailure"))
        }
        try members.finish()
        guard retries != nil || age != nil || destinations != nil else {
            throw .invalidParameter("You must specify at least one of error handling or destination setting.")
        }
        if let retries { config.maximumRetries = retries }
        if let age { config.maximumAgeSeconds = age }
        if let success = destinations?.success { config.onSuccess = success.isEmpty ? nil : success }
        if let failure = destinations?.failure { config.onFailure = failure.isEmpty ? nil : failure }
        for case .function(let target)? in try [config.onSuccess, config.onFailure].map({ (arn) throws(LambdaFailure) in
            if let arn { try Destination(arn: arn, account: account) } else { nil }
        }) where target.name == record.name {
            throw .invalidParameter("You can't specify the function as a destination for itself.")
        }
        record.eventInvoke[key] = config
        return Decision([.function(record)], answer: answer(config, record, key))
    }

    func getEventInvoke(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier")
        let (config, record, key) = try eventInvoke(request)
        return Decision(answer: answer(config, record, key))
    }

    func deleteEventInvoke(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier")
        var (_, record, key) = try eventInvoke(request)
        record.eventInvoke[key] = nil
        return Decision([.function(record)])
    }

    func listEventInvoke(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Marker", "MaxItems")
        let record = try unqualified(request)
        let page = try Page(request, most: 50)
        let elements = record.eventInvoke.map { (name: $0.key, element: $0) }
        return Decision(
            answer: page.answer("FunctionEventInvokeConfigs", elements) { .object(answer($0.value, record, $0.key)) })
    }

    // MARK: - Parts

    private func eventInvoke(
        _ request: CatalogRequest
    ) throws(LambdaFailure) -> (EventInvokeRecord, FunctionRecord, String) {
        let (record, qualifier) = try named(request)
        let key = try existing(record, qualifier)
        guard let config = record.eventInvoke[key] else {
            throw .notFound("The function \(account.function(record.name, key)) doesn't have an EventInvokeConfig")
        }
        return (config, record, key)
    }

    /// The ARN; empty when the destination is to go; nil when nothing was said.
    func destination(_ members: inout RequestMembers, _ key: String) throws(LambdaFailure) -> String? {
        let arn: String?? = try members.object(key) { part throws(LambdaFailure) in try part.text("Destination", 0...350) }
        guard let arn else { return nil }
        if let arn, !arn.isEmpty { _ = try Destination(arn: arn, account: account) }
        return arn ?? ""
    }

    private func answer(_ config: EventInvokeRecord, _ record: FunctionRecord, _ key: String) -> JSONObject {
        var object = JSONObject()
        object["LastModified"] = config.modified.lambdaSeconds
        object.put("FunctionArn", account.function(record.name, key))
        object.put("MaximumRetryAttempts", config.maximumRetries)
        object.put("MaximumEventAgeInSeconds", config.maximumAgeSeconds)
        var destinations: JSONObject = ["OnSuccess": [:], "OnFailure": [:]]
        if let arn = config.onSuccess { destinations["OnSuccess"] = ["Destination": arn.json] }
        if let arn = config.onFailure { destinations["OnFailure"] = ["Destination": arn.json] }
        object["DestinationConfig"] = .object(destinations)
        return object
    }

    /// What holds for events of a function under a qualifier; without a config of its own, the service's defaults.
    func eventInvokeSettings(_ name: String, _ qualifier: String?) -> EventInvokeSettings {
        var settings = EventInvokeSettings()
        guard let record = functions[name] else { return settings }
        func destination(_ arn: String?) -> Destination? { arn.flatMap { try? Destination(arn: $0, account: account) } }
        if let config = record.eventInvoke[qualifier ?? "$LATEST"] {
            settings.maximumRetries = config.maximumRetries ?? settings.maximumRetries
            settings.maximumAgeSeconds = config.maximumAgeSeconds ?? settings.maximumAgeSeconds
            settings.onSuccess = destination(config.onSuccess)
            settings.onFailure = destination(config.onFailure)
        }
        settings.deadLetter = destination((try? version(record, qualifier))?.content.deadLetter)
        return settings
    }
}
