internal import JSON
internal import Lambda

/// Reads what CreateFunction and UpdateFunctionConfiguration have in common into a configuration: a new one, or the
/// one that was.
struct ConfigurationReading {
    let settings: CatalogSettings
    /// A version of a layer, by its ARN.
    let layer: (String) throws(LambdaFailure) -> LayerReference
    var isImage = false

    /// Returns the new description, if there is one.
    func read(_ members: inout RequestMembers, into content: inout FunctionContent) throws(LambdaFailure) -> String? {
        if let role = try members.text("Role", 1...Int.max, .role) { content.role = role }
        try readRuntime(&members, &content)
        if let timeout = try members.integer("Timeout", 1...900) { content.timeoutSeconds = timeout }
        try readMemory(&members, &content)
        if let environment = try environment(&members) { content.environment = environment }
        if let layers = try members.texts("Layers", 1...140) { content.layers = try read(layers) }
        if let systems = try fileSystems(&members) { content.fileSystems = systems }
        if let target = try deadLetter(&members) { content.deadLetter = target.isEmpty ? nil : target }
        if let logging = try logging(&members, content.logging) { content.logging = logging }
        try readImage(&members, &content)
        if let mode = try members.object("TracingConfig", { (part) throws(LambdaFailure) in
            try part.choice("Mode", ["Active", "PassThrough"])
        }) {
            content.tracesActively = mode == "Active"
        }
        try readSnapStart(&members, &content)
        try refuseWhatIsNotHere(&members)
        try checkSizes(content)
        return try members.text("Description", 0...256)
    }

    // MARK: - Runtime

    private func readRuntime(_ members: inout RequestMembers, _ content: inout FunctionContent) throws(LambdaFailure) {
        if let runtime = try members.text("Runtime") {
            guard !isImage else {
                throw .invalidParameter("Runtime and Handler are not supported for functions created with container images.")
            }
            guard settings.runtimes.contains(runtime) else {
                throw .invalidParameter(
                    "Value \(runtime.prefix(64)) at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
                        + "[\(settings.runtimes.joined(separator: ", "))] or be a valid ARN. These are the runtimes that this machine has.")
            }
            content.runtime = runtime
        }
        // The words of a program for forkless.stdio have spaces between them.
        let isStdio = content.runtime == "forkless.stdio"
        if let handler = try members.text("Handler", 0...(isStdio ? 1024 : 128), isStdio ? .noControls : nil) {
            guard !isImage else {
                throw .invalidParameter("Runtime and Handler are not supported for functions created with container images.")
            }
            content.handler = handler
        }
        guard !isImage else { return }
        guard let runtime = content.runtime else {
            throw .invalidParameter("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
        }
        guard let handler = content.handler, !handler.isEmpty else {
            throw .invalidParameter(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages.")
        }
        guard isStdio || TextPattern.handler.accepts(handler) else {
            throw members.violation(
                handler, "Handler", "Member must satisfy regular expression pattern: \(TextPattern.handler.pattern)")
        }
        if runtime.hasPrefix("python"), !handler.contains(".") {
            throw .invalidParameter(
                "The handler \(String(reflecting: handler)) names no function of a module: write MODULE.FUNCTION.")
        }
    }

    private func readImage(_ members: inout RequestMembers, _ content: inout FunctionContent) throws(LambdaFailure) {
        let config: ImageConfigRecord? = try members.object("ImageConfig") { part throws(LambdaFailure) in
            ImageConfigRecord(
                entryPoint: try part.texts("EntryPoint", count: 0...1500), command: try part.texts("Command", count: 0...1500),
                workingDirectory: try part.text("WorkingDirectory", 0...1000))
        }
        guard var config else { return }
        // Empty lists and texts say what the image says.
        if config.entryPoint?.isEmpty == true { config.entryPoint = nil }
        if config.command?.isEmpty == true { config.command = nil }
        if config.workingDirectory?.isEmpty == true { config.workingDirectory = nil }
        if let directory = config.workingDirectory, !directory.hasPrefix("/") {
            throw .invalidParameter("The working directory \(String(reflecting: directory)) is not absolute.")
        }
        let isEmpty = config == ImageConfigRecord()
        guard isImage || isEmpty else {
            throw .invalidParameter("ImageConfig is only supported for functions that are packaged as container images.")
        }
        content.image = isEmpty ? nil : config
    }

    private func readSnapStart(_ members: inout RequestMembers, _ content: inout FunctionContent) throws(LambdaFailure) {
        if let applyOn = try members.object("SnapStart", { (part) throws(LambdaFailure) in
            try part.choice("ApplyOn", ["PublishedVersions", "None"])
        }) {
            content.snapStarts = applyOn == "PublishedVersions"
        }
        guard content.snapStarts, content.runtime?.hasPrefix("python") != true else { return }
        throw .invalidParameter(
            "\(content.runtime ?? "A container image") is not supported for SnapStart enabled functions: here it means a zygote for "
                + "published versions, which functions of \(settings.pythons.joined(separator: ", ")) have. "
                + "Others can set the tag forkless:start=zygote when their bootstrap speaks its protocol.")
    }

    // MARK: - Sizes

    private func readMemory(_ members: inout RequestMembers, _ content: inout FunctionContent) throws(LambdaFailure) {
        if let memory = try members.integer("MemorySize", 128...10_240) {
            guard memory <= settings.memoryMB else {
                throw .invalidParameter(
                    "MemorySize cannot be \(memory) MB: this machine has \(settings.memoryMB) MB. Ask for less.")
            }
            content.memoryMB = memory
        }
        let size: Int?? = try members.object("EphemeralStorage") { part throws(LambdaFailure) in
            guard let size = try part.integer("Size", 512...10_240) else { throw part.missing("Size") }
            return size
        }
        if let size = size.flatMap(\.self) { content.ephemeralMB = size }
    }

    /// Bytes that code and layers may have together when unpacked.
    static let unpackedLimit = 250 << 20

    func checkSizes(_ content: FunctionContent) throws(LambdaFailure) {
        let total = content.code.unpackedSize + content.layers.reduce(0) { $0 + $1.unpackedSize }
        guard total <= Self.unpackedLimit else {
            throw .invalidParameter(
                "Function code combined with layers exceeds the maximum allowed size of \(Self.unpackedLimit) bytes. "
                    + "The actual size is \(total) bytes.")
        }
    }

    // MARK: - Environment

    /// What the runtime sets itself.
    private static let reserved: Set<String> = [
        "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
    ]

    private func environment(_ members: inout RequestMembers) throws(LambdaFailure) -> [String: String]? {
        let read: [String: String]?? = try members.object("Environment") { part throws(LambdaFailure) in try part.map("Variables") }
        guard let read else { return nil }
        let variables = read ?? [:]
        for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
            guard TextPattern.environmentName.accepts(name) else {
                throw .invalidParameter(
                    "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy "
                        + "constraint: [Member must satisfy regular expression pattern: \(TextPattern.environmentName.pattern)], "
                        + "found \(String(reflecting: String(name.prefix(128))))")
            }
            guard !value.utf8.contains(0) else {
                throw .invalidParameter("The environment variable \(name) holds a NUL, which no environment can.")
            }
        }
        let taken = variables.keys.filter { Self.reserved.contains($0) }.sorted()
        guard taken.isEmpty else {
            throw .invalidParameter(
                "Lambda was unable to configure your environment variables because the environment variables you have provided "
                    + "contains reserved keys that are currently not supported for modification. Reserved keys used in this request: "
                    + taken.joined(separator: ", "))
        }
        let size = JSONWriter.bytes(variables.json).count
        guard size <= 4096 else {
            throw .invalidParameter(
                "Lambda was unable to configure your environment variables because the environment variables you have provided "
                    + "exceeded the 4KB limit: written as JSON they have \(size) bytes.")
        }
        return variables
    }

    // MARK: - Layers, directories, destinations

    private func read(_ arns: [String]) throws(LambdaFailure) -> [LayerReference] {
        guard !isImage || arns.isEmpty else {
            throw .invalidParameter("Layers are not supported for functions created with container images.")
        }
        guard arns.count <= 5 else {
            throw .invalidParameter("Cannot reference more than 5 layers.")
        }
        var layers: [LayerReference] = []
        var names: Set<Substring> = []
        for arn in arns {
            let name = arn[..<(arn.lastIndex(of: ":") ?? arn.endIndex)]
            guard names.insert(name).inserted else {
                throw .invalidParameter("Two different versions of the same layer are not allowed to be referenced in the same function. "
                    + "\(name) is referenced twice.")
            }
            layers.append(try layer(arn))
        }
        return layers
    }

    private func fileSystems(_ members: inout RequestMembers) throws(LambdaFailure) -> [FileSystemRecord]? {
        try members.objects("FileSystemConfigs", count: 0...1) { part throws(LambdaFailure) in
            guard let arn = try part.text("Arn", 1...4200) else { throw part.missing("Arn") }
            guard let target = try part.text("LocalMountPath", 1...160, .mountPath) else { throw part.missing("LocalMountPath") }
            let fields = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 6, fields[0..<3] == ["arn", "forkless", "directory"],
                fields[3].isEmpty || fields[3] == settings.account.region, fields[4].isEmpty || fields[4] == settings.account.id,
                EventSource.isPath(fields[5]), fields[5] != "/"
            else {
                throw .invalidParameter(
                    "The file system \(String(reflecting: String(arn.prefix(300)))) is none of this node. Give a directory of this machine: "
                        + "arn:forkless:directory:\(settings.account.region):\(settings.account.id):/PATH.")
            }
            return FileSystemRecord(arn: arn, source: fields[5], target: target)
        }
    }

    /// Empty: there is to be none.
    private func deadLetter(_ members: inout RequestMembers) throws(LambdaFailure) -> String? {
        let target: String?? = try members.object("DeadLetterConfig") { part throws(LambdaFailure) in try part.text("TargetArn", 0...350) }
        guard let target else { return nil }
        if let target, !target.isEmpty { _ = try Destination(arn: target, account: settings.account) }
        return target ?? ""
    }

    private func logging(_ members: inout RequestMembers, _ before: LoggingRecord) throws(LambdaFailure) -> LoggingRecord? {
        try members.object("LoggingConfig") { part throws(LambdaFailure) in
            var logging = before
            if let format = try part.choice("LogFormat", ["JSON", "Text"]) { logging.isJSON = format == "JSON" }
            let application = try part.choice("ApplicationLogLevel", ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"])
            let system = try part.choice("SystemLogLevel", ["DEBUG", "INFO", "WARN"])
            guard logging.isJSON || (application == nil && system == nil) else {
                throw .invalidParameter("To set ApplicationLogLevel or SystemLogLevel, LogFormat must be JSON.")
            }
            logging.applicationLevel = logging.isJSON ? application ?? logging.applicationLevel ?? "INFO" : nil
            logging.systemLevel = logging.isJSON ? system ?? logging.systemLevel ?? "INFO" : nil
            if let group = try part.text("LogGroup", 1...512, .logGroup) { logging.group = group }
            return logging
        }
    }

    // MARK: - Not here

    private func refuseWhatIsNotHere(_ members: inout RequestMembers) throws(LambdaFailure) {
        try members.refuse("VpcConfig", "functions here have no network but their own loopback.")
        try members.refuse("KMSKeyArn", "this node keeps no keys; protect its state directory instead.")
        try members.refuse("CapacityProviderConfig", "this node runs functions itself.")
        try members.refuse("DurableConfig", "durable executions are not offered; set forkless:key and forkless:order instead.")
        try members.refuse("RuntimeConfig", "runtimes are those of this machine.")
        try members.refuse("AcceleratorConfig", "functions here have no accelerator.")
    }
}
