internal import JSON
internal import Lambda

// Resource policies of functions and of versions of layers. They are kept and answered; who may call is decided by
// access keys, of which this node has one set for all.
extension CatalogState {
    /// Bytes of a policy, as the service limits it.
    static let policyLimit = 20_480

    func addPermission(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier")
        var (record, qualifier) = try named(request)
        let key = try existing(record, qualifier)
        var members = try request.members()
        try Self.checkRevision(try members.text("RevisionId"), try revision(record, key))
        let (id, statement) = try statement(&members, account.function(record.name, qualifier))
        try members.finish()
        var statements = record.policies[key] ?? []
        let added = try Self.add(statement, id, &statements)
        record.policies[key] = statements
        try renew(&record, key, moment.uuid())
        return Decision([.function(record)], answer: ["Statement": added.text.json] as JSONObject)
    }

    func removePermission(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier", "RevisionId")
        var (record, qualifier) = try named(request)
        let key = try existing(record, qualifier)
        try Self.checkRevision(request.query("RevisionId"), try revision(record, key))
        var statements = record.policies[key] ?? []
        try Self.remove(try request.path("StatementId"), &statements)
        record.policies[key] = statements.isEmpty ? nil : statements
        try renew(&record, key, moment.uuid())
        return Decision([.function(record)])
    }

    func getPolicy(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier")
        let (record, qualifier) = try named(request)
        let key = try existing(record, qualifier)
        guard let statements = record.policies[key] else { throw .notFound("The resource you requested does not exist.") }
        return Decision(
            answer: ["Policy": .string(Self.policy(statements)), "RevisionId": .string(try revision(record, key))] as JSONObject)
    }

    func addLayerPermission(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery("RevisionId")
        var record = try layerVersion(request)
        try Self.checkRevision(request.query("RevisionId"), record.revisionID)
        var members = try request.members()
        guard let id = try members.text("StatementId", 1...100, .statement) else { throw members.missing("StatementId") }
        guard let action = try members.choice("Action", ["lambda:GetLayerVersion"]) else { throw members.missing("Action") }
        guard let principal = try members.text("Principal", 1...256, .principal) else { throw members.missing("Principal") }
        let organization = try members.text("OrganizationId", 0...34, .organization)
        try members.finish()
        guard organization == nil || principal == "*" else {
            throw .invalidParameter("OrganizationId can only be given with the Principal \"*\".")
        }
        var statement: JSONObject = ["Sid": id.json, "Effect": "Allow"]
        statement["Principal"] = Self.principal(principal)
        statement.put("Action", action)
        statement.put("Resource", account.layer(record.layer, record.version))
        if let organization { statement["Condition"] = ["StringEquals": ["aws:PrincipalOrgID": organization.json]] }
        let added = try Self.add(statement, id, &record.statements)
        record.revisionID = moment.uuid()
        return Decision(
            [.layerVersion(record)], answer: ["Statement": added.text.json, "RevisionId": record.revisionID.json] as JSONObject)
    }

    func removeLayerPermission(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery("RevisionId")
        var record = try layerVersion(request)
        try Self.checkRevision(request.query("RevisionId"), record.revisionID)
        try Self.remove(try request.path("StatementId"), &record.statements)
        record.revisionID = moment.uuid()
        return Decision([.layerVersion(record)])
    }

    func getLayerPolicy(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        let record = try layerVersion(request)
        guard !record.statements.isEmpty else { throw .notFound("No policy is associated with the given resource.") }
        return Decision(
            answer: ["Policy": .string(Self.policy(record.statements)), "RevisionId": record.revisionID.json] as JSONObject)
    }

    // MARK: - Parts

    private func statement(_ members: inout RequestMembers, _ resource: String) throws(LambdaFailure) -> (String, JSONObject) {
        guard let id = try members.text("StatementId", 1...100, .statement) else { throw members.missing("StatementId") }
        guard let action = try members.text("Action", 1...256, .action) else { throw members.missing("Action") }
        guard let principal = try members.text("Principal", 1...2048, .principal) else { throw members.missing("Principal") }
        var strings = JSONObject()
        strings.put("AWS:SourceAccount", try members.text("SourceAccount", 0...12, .account))
        strings.put("lambda:EventSourceToken", try members.text("EventSourceToken", 0...256, .token))
        strings.put("aws:PrincipalOrgID", try members.text("PrincipalOrgID", 12...34, .organization))
        strings.put("lambda:FunctionUrlAuthType", try members.choice("FunctionUrlAuthType", ["NONE", "AWS_IAM"]))
        let source = try members.text("SourceArn", 1...2048, .arn)
        let viaURL = try members.flag("InvokedViaFunctionUrl")
        var statement: JSONObject = ["Sid": id.json, "Effect": "Allow"]
        statement["Principal"] = Self.principal(principal)
        statement.put("Action", action)
        statement.put("Resource", resource)
        var condition = JSONObject()
        if !strings.isEmpty { condition["StringEquals"] = .object(strings) }
        if let source { condition["ArnLike"] = ["AWS:SourceArn": source.json] }
        if let viaURL { condition["Bool"] = ["lambda:InvokedViaFunctionUrl": .string(viaURL ? "true" : "false")] }
        if !condition.isEmpty { statement["Condition"] = .object(condition) }
        return (id, statement)
    }

    /// As the service writes it: a service by its name, an account as its root, everybody as "*".
    private static func principal(_ text: String) -> JSONValue {
        if text == "*" { return "*" }
        if TextPattern.account.accepts(text) { return ["AWS": .string("arn:aws:iam::\(text):root")] }
        if text.hasPrefix("arn:") { return ["AWS": text.json] }
        return ["Service": text.json]
    }

    private static func add(
        _ statement: JSONObject, _ id: String, _ statements: inout [PolicyStatement]
    ) throws(LambdaFailure) -> PolicyStatement {
        guard !statements.contains(where: { $0.id == id }) else {
            throw .conflict(
                "The statement id (\(id)) provided already exists. Please provide a new statement id, or remove the existing statement.")
        }
        let added = PolicyStatement(id: id, text: JSONWriter.text(.object(statement)))
        statements.append(added)
        let size = policy(statements).utf8.count
        guard size <= policyLimit else {
            throw LambdaFailure(
                "PolicyLengthExceededException", status: 400,
                "The final policy size (\(size)) is bigger than the limit (\(policyLimit)).")
        }
        return added
    }

    private static func remove(_ id: String, _ statements: inout [PolicyStatement]) throws(LambdaFailure) {
        guard let at = statements.firstIndex(where: { $0.id == id }) else {
            throw .notFound("Statement \(id.prefix(100)) is not found in resource policy.")
        }
        statements.remove(at: at)
    }

    private static func policy(_ statements: [PolicyStatement]) -> String {
        "{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":[\(statements.map(\.text).joined(separator: ","))]}"
    }

    /// The policy's revision is that of what it belongs to.
    private func revision(_ record: FunctionRecord, _ key: String) throws(LambdaFailure) -> String {
        if let alias = record.aliases[key] { return alias.revisionID }
        return try version(record, key).revisionID
    }

    private func renew(_ record: inout FunctionRecord, _ key: String, _ id: String) throws(LambdaFailure) {
        if record.aliases[key] != nil {
            record.aliases[key]?.revisionID = id
        } else if key == "$LATEST" {
            record.latest.revisionID = id
        }
    }
}
