internal import JSON
package import Lambda

/// What a mapping says about the retries of its events; nil: what the function's event invoke config says.
package struct InvokeOverrides: Hashable, Sendable {
    package var maximumRetries: Int?
    package var maximumAgeSeconds: Int?
    package var onFailure: Destination?

    package init() {}

    package init(_ mapping: EventSourceMapping) {
        maximumRetries = mapping.maximumRetries
        maximumAgeSeconds = mapping.maximumAgeSeconds
        onFailure = mapping.onFailure
    }

    func applied(to settings: EventInvokeSettings) -> EventInvokeSettings {
        var settings = settings
        if let maximumRetries { settings.maximumRetries = maximumRetries }
        if let maximumAgeSeconds { settings.maximumAgeSeconds = maximumAgeSeconds }
        if let onFailure { settings.onFailure = onFailure }
        return settings
    }

    init(json: JSONValue) {
        maximumRetries = json["maximumRetries"]?.integer.map { Int($0) }
        maximumAgeSeconds = json["maximumAgeSeconds"]?.integer.map { Int($0) }
        if let queue = json["queue"]?.string { onFailure = .queue(queue) }
        if let directory = json["directory"]?.string { onFailure = .directory(directory) }
        if let name = json["function"]?.string {
            var reference = FunctionReference(name: name, qualifier: json["qualifier"]?.string)
            reference.region = json["region"]?.string
            reference.account = json["account"]?.string
            onFailure = .function(reference)
        }
    }

    var json: JSONValue {
        var json = JSONObject()
        json["maximumRetries"] = maximumRetries.map { .integer(Int64($0)) }
        json["maximumAgeSeconds"] = maximumAgeSeconds.map { .integer(Int64($0)) }
        switch onFailure {
        case .queue(let queue): json["queue"] = .string(queue)
        case .directory(let directory): json["directory"] = .string(directory)
        case .function(let reference):
            json["function"] = .string(reference.name)
            json["qualifier"] = reference.qualifier.map { .string($0) }
            json["region"] = reference.region.map { .string($0) }
            json["account"] = reference.account.map { .string($0) }
        case nil: break
        }
        return .object(json)
    }
}
