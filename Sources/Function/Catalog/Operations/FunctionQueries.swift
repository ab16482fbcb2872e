internal import JSON
internal import Lambda

// GetFunction, GetFunctionConfiguration, ListFunctions.
extension CatalogState {
    func getFunction(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier")
        let (record, qualifier) = try named(request)
        let version = try version(record, qualifier)
        var answer = JSONObject()
        answer["Configuration"] = .object(
            configuration(record.name, version, arn: account.function(record.name, qualifier)))
        answer["Code"] = .object(code(version, moment))
        if !record.tags.isEmpty { answer["Tags"] = record.tags.json }
        if let reserved = record.reserved { answer["Concurrency"] = ["ReservedConcurrentExecutions": reserved.json] }
        return Decision(answer: answer)
    }

    private func code(_ version: VersionRecord, _ moment: Moment) -> JSONObject {
        switch version.content.code.kind {
        case .zip(let directory):
            let path = "/forkless/v1/code/functions/\(directory)"
            return ["RepositoryType": "S3", "Location": .string(moment.hooks.codeLocation(moment.ticket(path)))]
        case .image(_, let uri, let resolved):
            return ["RepositoryType": "ECR", "ImageUri": uri.json, "ResolvedImageUri": resolved.json]
        }
    }

    func getFunctionConfiguration(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier")
        let (record, qualifier) = try named(request)
        let version = try version(record, qualifier)
        return Decision(answer: configuration(record.name, version, arn: account.function(record.name, qualifier)))
    }

    func listFunctions(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery("MasterRegion", "FunctionVersion", "Marker", "MaxItems")
        if let region = request.query("MasterRegion"), region != "ALL", region != account.region {
            throw .invalidParameter("MasterRegion \(region.prefix(64)) is not this node's: it has functions of \(account.region) only.")
        }
        let listsAll: Bool
        switch request.query("FunctionVersion") {
        case nil: listsAll = false
        case "ALL": listsAll = true
        case let other?:
            throw .invalidParameter(
                "1 validation error detected: Value '\(other.prefix(64))' at 'functionVersion' failed to satisfy constraint: "
                    + "Member must satisfy enum value set: [ALL]")
        }
        let page = try Page(request)
        var elements: [(name: String, element: (name: String, version: VersionRecord, arn: String))] = []
        for record in functions.values {
            let latest = account.function(record.name, listsAll ? "$LATEST" : nil)
            elements.append((record.name, (record.name, record.latest, latest)))
            guard listsAll else { continue }
            for (number, version) in versions[record.name] ?? [:] {
                elements.append((record.name + ":" + number.sortable, (record.name, version, qualifiedARN(record.name, version))))
            }
        }
        return Decision(
            answer: page.answer("Functions", elements) { .object(configuration($0.name, $0.version, arn: $0.arn)) })
    }
}
