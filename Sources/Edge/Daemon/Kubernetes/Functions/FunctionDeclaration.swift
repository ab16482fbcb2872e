import JSON
import Lambda

/// What is declared of one function, in the words of the Lambda API: the form in which an object's spec and the catalogue
/// are compared. Pure.
///
/// Invariant: what is read from the catalogue and written as a spec is the same again when it is read from that spec.
/// (test: `a function goes from the catalogue to an object and back without a change`)
struct FunctionDeclaration: Hashable {
    /// Members of UpdateFunctionConfiguration, all of them: one that a spec does not name has its default.
    var configuration: [String: JSONValue]
    /// With those of Forkless.
    var tags: [String: String] = [:]
    /// `ReservedConcurrentExecutions`
    var reserved: Int64?
    /// The body of PutFunctionEventInvokeConfig.
    var eventInvoke: JSONValue?
    /// `AuthType` and `InvokeMode` of the URL of $LATEST.
    var url: JSONValue?
    /// nil for one whose code is an archive.
    var image: String?

    /// Whether its code is an image's.
    var isImage: Bool { image != nil }

    /// Each setting that Lambda has as a tag: the field of the spec, and the tag without its prefix.
    static let settings: [(field: String, tag: String)] = [
        ("freshness", "freshness"), ("start", "start"), ("key", "key"), ("keyExpirySeconds", "key-expiry"),
        ("order", "order"), ("deadlineHeader", "deadline-header"), ("recordPayloads", "record"), ("input", "input"),
    ]

    /// The fields of a spec that members of the configuration come from, in the order in which they are suspected when the
    /// catalogue refuses the whole.
    static let members: [(member: String, field: String)] = [
        ("Description", "description"), ("Timeout", "timeoutSeconds"), ("MemorySize", "memoryMB"),
        ("EphemeralStorage", "ephemeralMB"), ("Environment", "environment"), ("Layers", "layers"),
        ("FileSystemConfigs", "fileSystems"), ("DeadLetterConfig", "deadLetter"), ("LoggingConfig", "logging"),
        ("TracingConfig", "tracing"), ("ImageConfig", "imageConfig"), ("Handler", "handler"), ("Runtime", "runtime"),
    ]
}

/// From an object.
extension FunctionDeclaration {
    /// - Parameters:
    ///   - spec: of a Function, valid and with defaults.
    ///   - name: of the function.
    init(spec: JSONValue, name: String, account: LambdaAccount) {
        image = spec["image"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        configuration = [:]
        configuration["Description"] = .string(spec["description"]?.string ?? "")
        configuration["Timeout"] = spec["timeoutSeconds"] ?? 3
        configuration["MemorySize"] = spec["memoryMB"] ?? 128
        configuration["EphemeralStorage"] = ["Size": spec["ephemeralMB"] ?? 512]
        configuration["Environment"] = ["Variables": spec["environment"] ?? [:]]
        configuration["Layers"] = spec["layers"] ?? []
        configuration["FileSystemConfigs"] = .array((spec["fileSystems"]?.array ?? []).map { Self.fileSystem($0, account) })
        configuration["DeadLetterConfig"] = ["TargetArn": .string(spec["deadLetter"]?.string ?? "")]
        configuration["LoggingConfig"] = Self.logging(spec["logging"], name)
        configuration["TracingConfig"] = ["Mode": .string(spec["tracing"]?.bool == true ? "Active" : "PassThrough")]
        if isImage {
            let config = spec["imageConfig"]
            configuration["ImageConfig"] = [
                "EntryPoint": config?["entryPoint"] ?? [], "Command": config?["command"] ?? [],
                "WorkingDirectory": .string(config?["workingDirectory"]?.string ?? ""),
            ]
        }
        for (member, field) in [("Runtime", "runtime"), ("Handler", "handler")] {
            if let text = spec[field]?.string, !text.isEmpty { configuration[member] = .string(text) }
        }
        for tag in spec["tags"]?.object?.members ?? [] { tags[tag.key] = tag.value.string ?? "" }
        for (field, tag) in Self.settings {
            switch spec[field] {
            case .string(let text)? where !text.isEmpty: tags[FunctionSettings.tagPrefix + tag] = text
            case .integer(let number)?: tags[FunctionSettings.tagPrefix + tag] = "\(number)"
            case .bool(true)?: tags[FunctionSettings.tagPrefix + tag] = "on"
            default: break
            }
        }
        reserved = spec["reservedConcurrency"]?.integer
        if let events = spec["eventInvoke"], !events.isNull { eventInvoke = Self.eventInvoke(events) }
        if let address = spec["url"], !address.isNull {
            url = ["AuthType": address["authType"] ?? "AWS_IAM", "InvokeMode": address["invokeMode"] ?? "BUFFERED"]
        }
    }

    private static func fileSystem(_ json: JSONValue, _ account: LambdaAccount) -> JSONValue {
        [
            "Arn": .string("arn:forkless:directory:\(account.region):\(account.id):\(json["source"]?.string ?? "")"),
            "LocalMountPath": json["target"] ?? "",
        ]
    }

    private static func logging(_ json: JSONValue?, _ name: String) -> JSONValue {
        let isJSON = json?["format"] == "JSON"
        var logging: JSONValue = [
            "LogFormat": isJSON ? "JSON" : "Text",
            "LogGroup": .string(json?["group"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? "/aws/lambda/\(name)"),
        ]
        for (member, field) in [("ApplicationLogLevel", "applicationLevel"), ("SystemLogLevel", "systemLevel")] {
            if let level = json?[field]?.string, !level.isEmpty {
                logging[member] = .string(level)
            } else if isJSON {
                logging[member] = "INFO"
            }
        }
        return logging
    }

    private static func eventInvoke(_ json: JSONValue) -> JSONValue {
        var body: JSONValue = [:]
        if let retries = json["maximumRetries"]?.integer { body["MaximumRetryAttempts"] = .integer(retries) }
        if let age = json["maximumAgeSeconds"]?.integer { body["MaximumEventAgeInSeconds"] = .integer(age) }
        var destinations: JSONValue = [:]
        for (member, field) in [("OnSuccess", "onSuccess"), ("OnFailure", "onFailure")] {
            if let arn = json[field]?.string, !arn.isEmpty { destinations[member] = ["Destination": .string(arn)] }
        }
        if destinations.object?.isEmpty == false { body["DestinationConfig"] = destinations }
        return body
    }
}

/// From the catalogue, and to an object.
extension FunctionDeclaration {
    /// - Parameters:
    ///   - function: the answer of GetFunction.
    ///   - eventInvoke: of GetFunctionEventInvokeConfig, for $LATEST.
    ///   - url: of GetFunctionUrlConfig, for $LATEST.
    init(function: JSONValue, eventInvoke: JSONValue?, url: JSONValue?) {
        let known = function["Configuration"] ?? [:]
        image = function["Code", "ImageUri"]?.string
        configuration = [:]
        configuration["Description"] = known["Description"] ?? ""
        configuration["Timeout"] = known["Timeout"] ?? 3
        configuration["MemorySize"] = known["MemorySize"] ?? 128
        configuration["EphemeralStorage"] = known["EphemeralStorage"] ?? ["Size": 512]
        configuration["Environment"] = known["Environment"] ?? ["Variables": [:]]
        configuration["Layers"] = .array((known["Layers"]?.array ?? []).compactMap { $0["Arn"] })
        configuration["FileSystemConfigs"] = known["FileSystemConfigs"] ?? []
        configuration["DeadLetterConfig"] = known["DeadLetterConfig"] ?? ["TargetArn": ""]
        configuration["LoggingConfig"] = known["LoggingConfig"] ?? [:]
        configuration["TracingConfig"] = known["TracingConfig"] ?? [:]
        if isImage {
            let config = known["ImageConfigResponse", "ImageConfig"]
            configuration["ImageConfig"] = [
                "EntryPoint": config?["EntryPoint"] ?? [], "Command": config?["Command"] ?? [],
                "WorkingDirectory": config?["WorkingDirectory"] ?? "",
            ]
        }
        for member in ["Runtime", "Handler"] { if let value = known[member] { configuration[member] = value } }
        for member in function["Tags"]?.object?.members ?? [] { tags[member.key] = member.value.string ?? "" }
        reserved = function["Concurrency", "ReservedConcurrentExecutions"]?.integer
        if let eventInvoke {
            var body: JSONValue = [:]
            for member in ["MaximumRetryAttempts", "MaximumEventAgeInSeconds"] {
                if let value = eventInvoke[member], !value.isNull { body[member] = value }
            }
            var destinations: JSONValue = [:]
            for member in ["OnSuccess", "OnFailure"] {
                if let arn = eventInvoke["DestinationConfig", member, "Destination"] { destinations[member] = ["Destination": arn] }
            }
            if destinations.object?.isEmpty == false { body["DestinationConfig"] = destinations }
            self.eventInvoke = body
        }
        if let url { self.url = ["AuthType": url["AuthType"] ?? "AWS_IAM", "InvokeMode": url["InvokeMode"] ?? "BUFFERED"] }
    }

    /// A spec that declares this, without what is the default and without an archive.
    func spec(name: String) -> JSONValue {
        var spec: JSONValue = ["functionName": .string(name)]
        func put(_ field: String, _ value: JSONValue?) {
            if let value, !Self.saysNothing(value) { spec[field] = value }
        }
        put("description", configuration["Description"])
        put("runtime", configuration["Runtime"])
        put("handler", configuration["Handler"])
        put("image", image.map { .string($0) })
        put("imageConfig", imageConfig)
        put("memoryMB", configuration["MemorySize"])
        put("timeoutSeconds", configuration["Timeout"])
        put("ephemeralMB", configuration["EphemeralStorage"]?["Size"])
        put("environment", configuration["Environment"]?["Variables"])
        put("layers", configuration["Layers"])
        put("fileSystems", .array((configuration["FileSystemConfigs"]?.array ?? []).map(Self.fileSystem)))
        put("deadLetter", configuration["DeadLetterConfig"]?["TargetArn"])
        put("logging", logging(name))
        put("tracing", .bool(configuration["TracingConfig"]?["Mode"] == "Active"))
        put("reservedConcurrency", reserved.map { .integer($0) })
        for (field, tag) in Self.settings {
            guard let text = tags[FunctionSettings.tagPrefix + tag] else { continue }
            switch field {
            case "keyExpirySeconds": put(field, Int64(text).map { .integer($0) })
            case "recordPayloads": put(field, .bool(text == "on"))
            default: put(field, .string(text))
            }
        }
        put("eventInvoke", eventInvokeFields)
        put("url", url.map { url -> JSONValue in
            ["authType": url["AuthType"] ?? "AWS_IAM", "invokeMode": url["InvokeMode"] ?? "BUFFERED"]
        })
        let own = tags.filter { !$0.key.hasPrefix(FunctionSettings.tagPrefix) }.sorted { $0.key < $1.key }
        var tags: JSONValue = [:]
        for (key, value) in own { tags[key] = .string(value) }
        put("tags", tags)
        return spec
    }

    private static func saysNothing(_ value: JSONValue) -> Bool {
        switch value {
        case .null: true
        case .bool(let flag): !flag
        case .string(let text): text.isEmpty
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }

    private var imageConfig: JSONValue? {
        guard let config = configuration["ImageConfig"] else { return nil }
        var result: JSONValue = [:]
        for (member, field) in [("EntryPoint", "entryPoint"), ("Command", "command"), ("WorkingDirectory", "workingDirectory")] {
            if let value = config[member], !Self.saysNothing(value) { result[field] = value }
        }
        return result
    }

    /// "arn:forkless:directory:REGION:ACCOUNT:/PATH"
    private static func fileSystem(_ json: JSONValue) -> JSONValue {
        let fields = (json["Arn"]?.string ?? "").split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        return ["source": .string(fields.count == 6 ? String(fields[5]) : ""), "target": json["LocalMountPath"] ?? ""]
    }

    private func logging(_ name: String) -> JSONValue? {
        guard let known = configuration["LoggingConfig"] else { return nil }
        var result: JSONValue = [:]
        if known["LogFormat"] == "JSON" {
            result["format"] = "JSON"
            for (member, field) in [("ApplicationLogLevel", "applicationLevel"), ("SystemLogLevel", "systemLevel")] {
                if let level = known[member], level != "INFO" { result[field] = level }
            }
        }
        if let group = known["LogGroup"], group.string != "/aws/lambda/\(name)" { result["group"] = group }
        return result
    }

    private var eventInvokeFields: JSONValue? {
        guard let eventInvoke else { return nil }
        var result: JSONValue = [:]
        if let retries = eventInvoke["MaximumRetryAttempts"] { result["maximumRetries"] = retries }
        if let age = eventInvoke["MaximumEventAgeInSeconds"] { result["maximumAgeSeconds"] = age }
        for (member, field) in [("OnSuccess", "onSuccess"), ("OnFailure", "onFailure")] {
            if let arn = eventInvoke["DestinationConfig", member, "Destination"] { result[field] = arn }
        }
        return result
    }
}
