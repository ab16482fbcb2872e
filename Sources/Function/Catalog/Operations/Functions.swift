internal import JSON
internal import Lambda

// CreateFunction, UpdateFunctionCode, UpdateFunctionConfiguration, DeleteFunction.
extension CatalogState {
    func createFunction(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        var members = try request.members()
        guard let text = try members.text("FunctionName", 1...256) else { throw members.missing("FunctionName") }
        let reference = try FunctionReference(text)
        try checkPlace(reference)
        guard reference.qualifier == nil else {
            throw .invalidParameter("\(text) names a version or an alias: a function is created by its name alone.")
        }
        guard functions[reference.name] == nil else { throw .conflict("Function already exist: \(reference.name)") }
        guard members.has("Role") else { throw members.missing("Role") }
        let code = try self.code(request, &members)
        var content = FunctionContent(code: code, role: "")
        let reading = reading(isImage: code.isImage)
        let description = try reading.read(&members, into: &content) ?? ""
        let tags = try members.map("Tags") ?? [:]
        try Self.checkTags(tags)
        content.settings = tags.filter { $0.key.hasPrefix(FunctionSettings.tagPrefix) }
        _ = try FunctionSettings(tags: tags, runtime: content.runtime)
        let publishes = try members.flag("Publish") ?? false
        try members.refuse("CodeSigningConfigArn", "this node verifies no signatures of code.")
        try members.refuse("TenancyConfig", "instances are not kept apart by tenants; deploy a function for each.")
        try members.refuse("PublishTo", "it belongs to capacity providers, which this node has not.")
        try members.finish()

        let revision = moment.uuid()
        let latest = VersionRecord(
            version: "$LATEST", description: description, revisionID: revision, deployment: revision, modified: moment.now,
            content: content)
        var record = FunctionRecord(name: reference.name, latest: latest)
        record.tags = tags
        guard publishes else {
            return Decision([.function(record)], answer: configuration(record.name, latest, arn: account.function(record.name)))
        }
        let version = published(&record, description: description, &moment)
        return Decision(
            [.function(record), .version(function: record.name, version)],
            answer: configuration(record.name, version, arn: qualifiedARN(record.name, version)))
    }

    func updateFunctionCode(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        var record = try unqualified(request)
        var members = try request.members()
        let isImage = record.latest.content.code.isImage
        let code = try newCode(request, &members, isImage: isImage)
        try checkArchitectures(&members)
        try members.refuse("SourceKMSKeyArn", "this node keeps no keys.")
        try members.refuse("PublishTo", "it belongs to capacity providers, which this node has not.")
        let publishes = try members.flag("Publish") ?? false
        let isDry = try members.flag("DryRun") ?? false
        try Self.checkRevision(try members.text("RevisionId"), record.latest.revisionID)
        try members.finish()
        record.latest.content.code = code
        try reading(isImage: isImage).checkSizes(record.latest.content)
        try checkStorage(code)
        change(&record, &moment)
        if isDry {
            return Decision(answer: configuration(record.name, record.latest, arn: account.function(record.name)))
        }
        return try publishing(publishes, &record, &moment)
    }

    func updateFunctionConfiguration(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        var record = try unqualified(request)
        var members = try request.members()
        try Self.checkRevision(try members.text("RevisionId"), record.latest.revisionID)
        let reading = reading(isImage: record.latest.content.code.isImage)
        if let description = try reading.read(&members, into: &record.latest.content) { record.latest.description = description }
        try members.finish()
        // Another runtime may not have what the tags say.
        _ = try FunctionSettings(tags: record.tags, runtime: record.latest.content.runtime)
        change(&record, &moment)
        return Decision([.function(record)], answer: configuration(record.name, record.latest, arn: account.function(record.name)))
    }

    func deleteFunction(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier")
        let (record, qualifier) = try named(request)
        guard let qualifier else { return Decision([.functionRemoved(record.name)]) }
        guard qualifier != "$LATEST" else {
            throw .invalidParameter("$LATEST version cannot be deleted without deleting the function.")
        }
        guard let number = FunctionReference.version(qualifier) else {
            throw .invalidParameter(
                "Deletion of aliases is not currently supported by DeleteFunction. Delete \(qualifier) with DeleteAlias.")
        }
        guard versions[record.name]?[number] != nil else { throw notFound(record.name, qualifier) }
        let aliases = record.aliases.values.filter { $0.version == qualifier || $0.other?.version == qualifier }
        guard aliases.isEmpty else {
            throw .conflict(
                "Unable to delete version because the following aliases reference it: "
                    + "[\(aliases.map(\.name).sorted().joined(separator: ", "))]")
        }
        var changed = record
        changed.provisioned[qualifier] = nil
        changed.eventInvoke[qualifier] = nil
        changed.policies[qualifier] = nil
        return Decision(
            (changed == record ? [] : [.function(changed)]) + [.versionRemoved(function: record.name, version: number)])
    }

    // MARK: - Parts

    func reading(isImage: Bool) -> ConfigurationReading {
        ConfigurationReading(
            settings: settings, layer: { (arn) throws(LambdaFailure) in try layerReference(arn) }, isImage: isImage)
    }

    /// After a change of what runs.
    func change(_ record: inout FunctionRecord, _ moment: inout Moment) {
        record.latest.revisionID = moment.uuid()
        record.latest.deployment = record.latest.revisionID
        record.latest.modified = moment.now
    }

    /// The code of a new function.
    private func code(_ request: CatalogRequest, _ members: inout RequestMembers) throws(LambdaFailure) -> CodeRecord {
        let package = try members.choice("PackageType", ["Zip", "Image"])
        try checkArchitectures(&members)
        let code: CodeRecord?? = try members.object("Code") { part throws(LambdaFailure) in
            try newCode(request, &part, isImage: package == "Image")
        }
        guard let code = code.flatMap(\.self) else { throw members.missing("Code") }
        try checkStorage(code)
        return code
    }

    /// The code that was made ready, which must be of the kind that the function is.
    private func newCode(
        _ request: CatalogRequest, _ members: inout RequestMembers, isImage: Bool
    ) throws(LambdaFailure) -> CodeRecord {
        let (hasZip, hasImage) = (members.has("ZipFile"), members.has("ImageUri"))
        try members.refuse("SourceKMSKeyArn", "this node keeps no keys.")
        for key in ["S3Bucket", "S3Key", "S3ObjectVersion", "S3ObjectStorageMode"] {
            try members.refuse(key, "this node reads no code from S3; send the archive as ZipFile, or an image as ImageUri.")
        }
        guard hasZip != hasImage else {
            throw .invalidParameter(
                hasZip ? "Please do not provide both ZipFile and ImageUri." : "Please provide a source for function code.")
        }
        guard hasImage == isImage else {
            throw .invalidParameter(
                isImage
                    ? "Please provide ImageUri when updating a function with packageType Image."
                    : "Please don't provide ImageUri when updating or creating a function with packageType Zip.")
        }
        guard let code = request.code else { throw .service("The code of the request was not made ready.") }
        return code
    }

    private func checkArchitectures(_ members: inout RequestMembers) throws(LambdaFailure) {
        guard let architectures = try members.texts("Architectures", count: 1...1) else { return }
        guard architectures == [settings.architecture] else {
            throw .invalidParameter(
                "Functions for \(architectures[0].prefix(32)) cannot run here: this machine is \(settings.architecture). "
                    + "Leave out Architectures, or deploy on such a machine.")
        }
    }

    func checkStorage(_ code: CodeRecord) throws(LambdaFailure) {
        guard case .zip(let directory) = code.kind, uses[.code(directory)] == nil else { return }
        try checkStorage(code.size)
    }

    func checkStorage(_ size: Int) throws(LambdaFailure) {
        let total = codeSize + size
        guard total <= settings.codeStorageLimit else {
            throw LambdaFailure(
                "CodeStorageExceededException", status: 400,
                "Code storage limit exceeded: with this archive of \(size) bytes all have \(total), and "
                    + "\(settings.codeStorageLimit) may be kept. Delete functions, versions or layers that are not used.")
        }
    }
}

extension CodeRecord {
    var isImage: Bool { if case .image = kind { true } else { false } }
}
