internal import JSON
internal import Lambda
internal import Linux

// Records as they are read from the database: what RecordWriting has written.

extension JSONObjectReader {
    /// An object whose names are data.
    fileprivate mutating func all<Value>(
        _ key: String, _ read: (inout JSONObjectReader) throws(JSONShapeError) -> Value
    ) throws(JSONShapeError) -> [String: Value] {
        guard let object: JSONObject = try optional(key) else { return [:] }
        var values: [String: Value] = [:]
        for member in object.members {
            var reader = try JSONObjectReader(member.value, path: "\(path).\(key).\(member.key)")
            values[member.key] = try read(&reader)
        }
        return values
    }

    fileprivate mutating func part<Value>(
        _ key: String, _ read: (inout JSONObjectReader) throws(JSONShapeError) -> Value
    ) throws(JSONShapeError) -> Value {
        guard let value = try object(key, read) else { throw error(key, "missing") }
        return value
    }

    fileprivate mutating func time(_ key: String) throws(JSONShapeError) -> Timestamp {
        Timestamp(nanoseconds: try required(key))
    }
}

extension FunctionRecord {
    init(name: String, _ reader: inout JSONObjectReader) throws(JSONShapeError) {
        let latest = try reader.part("latest") { part throws(JSONShapeError) in try VersionRecord(&part) }
        self.init(name: name, latest: latest)
        nextVersion = try reader.required("next")
        tags = try reader.dictionary("tags")
        aliases = try reader.all("aliases") { part throws(JSONShapeError) in try AliasRecord(&part) }
        reserved = try reader.optional("reserved")
        provisioned = try reader.all("provisioned") { part throws(JSONShapeError) in
            ProvisionedRecord(count: try part.required("count"), modified: try part.time("modified"))
        }
        eventInvoke = try reader.all("eventInvoke") { part throws(JSONShapeError) in try EventInvokeRecord(&part) }
        urls = try reader.all("urls") { part throws(JSONShapeError) in try URLRecord(&part) }
        let policies: JSONObject = try reader.optional("policies") ?? JSONObject()
        var policiesReader = try JSONObjectReader(.object(policies), path: "policies")
        for qualifier in policies.keys {
            self.policies[qualifier] = try policiesReader.array(qualifier) { part throws(JSONShapeError) in
                try PolicyStatement(&part)
            }
        }
    }
}

extension VersionRecord {
    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        version = try reader.required("version")
        description = try reader.required("description")
        revisionID = try reader.required("revision")
        deployment = try reader.required("deployment")
        modified = try reader.time("modified")
        content = try reader.part("content") { part throws(JSONShapeError) in try FunctionContent(&part) }
    }
}

extension FunctionContent {
    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        code = try reader.part("code") { part throws(JSONShapeError) in try CodeRecord(&part) }
        runtime = try reader.optional("runtime")
        handler = try reader.optional("handler")
        role = try reader.required("role")
        timeoutSeconds = try reader.required("timeout")
        memoryMB = try reader.required("memory")
        ephemeralMB = try reader.required("ephemeral")
        environment = try reader.dictionary("environment")
        layers = try reader.array("layers") { part throws(JSONShapeError) in
            LayerReference(
                arn: try part.required("arn"), directory: try part.required("directory"), size: try part.required("size"),
                unpackedSize: try part.required("unpacked"))
        }
        fileSystems = try reader.array("fileSystems") { part throws(JSONShapeError) in
            FileSystemRecord(
                arn: try part.required("arn"), source: try part.required("source"), target: try part.required("target"))
        }
        deadLetter = try reader.optional("deadLetter")
        logging.isJSON = try reader.required("json")
        logging.applicationLevel = try reader.optional("applicationLevel")
        logging.systemLevel = try reader.optional("systemLevel")
        logging.group = try reader.optional("logGroup")
        image = try reader.object("image") { part throws(JSONShapeError) in
            ImageConfigRecord(
                entryPoint: try part.optional("entryPoint"), command: try part.optional("command"),
                workingDirectory: try part.optional("workingDirectory"))
        }
        tracesActively = try reader.required("traces")
        snapStarts = try reader.required("snapStarts")
        settings = try reader.dictionary("settings")
    }
}

extension CodeRecord {
    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        if let directory: String = try reader.optional("directory") {
            kind = .zip(directory: directory)
        } else {
            kind = .image(
                id: try reader.required("image"), uri: try reader.required("uri"), resolvedURI: try reader.required("resolved"))
        }
        digest = try reader.required("digest")
        size = try reader.required("size")
        unpackedSize = try reader.required("unpacked")
    }
}

extension AliasRecord {
    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        name = try reader.required("name")
        version = try reader.required("version")
        description = try reader.required("description")
        if let other: String = try reader.optional("other") {
            self.other = Weight(version: other, share: try reader.required("share"))
        }
        revisionID = try reader.required("revision")
    }
}

extension EventInvokeRecord {
    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        maximumRetries = try reader.optional("retries")
        maximumAgeSeconds = try reader.optional("age")
        onSuccess = try reader.optional("success")
        onFailure = try reader.optional("failure")
        modified = try reader.time("modified")
    }
}

extension PolicyStatement {
    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        id = try reader.required("id")
        text = try reader.required("text")
    }
}

extension URLRecord {
    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        let authentication: String = try reader.required("authentication")
        let mode: String = try reader.required("mode")
        guard let authentication = FunctionURL.Authentication(rawValue: authentication) else {
            throw reader.error("authentication", "unknown")
        }
        guard let mode = FunctionURL.Mode(rawValue: mode) else { throw reader.error("mode", "unknown") }
        url = FunctionURL(
            id: try reader.required("id"), function: try reader.required("function"),
            qualifier: try reader.optional("qualifier"), authentication: authentication, mode: mode)
        url.cors = try reader.object("cors") { part throws(JSONShapeError) in
            var cors = FunctionURL.CORS()
            cors.allowsCredentials = try part.optional("credentials")
            cors.allowHeaders = try part.list("headers")
            cors.allowMethods = try part.list("methods")
            cors.allowOrigins = try part.list("origins")
            cors.exposeHeaders = try part.list("expose")
            cors.maxAge = try part.optional("maxAge")
            return cors
        }
        created = try reader.time("created")
        modified = try reader.time("modified")
    }
}

extension LayerVersionRecord {
    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        layer = try reader.required("layer")
        version = try reader.required("version")
        description = try reader.required("description")
        license = try reader.optional("license")
        runtimes = try reader.list("runtimes")
        architectures = try reader.list("architectures")
        created = try reader.time("created")
        digest = try reader.required("digest")
        directory = try reader.required("directory")
        size = try reader.required("size")
        unpackedSize = try reader.required("unpacked")
        statements = try reader.array("statements") { part throws(JSONShapeError) in try PolicyStatement(&part) }
        revisionID = try reader.required("revision")
    }
}

extension MappingRecord {
    init(_ reader: inout JSONObjectReader, _ account: LambdaAccount) throws(JSONShapeError) {
        let sourceARN: String = try reader.required("source")
        let function = FunctionReference(name: try reader.required("function"), qualifier: try reader.optional("qualifier"))
        onFailure = try reader.optional("failure")
        let source: EventSource
        let destination: Destination?
        do throws(LambdaFailure) {
            source = try EventSource(arn: sourceARN, account: account)
            destination = if let onFailure { try Destination(arn: onFailure, account: account) } else { nil }
        } catch { throw reader.error("source", error.message) }
        mapping = EventSourceMapping(
            id: try reader.required("id"), sourceARN: sourceARN, source: source, function: function,
            functionARN: account.function(function.name, function.qualifier))
        mapping.isEnabled = try reader.required("enabled")
        mapping.batchSize = try reader.required("batch")
        mapping.windowSeconds = try reader.required("window")
        mapping.maximumConcurrency = try reader.optional("concurrency")
        mapping.reportsItemFailures = try reader.required("reports")
        mapping.filters = try reader.list("filters")
        mapping.maximumRetries = try reader.optional("retries")
        mapping.maximumAgeSeconds = try reader.optional("age")
        mapping.onFailure = destination
        startingPosition = try reader.optional("position")
        tags = try reader.dictionary("tags")
        modified = try reader.time("modified")
    }
}
