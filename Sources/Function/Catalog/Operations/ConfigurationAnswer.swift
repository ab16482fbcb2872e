internal import JSON
internal import Lambda

// `FunctionConfiguration` as the service answers it.
extension CatalogState {
    func configuration(_ name: String, _ version: VersionRecord, arn: String) -> JSONObject {
        let content = version.content
        var object = JSONObject()
        object.put("FunctionName", name)
        object.put("FunctionArn", arn)
        object.put("Runtime", content.runtime)
        object.put("Role", content.role)
        object.put("Handler", content.handler)
        object.put("CodeSize", content.code.size)
        object.put("Description", version.description)
        object.put("Timeout", content.timeoutSeconds)
        object.put("MemorySize", content.memoryMB)
        object.put("LastModified", version.modified.lambdaText)
        object.put("CodeSha256", content.code.digest)
        object.put("Version", version.version)
        if !content.environment.isEmpty { object["Environment"] = ["Variables": content.environment.json] }
        if let target = content.deadLetter { object["DeadLetterConfig"] = ["TargetArn": target.json] }
        object["TracingConfig"] = ["Mode": .string(content.tracesActively ? "Active" : "PassThrough")]
        object.put("RevisionId", version.revisionID)
        if !content.layers.isEmpty {
            object["Layers"] = .array(content.layers.map { ["Arn": $0.arn.json, "CodeSize": $0.size.json] })
        }
        object.put("State", "Active")
        object.put("LastUpdateStatus", "Successful")
        if !content.fileSystems.isEmpty {
            object["FileSystemConfigs"] = .array(
                content.fileSystems.map { ["Arn": $0.arn.json, "LocalMountPath": $0.target.json] })
        }
        if case .image = content.code.kind {
            object.put("PackageType", "Image")
            if let image = content.image { object["ImageConfigResponse"] = ["ImageConfig": .object(image.answer)] }
        } else {
            object.put("PackageType", "Zip")
        }
        object["Architectures"] = [.string(settings.architecture)]
        object["EphemeralStorage"] = ["Size": content.ephemeralMB.json]
        let optimizes = content.snapStarts && version.version != "$LATEST"
        object["SnapStart"] = [
            "ApplyOn": .string(content.snapStarts ? "PublishedVersions" : "None"),
            "OptimizationStatus": .string(optimizes ? "On" : "Off"),
        ]
        object["LoggingConfig"] = .object(content.logging.answer(name))
        return object
    }

    /// The ARN of a version as ListFunctions and PublishVersion name it.
    func qualifiedARN(_ name: String, _ version: VersionRecord) -> String { account.function(name, version.version) }
}

extension LoggingRecord {
    func answer(_ name: String) -> JSONObject {
        var object = JSONObject()
        object.put("LogFormat", isJSON ? "JSON" : "Text")
        object.put("ApplicationLogLevel", applicationLevel)
        object.put("SystemLogLevel", systemLevel)
        object.put("LogGroup", group ?? "/aws/lambda/\(name)")
        return object
    }
}

extension ImageConfigRecord {
    var answer: JSONObject {
        var object = JSONObject()
        object.put("EntryPoint", entryPoint)
        object.put("Command", command)
        object.put("WorkingDirectory", workingDirectory)
        return object
    }
}
