internal import JSON

extension TemplateReading {
    private static let eventTypes = "supported are SQS, Schedule, ScheduleV2, S3 (of a Forkless::Directory) and Directory"

    /// Reads `Events` of a function: each becomes a mapping.
    mutating func readEvents(of function: String, _ object: inout TemplateObject) throws(TemplateFailure) {
        guard var events = try object.object("Events") else { return }
        for name in events.names {
            guard var event = try events.object(name) else { throw events.failure(name, "expected names with values, found nothing") }
            guard let type = try event.string("Type") else { throw event.failure("Type", "an event has a Type") }
            let properties = event.node("Properties") ?? TemplateNode(.map([]), line: event.line)
            var source = try TemplateObject(properties, event.path(of: "Properties"))
            let mapping: (source: String, fields: JSONObject)
            switch type {
            case "SQS": mapping = try queue(&source)
            case "Schedule", "ScheduleV2": mapping = try schedule(&source, expression: type == "Schedule" ? "Schedule" : "ScheduleExpression")
            case "S3": mapping = try bucket(&source)
            case "Directory": mapping = try directory(&source)
            case "Api", "HttpApi":
                throw event.failure("Type", "\(type) is not supported: there is no router. Give the function a FunctionUrlConfig")
            default: throw event.failure("Type", "\(type) is not supported; \(Self.eventTypes)")
            }
            try source.refuseUnknown()
            try event.refuseUnknown()
            plan.mappings.append(
                MappingDeclaration(path: event.path, function: function, source: mapping.source, fields: mapping.fields))
        }
    }

    private func queue(_ object: inout TemplateObject) throws(TemplateFailure) -> (String, JSONObject) {
        guard let arn = try object.string("Queue") else { throw object.failure("Queue", "expected the ARN of a queue, found nothing") }
        return (arn, try mappingFields(&object))
    }

    /// `Schedule` is rate(...) or cron(...). `Missed` is ours: what becomes of runs that fell into a time without a node.
    private func schedule(_ object: inout TemplateObject, expression key: String) throws(TemplateFailure) -> (String, JSONObject) {
        guard let expression = try object.string(key) else { throw object.failure(key, "expected rate(...) or cron(...), found nothing") }
        if let zone = try object.string("ScheduleExpressionTimezone"), zone != "UTC" {
            throw object.failure("ScheduleExpressionTimezone", "schedules are in UTC here, found \"\(zone)\"")
        }
        var fields = JSONObject()
        var isEnabled = try object.boolean("Enabled") ?? true
        if let state = try object.string("State") {
            guard ["ENABLED", "DISABLED"].contains(state) else { throw object.failure("State", "ENABLED or DISABLED, found \"\(state)\"") }
            isEnabled = state == "ENABLED"
        }
        fields["Enabled"] = .bool(isEnabled)
        if var retry = try object.object("RetryPolicy") {
            if let count = try retry.integer("MaximumRetryAttempts") { fields["MaximumRetryAttempts"] = .integer(Int64(count)) }
            if let age = try retry.integer("MaximumEventAgeInSeconds") { fields["MaximumRecordAgeInSeconds"] = .integer(Int64(age)) }
            try retry.refuseUnknown()
        }
        if let destinations = try Self.destinations(&object) { fields["DestinationConfig"] = .object(destinations) }
        let missed = try object.string("Missed").map { "?missed=\($0)" } ?? ""
        try object.refuse("Input", "a run gets the event of EventBridge, \"Scheduled Event\"")
        return (place.scheduleARN(expression + missed), fields)
    }

    /// S3's events, of a directory: `Bucket: !Ref DIRECTORY`.
    private func bucket(_ object: inout TemplateObject) throws(TemplateFailure) -> (String, JSONObject) {
        let name = try object.string("Bucket") ?? ""
        guard let arn = directories[name] else {
            throw object.failure("Bucket", "expected !Ref to a Forkless::Directory of this template, found \"\(name)\"")
        }
        let wanted = ["s3:ObjectCreated:*", "s3:ObjectCreated:Put"]
        var events = [String]()
        if case .list = object.node("Events")?.value {
            events = try object.strings("Events") ?? []
        } else {
            events = try object.string("Events").map { [$0] } ?? []
        }
        guard events.count == 1, wanted.contains(events[0]) else {
            throw object.failure("Events", "only \(wanted.joined(separator: " or ")): a file has arrived")
        }
        var pattern: String?
        if var filter = try object.object("Filter") {
            pattern = try self.pattern(&filter)
            try filter.refuseUnknown()
        }
        let fields = try mappingFields(&object)
        return (arn + (pattern.map { "?pattern=\($0)" } ?? ""), fields)
    }

    /// `S3Key: {Rules: [{Name: prefix|suffix, Value: text}]}` as a pattern of names.
    private func pattern(_ filter: inout TemplateObject) throws(TemplateFailure) -> String? {
        guard var key = try filter.object("S3Key") else { return nil }
        var ends = ["prefix": "", "suffix": ""]
        for var rule in try key.objects("Rules") ?? [] {
            let name = try rule.string("Name") ?? ""
            guard let before = ends[name], before.isEmpty, let text = try rule.string("Value"), !text.contains("/"), !text.contains("*") else {
                throw rule.failure("Name", "one prefix and one suffix of the file's name, without \"/\" and \"*\"")
            }
            ends[name] = text
            try rule.refuseUnknown()
        }
        try key.refuseUnknown()
        return "\(ends["prefix"]!)*\(ends["suffix"]!)"
    }

    /// Our own type: {Directory: ARN, Pattern: *.xml}.
    private func directory(_ object: inout TemplateObject) throws(TemplateFailure) -> (String, JSONObject) {
        guard let arn = try object.string("Directory") else {
            throw object.failure("Directory", "expected !GetAtt DIRECTORY.Arn, found nothing")
        }
        let pattern = try object.string("Pattern").map { "?pattern=\($0)" } ?? ""
        return (arn + pattern, try mappingFields(&object))
    }
}
