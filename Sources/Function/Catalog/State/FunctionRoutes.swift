internal import Lambda

/// Where the calls of one function go, worked out when it changes, so that a call is a look-up.
struct FunctionRoutes: Sendable {
    /// Without a qualifier.
    var unqualified: Route
    /// By version, alias and "$LATEST".
    var qualified: [String: Route]

    struct Route: Sendable {
        var arn: String
        var function: DeployedFunction
        /// Another version for a share of the calls: below `otherShare` of 2^64.
        var other: DeployedFunction?
        var otherShare: UInt64 = 0

        func resolve(_ chance: UInt64) -> ResolvedFunction {
            if let other, chance < otherShare { return ResolvedFunction(function: other, invokedARN: arn) }
            return ResolvedFunction(function: function, invokedARN: arn)
        }
    }

    init(_ record: FunctionRecord, _ versions: [Int: VersionRecord], _ account: LambdaAccount, _ places: CodePlaces) {
        func deployed(_ version: VersionRecord) -> DeployedFunction { DeployedFunction(record.name, version, account, places) }
        let latest = deployed(record.latest)
        unqualified = Route(arn: latest.arn, function: latest)
        qualified = ["$LATEST": Route(arn: account.function(record.name, "$LATEST"), function: latest)]
        var published: [String: DeployedFunction] = ["$LATEST": latest]
        for (number, version) in versions {
            let function = deployed(version)
            published["\(number)"] = function
            qualified["\(number)"] = Route(arn: account.function(record.name, "\(number)"), function: function)
        }
        for alias in record.aliases.values {
            // Versions of an alias cannot be deleted; at a start they may come after it.
            guard let function = published[alias.version] else { continue }
            var route = Route(arn: account.function(record.name, alias.name), function: function)
            if let other = alias.other, let otherFunction = published[other.version] {
                route.other = otherFunction
                route.otherShare = other.share >= 1 ? .max : UInt64(other.share * 0x1p64)
            }
            qualified[alias.name] = route
        }
    }
}

extension DeployedFunction {
    init(_ name: String, _ version: VersionRecord, _ account: LambdaAccount, _ places: CodePlaces) {
        let content = version.content
        let runtime: FunctionRuntime
        var codeDirectory: String?
        switch content.code.kind {
        case .image(let id, _, _):
            runtime = .image(
                id: id, entryPoint: content.image?.entryPoint, command: content.image?.command,
                workingDirectory: content.image?.workingDirectory)
        case .zip(let directory):
            codeDirectory = places.code(directory)
            runtime =
                switch content.runtime {
                case "forkless.stdio": .stdio
                case let name? where name.hasPrefix("python"): .python(name)
                default: .bootstrap
                }
        }
        // Checked when they were set.
        var settings = (try? FunctionSettings(tags: content.settings, runtime: content.runtime)) ?? FunctionSettings()
        if content.snapStarts, version.version != "$LATEST" { settings.start = .zygote }
        self.init(
            name: name, version: version.version, arn: account.function(name), revision: version.deployment,
            codeDigest: content.code.digest, runtime: runtime, handler: content.handler ?? "", codeDirectory: codeDirectory,
            layerDirectories: content.layers.map { places.layer($0.directory) }, environment: content.environment,
            memoryMB: content.memoryMB, timeoutSeconds: content.timeoutSeconds, ephemeralMB: content.ephemeralMB,
            logsJSON: content.logging.isJSON, settings: settings)
        fileSystems = content.fileSystems.map { FileSystem(source: $0.source, target: $0.target) }
        applicationLogLevel = content.logging.applicationLevel
        systemLogLevel = content.logging.systemLevel
        logGroup = content.logging.group
        tracesActively = content.tracesActively
    }
}
