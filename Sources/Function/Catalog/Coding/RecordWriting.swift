internal import JSON
internal import Lambda
internal import Linux

// How records stand in the database: as JSON, members that say nothing left out.

extension JSONObject {
    /// Nothing when there is no value.
    mutating func put(_ key: String, _ value: (some JSONConvertible)?) {
        if let value { self[key] = value.json }
    }

    /// Nothing when it is empty.
    mutating func put<Element: JSONConvertible>(_ key: String, all values: [Element]) {
        if !values.isEmpty { self[key] = values.json }
    }

    mutating func put(_ key: String, all values: [String: String]) {
        if !values.isEmpty { self[key] = values.json }
    }

    mutating func put<Value>(_ key: String, all values: [String: Value], _ write: (Value) -> JSONObject) {
        guard !values.isEmpty else { return }
        var object = JSONObject()
        for (name, value) in values.sorted(by: { $0.key < $1.key }) { object[name] = .object(write(value)) }
        self[key] = .object(object)
    }
}

extension FunctionRecord {
    var stored: JSONObject {
        var object = JSONObject()
        object.put("latest", latest.stored)
        object.put("next", nextVersion)
        object.put("tags", all: tags)
        object.put("aliases", all: aliases, \.stored)
        object.put("reserved", reserved)
        object.put("provisioned", all: provisioned) { ["count": $0.count.json, "modified": $0.modified.nanoseconds.json] }
        object.put("eventInvoke", all: eventInvoke, \.stored)
        object.put("urls", all: urls, \.stored)
        var policies = JSONObject()
        for (qualifier, statements) in self.policies.sorted(by: { $0.key < $1.key }) {
            policies[qualifier] = statements.map(\.stored).json
        }
        if !policies.isEmpty { object.put("policies", policies) }
        return object
    }
}

extension VersionRecord {
    var stored: JSONObject {
        var object = JSONObject()
        object.put("version", version)
        object.put("description", description)
        object.put("revision", revisionID)
        object.put("deployment", deployment)
        object.put("modified", modified.nanoseconds)
        object.put("content", content.stored)
        return object
    }
}

extension FunctionContent {
    var stored: JSONObject {
        var object = JSONObject()
        object.put("code", code.stored)
        object.put("runtime", runtime)
        object.put("handler", handler)
        object.put("role", role)
        object.put("timeout", timeoutSeconds)
        object.put("memory", memoryMB)
        object.put("ephemeral", ephemeralMB)
        object.put("environment", all: environment)
        object.put("layers", all: layers.map(\.stored))
        object.put("fileSystems", all: fileSystems.map(\.stored))
        object.put("deadLetter", deadLetter)
        object.put("json", logging.isJSON)
        object.put("applicationLevel", logging.applicationLevel)
        object.put("systemLevel", logging.systemLevel)
        object.put("logGroup", logging.group)
        object.put("image", image?.stored)
        object.put("traces", tracesActively)
        object.put("snapStarts", snapStarts)
        object.put("settings", all: settings)
        return object
    }
}

extension CodeRecord {
    var stored: JSONObject {
        var object = JSONObject()
        switch kind {
        case .zip(let directory): object.put("directory", directory)
        case .image(let id, let uri, let resolvedURI):
            object.put("image", id)
            object.put("uri", uri)
            object.put("resolved", resolvedURI)
        }
        object.put("digest", digest)
        object.put("size", size)
        object.put("unpacked", unpackedSize)
        return object
    }
}

extension LayerReference {
    var stored: JSONObject {
        ["arn": arn.json, "directory": directory.json, "size": size.json, "unpacked": unpackedSize.json]
    }
}

extension FileSystemRecord {
    var stored: JSONObject { ["arn": arn.json, "source": source.json, "target": target.json] }
}

extension ImageConfigRecord {
    var stored: JSONObject {
        var object = JSONObject()
        object.put("entryPoint", entryPoint)
        object.put("command", command)
        object.put("workingDirectory", workingDirectory)
        return object
    }
}

extension AliasRecord {
    var stored: JSONObject {
        var object = JSONObject()
        object.put("name", name)
        object.put("version", version)
        object.put("description", description)
        object.put("other", other?.version)
        object.put("share", other?.share)
        object.put("revision", revisionID)
        return object
    }
}

extension EventInvokeRecord {
    var stored: JSONObject {
        var object = JSONObject()
        object.put("retries", maximumRetries)
        object.put("age", maximumAgeSeconds)
        object.put("success", onSuccess)
        object.put("failure", onFailure)
        object.put("modified", modified.nanoseconds)
        return object
    }
}

extension PolicyStatement {
    var stored: JSONObject { ["id": id.json, "text": text.json] }
}

extension URLRecord {
    var stored: JSONObject {
        var object = JSONObject()
        object.put("id", url.id)
        object.put("function", url.function)
        object.put("qualifier", url.qualifier)
        object.put("authentication", url.authentication.rawValue)
        object.put("mode", url.mode.rawValue)
        if let cors = url.cors {
            var rules = JSONObject()
            rules.put("credentials", cors.allowsCredentials)
            rules.put("headers", all: cors.allowHeaders)
            rules.put("methods", all: cors.allowMethods)
            rules.put("origins", all: cors.allowOrigins)
            rules.put("expose", all: cors.exposeHeaders)
            rules.put("maxAge", cors.maxAge)
            object.put("cors", rules)
        }
        object.put("created", created.nanoseconds)
        object.put("modified", modified.nanoseconds)
        return object
    }
}

extension LayerVersionRecord {
    var stored: JSONObject {
        var object = JSONObject()
        object.put("layer", layer)
        object.put("version", version)
        object.put("description", description)
        object.put("license", license)
        object.put("runtimes", all: runtimes)
        object.put("architectures", all: architectures)
        object.put("created", created.nanoseconds)
        object.put("digest", digest)
        object.put("directory", directory)
        object.put("size", size)
        object.put("unpacked", unpackedSize)
        object.put("statements", all: statements.map(\.stored))
        object.put("revision", revisionID)
        return object
    }
}

extension MappingRecord {
    var stored: JSONObject {
        var object = JSONObject()
        object.put("id", mapping.id)
        object.put("source", mapping.sourceARN)
        object.put("function", mapping.function.name)
        object.put("qualifier", mapping.function.qualifier)
        object.put("enabled", mapping.isEnabled)
        object.put("batch", mapping.batchSize)
        object.put("window", mapping.windowSeconds)
        object.put("concurrency", mapping.maximumConcurrency)
        object.put("reports", mapping.reportsItemFailures)
        object.put("filters", all: mapping.filters)
        object.put("retries", mapping.maximumRetries)
        object.put("age", mapping.maximumAgeSeconds)
        object.put("failure", onFailure)
        object.put("position", startingPosition)
        object.put("tags", all: tags)
        object.put("modified", modified.nanoseconds)
        return object
    }
}
