internal import JSON
internal import Lambda

// CreateAlias, GetAlias, UpdateAlias, DeleteAlias, ListAliases.
extension CatalogState {
    func createAlias(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        var record = try unqualified(request)
        var members = try request.members()
        guard let name = try members.text("Name", 1...128, .alias) else { throw members.missing("Name") }
        guard let version = try members.text("FunctionVersion", 1...1024, .version) else { throw members.missing("FunctionVersion") }
        guard record.aliases[name] == nil else {
            throw .conflict("Alias already exists: \(account.function(record.name, name))")
        }
        var alias = AliasRecord(name: name, version: version, description: "", other: nil, revisionID: moment.uuid())
        try read(&members, into: &alias, record)
        try members.finish()
        record.aliases[name] = alias
        return Decision([.function(record)], answer: answer(alias, record))
    }

    func getAlias(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        let record = try unqualified(request)
        return Decision(answer: answer(try alias(request, record), record))
    }

    func updateAlias(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        var record = try unqualified(request)
        var alias = try alias(request, record)
        var members = try request.members()
        try Self.checkRevision(try members.text("RevisionId"), alias.revisionID)
        if let version = try members.text("FunctionVersion", 1...1024, .version) { alias.version = version }
        try read(&members, into: &alias, record)
        try members.finish()
        alias.revisionID = moment.uuid()
        record.aliases[alias.name] = alias
        return Decision([.function(record)], answer: answer(alias, record))
    }

    /// Deleting what is not there is no error, as with the service.
    func deleteAlias(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        var record = try unqualified(request)
        let name = try request.path("Name")
        guard record.aliases[name] != nil else { return Decision() }
        guard record.urls[name] == nil else {
            throw .conflict("The alias \(name) has a function URL. Delete that first, with DeleteFunctionUrlConfig.")
        }
        record.aliases[name] = nil
        record.provisioned[name] = nil
        record.eventInvoke[name] = nil
        record.policies[name] = nil
        return Decision([.function(record)])
    }

    func listAliases(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery("FunctionVersion", "Marker", "MaxItems")
        let record = try unqualified(request)
        let page = try Page(request)
        let wanted = request.query("FunctionVersion")
        let aliases = record.aliases.values.filter { wanted == nil || $0.version == wanted || $0.other?.version == wanted }
        return Decision(answer: page.answer("Aliases", aliases.map { ($0.name, $0) }) { .object(answer($0, record)) })
    }

    // MARK: - Parts

    private func alias(_ request: CatalogRequest, _ record: FunctionRecord) throws(LambdaFailure) -> AliasRecord {
        let name = try request.path("Name")
        guard let alias = record.aliases[name] else {
            throw .notFound("Cannot find alias arn: \(account.function(record.name, String(name.prefix(128))))")
        }
        return alias
    }

    private func read(
        _ members: inout RequestMembers, into alias: inout AliasRecord, _ record: FunctionRecord
    ) throws(LambdaFailure) {
        if let description = try members.text("Description", 0...256) { alias.description = description }
        let weights: [String: Double]?? = try members.object("RoutingConfig") { part throws(LambdaFailure) in
            try part.weights("AdditionalVersionWeights")
        }
        if let weights {
            guard (weights ?? [:]).count <= 1 else {
                throw .invalidParameter("Number of items in AdditionalVersionWeights cannot be greater than 1. Expected 0-1.")
            }
            alias.other = (weights ?? [:]).first.map { AliasRecord.Weight(version: $0.key, share: $0.value) }
        }
        try checkExists(alias.version, record)
        guard let other = alias.other else { return }
        guard alias.version != "$LATEST", other.version != "$LATEST" else {
            throw .invalidParameter("$LATEST is not supported for an alias pointing to more than 1 version")
        }
        guard other.version != alias.version else {
            throw .invalidParameter(
                "Invalid function version \(alias.version). Function version \(alias.version) is already included in routing configuration.")
        }
        try checkExists(other.version, record)
    }

    private func checkExists(_ version: String, _ record: FunctionRecord) throws(LambdaFailure) {
        if version == "$LATEST" { return }
        guard let number = FunctionReference.version(version), versions[record.name]?[number] != nil else {
            throw notFound(record.name, String(version.prefix(128)))
        }
    }

    private func answer(_ alias: AliasRecord, _ record: FunctionRecord) -> JSONObject {
        var object = JSONObject()
        object.put("AliasArn", account.function(record.name, alias.name))
        object.put("Name", alias.name)
        object.put("FunctionVersion", alias.version)
        object.put("Description", alias.description)
        if let other = alias.other {
            object["RoutingConfig"] = ["AdditionalVersionWeights": .object([other.version: other.share.json])]
        }
        object.put("RevisionId", alias.revisionID)
        return object
    }
}
