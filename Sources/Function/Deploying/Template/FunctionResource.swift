internal import JSON

extension TemplateReading {
    /// Reads an AWS::Serverless::Function. What it leaves out becomes Lambda's default: the template is the whole truth
    /// about its functions.
    mutating func readFunction(_ name: String, _ object: inout TemplateObject) throws(TemplateFailure) {
        var function = FunctionDeclaration(name: name)
        _ = try object.string("FunctionName")
        let isImage = try readCode(&function, &object)
        try readConfiguration(&function, &object, isImage: isImage)
        try readPlaces(&function, &object)
        function.environment = try environment(&object)
        function.layers = try object.texts("Layers") ?? []
        function.tags = try tags(&object)
        function.reserved = try object.integer("ReservedConcurrentExecutions").map { .value($0) } ?? .absent
        function.alias = try alias(&object)
        function.url = try url(&object).map { .value($0) } ?? .absent
        try readFailures(&function, &object)
        try refuseForeign(&object)
        let qualified = function.alias.map { "\(name):\($0.name)" } ?? name
        try readEvents(of: qualified, &object)
        plan.functions.append(function)
    }

    /// Whether the package is an image.
    private func readCode(_ function: inout FunctionDeclaration, _ object: inout TemplateObject) throws(TemplateFailure) -> Bool {
        let uri = try codePath("CodeUri", &object)
        let image = try object.string("ImageUri")
        let inline = try object.string("InlineCode")
        let package = try object.string("PackageType") ?? (image == nil ? "Zip" : "Image")
        guard ["Zip", "Image"].contains(package) else { throw object.failure("PackageType", "Zip or Image, found \"\(package)\"") }
        guard [uri, image, inline].count(where: { $0 != nil }) == 1 else {
            throw object.failure(
                package == "Image" ? "ImageUri" : "CodeUri", "a function has exactly one of CodeUri, InlineCode and ImageUri")
        }
        guard (image != nil) == (package == "Image") else {
            throw object.failure("PackageType", "an image is given with ImageUri, anything else with CodeUri or InlineCode")
        }
        if let image { function.code = .image(image) }
        if let uri { function.code = .path(place.absolute(uri)) }
        if let inline { function.code = .inline(name: "", text: inline) }
        return image != nil
    }

    /// CodeUri and ContentUri: a path. SAM's form for objects in S3 is refused.
    func codePath(_ key: String, _ object: inout TemplateObject) throws(TemplateFailure) -> String? {
        if case .map = object.node(key)?.value { throw object.failure(key, "not supported: code comes from a path here, not from S3") }
        guard let path = try object.string(key) else { return nil }
        guard !path.isEmpty else { throw object.failure(key, "the path is empty") }
        guard !path.hasPrefix("s3://") else { throw object.failure(key, "not supported: code comes from a path here, not from S3") }
        return path
    }

    private func readConfiguration(
        _ function: inout FunctionDeclaration, _ object: inout TemplateObject, isImage: Bool
    ) throws(TemplateFailure) {
        var fields = JSONObject()
        let runtime = try object.string("Runtime")
        let handler = try object.string("Handler")
        if isImage {
            if runtime != nil { throw object.failure("Runtime", "an image has no Runtime") }
            if handler != nil { throw object.failure("Handler", "an image has no Handler: ImageConfig.Command says what runs") }
            fields["ImageConfig"] = try imageConfiguration(&object)
        } else {
            guard let runtime else { throw object.failure("Runtime", "a function that is no image has a Runtime") }
            fields["Runtime"] = .string(runtime)
            // A bootstrap needs none, but the API wants one of every function.
            guard let handler = handler ?? (runtime.hasPrefix("provided") ? "bootstrap" : nil) else {
                throw object.failure("Handler", "a function has a Handler: MODULE.FUNCTION for Python, the program's words for forkless.stdio")
            }
            fields["Handler"] = .string(handler)
            try object.refuse("ImageConfig", "the package is no image")
            if case .inline(_, let text) = function.code {
                function.code = .inline(name: try Self.inlineName(runtime, handler, object), text: text)
            }
        }
        fields["MemorySize"] = .integer(Int64(try object.integer("MemorySize") ?? 128))
        fields["Timeout"] = .integer(Int64(try object.integer("Timeout") ?? 3))
        fields["Description"] = .string(try object.string("Description") ?? "")
        if let role = try object.string("Role") { fields["Role"] = .string(role) }
        function.architectures = try object.strings("Architectures")
        function.configuration = fields
    }

    /// The file that the handler names: "index.handler" is in index.py.
    private static func inlineName(_ runtime: String, _ handler: String, _ object: TemplateObject) throws(TemplateFailure) -> String {
        guard runtime.hasPrefix("python") else {
            throw object.failure("InlineCode", "only code for python is written inline; give others with CodeUri")
        }
        let module = handler.split(separator: ".").dropLast().joined(separator: "/")
        guard !module.isEmpty, !module.contains("..") else {
            throw object.failure("Handler", "expected MODULE.FUNCTION, found \"\(handler)\"")
        }
        return module + ".py"
    }

    private func imageConfiguration(_ object: inout TemplateObject) throws(TemplateFailure) -> JSONValue? {
        guard var image = try object.object("ImageConfig") else { return nil }
        var fields = JSONObject()
        for key in ["Command", "EntryPoint"] {
            if let words = try image.strings(key) { fields[key] = .array(words.map { .string($0) }) }
        }
        if let directory = try image.string("WorkingDirectory") { fields["WorkingDirectory"] = .string(directory) }
        try image.refuseUnknown()
        return .object(fields)
    }

    private func readPlaces(_ function: inout FunctionDeclaration, _ object: inout TemplateObject) throws(TemplateFailure) {
        var storage = try object.object("EphemeralStorage")
        let size = try storage?.integer("Size") ?? 512
        try storage?.refuseUnknown()
        function.configuration["EphemeralStorage"] = ["Size": .integer(Int64(size))]
        var systems: [JSONValue] = []
        for var system in try object.objects("FileSystemConfigs") ?? [] {
            guard let arn = try system.string("Arn") else { throw system.failure("Arn", "a file system has an Arn") }
            guard let target = try system.string("LocalMountPath") else { throw system.failure("LocalMountPath", "expected /mnt/NAME") }
            try system.refuseUnknown()
            systems.append(["Arn": .string(arn), "LocalMountPath": .string(target)])
        }
        function.configuration["FileSystemConfigs"] = .array(systems)
        if var logging = try object.object("LoggingConfig") {
            var fields = JSONObject()
            for key in ["LogFormat", "ApplicationLogLevel", "SystemLogLevel", "LogGroup"] {
                if let text = try logging.string(key) { fields[key] = .string(text) }
            }
            try logging.refuseUnknown()
            function.configuration["LoggingConfig"] = .object(fields)
        } else {
            function.configuration["LoggingConfig"] = ["LogFormat": "Text"]
        }
    }

    private func environment(_ object: inout TemplateObject) throws(TemplateFailure) -> [String: TemplateText] {
        guard var environment = try object.object("Environment") else { return [:] }
        let pairs = try environment.dictionary("Variables") ?? []
        try environment.refuseUnknown()
        return Dictionary(uniqueKeysWithValues: pairs.map { ($0.name, $0.text) })
    }

    private func tags(_ object: inout TemplateObject) throws(TemplateFailure) -> [String: String] {
        var tags: [String: String] = [:]
        for pair in try object.dictionary("Tags") ?? [] {
            guard let text = pair.text.literal else { throw object.failure("Tags", "the tag \(pair.name) has to be known before") }
            tags[pair.name] = text
        }
        return tags
    }

    private func alias(_ object: inout TemplateObject) throws(TemplateFailure) -> AliasDeclaration? {
        let name = try object.string("AutoPublishAlias")
        var provisioned = try object.object("ProvisionedConcurrencyConfig")
        let count = try provisioned?.integer("ProvisionedConcurrentExecutions")
        try provisioned?.refuseUnknown()
        guard let name else {
            if provisioned != nil {
                throw object.failure("ProvisionedConcurrencyConfig", "instances are provisioned for an alias: give AutoPublishAlias")
            }
            return nil
        }
        if let provisioned, count == nil {
            throw provisioned.failure("ProvisionedConcurrentExecutions", "expected a whole number, found nothing")
        }
        return AliasDeclaration(name: name, provisioned: count.map { .value($0) } ?? .absent)
    }

    private func url(_ object: inout TemplateObject) throws(TemplateFailure) -> JSONObject? {
        guard var url = try object.object("FunctionUrlConfig") else { return nil }
        var fields = JSONObject()
        guard let type = try url.string("AuthType") else { throw url.failure("AuthType", "expected NONE or AWS_IAM, found nothing") }
        fields["AuthType"] = .string(type)
        fields["InvokeMode"] = .string(try url.string("InvokeMode") ?? "BUFFERED")
        if var cors = try url.object("Cors") {
            var rules = JSONObject()
            if let allows = try cors.boolean("AllowCredentials") { rules["AllowCredentials"] = .bool(allows) }
            for key in ["AllowHeaders", "AllowMethods", "AllowOrigins", "ExposeHeaders"] {
                if let list = try cors.strings(key) { rules[key] = .array(list.map { .string($0) }) }
            }
            if let seconds = try cors.integer("MaxAge") { rules["MaxAge"] = .integer(Int64(seconds)) }
            try cors.refuseUnknown()
            fields["Cors"] = .object(rules)
        }
        try url.refuseUnknown()
        return fields
    }

    /// What becomes of asynchronous events, DeadLetterQueue among it.
    private func readFailures(_ function: inout FunctionDeclaration, _ object: inout TemplateObject) throws(TemplateFailure) {
        var target = ""
        if var queue = try object.object("DeadLetterQueue") {
            // SAM wants the type, whose only use is the policy that it writes.
            _ = try queue.string("Type")
            guard let arn = try queue.string("TargetArn") else { throw queue.failure("TargetArn", "expected an ARN, found nothing") }
            try queue.refuseUnknown()
            target = arn
        }
        function.configuration["DeadLetterConfig"] = ["TargetArn": .string(target)]
        guard var config = try object.object("EventInvokeConfig") else {
            function.eventInvoke = FunctionDeclaration.Setting<JSONObject>.absent
            return
        }
        var fields = JSONObject()
        if let count = try config.integer("MaximumRetryAttempts") { fields["MaximumRetryAttempts"] = .integer(Int64(count)) }
        if let age = try config.integer("MaximumEventAgeInSeconds") { fields["MaximumEventAgeInSeconds"] = .integer(Int64(age)) }
        if let destinations = try Self.destinations(&config) { fields["DestinationConfig"] = .object(destinations) }
        try config.refuseUnknown()
        function.eventInvoke = .value(fields)
    }

    /// `DestinationConfig`: {OnSuccess: {Destination: ARN}, OnFailure: ...}.
    static func destinations(_ object: inout TemplateObject) throws(TemplateFailure) -> JSONObject? {
        guard var config = try object.object("DestinationConfig") else { return nil }
        var fields = JSONObject()
        for key in ["OnSuccess", "OnFailure"] {
            guard var one = try config.object(key) else { continue }
            _ = try one.string("Type")
            guard let arn = try one.string("Destination") else {
                throw one.failure("Destination", "expected the ARN of a function, a queue or a directory, found nothing")
            }
            try one.refuseUnknown()
            fields[key] = ["Destination": .string(arn)]
        }
        try config.refuseUnknown()
        return fields
    }

    private func refuseForeign(_ object: inout TemplateObject) throws(TemplateFailure) {
        if var snap = try object.object("SnapStart") {
            let when = try snap.string("ApplyOn")
            guard when == nil || when == "None" else {
                throw snap.failure("ApplyOn", "only None: the tag forkless:start = zygote starts instances from memory")
            }
            try snap.refuseUnknown()
        }
        try object.refuse("Policies", "there are no services that a function could have rights to")
        try object.refuse("VpcConfig", "functions have no network but their own loopback")
        try object.refuse("Tracing", "there is no X-Ray here")
        try object.refuse("DeploymentPreference", "shift traffic with the weights of an alias: aws lambda update-alias")
        try object.refuse("KmsKeyArn", "there is no KMS here")
        try object.refuse("CodeSigningConfigArn", "code is not signed here")
    }
}
