internal import JSON
internal import Lambda

// PublishVersion, ListVersionsByFunction.
extension CatalogState {
    func publishVersion(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        var record = try unqualified(request)
        var members = try request.members()
        let digest = try members.text("CodeSha256")
        let description = try members.text("Description", 0...256)
        let revision = try members.text("RevisionId")
        try members.refuse("PublishTo", "it belongs to capacity providers, which this node has not.")
        try members.finish()
        try Self.checkRevision(revision, record.latest.revisionID)
        if let digest, digest != record.latest.content.code.digest {
            throw .invalidParameter(
                "CodeSHA256 (\(digest.prefix(128))) is different from current CodeSHA256 in $LATEST "
                    + "(\(record.latest.content.code.digest)). Please try again with the CodeSHA256 in $LATEST.")
        }
        if let last = lastPublished(record) {
            return Decision(answer: configuration(record.name, last, arn: qualifiedARN(record.name, last)))
        }
        let version = published(&record, description: description ?? record.latest.description, &moment)
        return Decision(
            [.function(record), .version(function: record.name, version)],
            answer: configuration(record.name, version, arn: qualifiedARN(record.name, version)))
    }

    func listVersions(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Marker", "MaxItems")
        let record = try unqualified(request)
        let page = try Page(request)
        let all = [record.latest] + versions(of: record.name)
        let elements = all.map { (name: (Int($0.version) ?? 0).sortable, element: $0) }
        return Decision(
            answer: page.answer("Versions", elements) {
                .object(configuration(record.name, $0, arn: qualifiedARN(record.name, $0)))
            })
    }

    /// The last version, when nothing has changed since it was published.
    private func lastPublished(_ record: FunctionRecord) -> VersionRecord? {
        guard let last = versions(of: record.name).last, last.content == record.latest.content else { return nil }
        return last
    }

    /// A version of what $LATEST is now.
    func published(_ record: inout FunctionRecord, description: String, _ moment: inout Moment) -> VersionRecord {
        var version = record.latest
        version.version = "\(record.nextVersion)"
        version.description = description
        version.revisionID = moment.uuid()
        version.deployment = version.revisionID
        version.modified = moment.now
        record.nextVersion += 1
        return version
    }

    /// The decision of an update of code, which may publish what it has made.
    func publishing(
        _ publishes: Bool, _ record: inout FunctionRecord, _ moment: inout Moment
    ) throws(LambdaFailure) -> Decision {
        guard publishes else {
            return Decision(
                [.function(record)], answer: configuration(record.name, record.latest, arn: account.function(record.name)))
        }
        if let last = lastPublished(record) {
            return Decision([.function(record)], answer: configuration(record.name, last, arn: qualifiedARN(record.name, last)))
        }
        let version = published(&record, description: record.latest.description, &moment)
        return Decision(
            [.function(record), .version(function: record.name, version)],
            answer: configuration(record.name, version, arn: qualifiedARN(record.name, version)))
    }
}
