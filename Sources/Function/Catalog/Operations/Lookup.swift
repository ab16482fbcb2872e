internal import JSON
internal import Lambda

// Finding what a request names.
extension CatalogState {
    /// The function that a request names, and the qualifier in the name or the query.
    func named(_ request: CatalogRequest) throws(LambdaFailure) -> (record: FunctionRecord, qualifier: String?) {
        let reference = try reference(try request.path("FunctionName"), request.query("Qualifier"))
        return (try function(reference), reference.qualifier)
    }

    /// A name and a qualifier that is given beside it.
    func reference(_ text: String, _ qualifier: String?) throws(LambdaFailure) -> FunctionReference {
        var reference = try FunctionReference(text)
        try checkPlace(reference)
        guard let qualifier, !qualifier.isEmpty else { return reference }
        guard FunctionReference.isQualifier(qualifier) else {
            throw .invalidParameter(
                "1 validation error detected: Value '\(qualifier.prefix(256))' at 'qualifier' failed to satisfy constraint: Member must "
                    + "satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)")
        }
        guard reference.qualifier == nil || reference.qualifier == qualifier else {
            throw .invalidParameter("The derived qualifier from the function name does not match the specified qualifier.")
        }
        reference.qualifier = qualifier
        return reference
    }

    func checkPlace(_ reference: FunctionReference) throws(LambdaFailure) {
        if let region = reference.region, region != account.region {
            throw .notFound("Functions from '\(region)' are not reachable in this region ('\(account.region)')")
        }
        if let id = reference.account, id != account.id {
            throw .notFound("Functions of account \(id) are not reachable here: this node has those of \(account.id).")
        }
    }

    func function(_ reference: FunctionReference) throws(LambdaFailure) -> FunctionRecord {
        guard let record = functions[reference.name] else { throw notFound(reference.name, reference.qualifier) }
        return record
    }

    func notFound(_ name: String, _ qualifier: String?) -> LambdaFailure {
        .notFound("Function not found: \(account.function(name, qualifier))")
    }

    /// The function without a qualifier, for operations that are about all of it.
    func unqualified(_ request: CatalogRequest) throws(LambdaFailure) -> FunctionRecord {
        let (record, qualifier) = try named(request)
        guard qualifier == nil || qualifier == "$LATEST" else {
            throw .invalidParameter("This operation is permitted on Lambda functions only. Aliases and versions do not support "
                + "this operation. Please specify either a function name or an unqualified function ARN.")
        }
        return record
    }

    /// $LATEST, a version, or the version that an alias leads most calls to.
    func version(_ record: FunctionRecord, _ qualifier: String?) throws(LambdaFailure) -> VersionRecord {
        guard let qualifier, qualifier != "$LATEST" else { return record.latest }
        let text = record.aliases[qualifier]?.version ?? qualifier
        if text == "$LATEST" { return record.latest }
        guard let number = FunctionReference.version(text), let version = versions[record.name]?[number] else {
            throw notFound(record.name, qualifier)
        }
        return version
    }

    /// A qualifier that is there, "$LATEST" without one.
    func existing(_ record: FunctionRecord, _ qualifier: String?) throws(LambdaFailure) -> String {
        guard let qualifier else { return "$LATEST" }
        _ = try version(record, qualifier)
        return qualifier
    }

    /// Versions in their order.
    func versions(of name: String) -> [VersionRecord] {
        (versions[name] ?? [:]).sorted { $0.key < $1.key }.map(\.value)
    }

    static func checkRevision(_ given: String?, _ current: String) throws(LambdaFailure) {
        guard let given, given != current else { return }
        throw .precondition(
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve "
                + "the latest Revision Id")
    }
}
