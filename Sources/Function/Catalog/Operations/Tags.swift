internal import JSON
internal import Lambda

// TagResource, UntagResource, ListTags. The tags of Forkless are settings, so a change of them is a deployment.
extension CatalogState {
    static let tagLimit = 50

    static func checkTags(_ tags: [String: String]) throws(LambdaFailure) {
        guard tags.count <= tagLimit else {
            throw .invalidParameter("Number of tags exceeds resource tag limit of \(tagLimit).")
        }
        for (key, value) in tags.sorted(by: { $0.key < $1.key }) {
            guard 1...128 ~= key.unicodeScalars.count, value.unicodeScalars.count <= 256 else {
                throw .invalidParameter(
                    "The tag \(String(reflecting: String(key.prefix(128)))) is too long: keys have 1 to 128 characters, values up to 256.")
            }
            guard !key.lowercased().hasPrefix("aws:") else {
                throw .invalidParameter("The tag \(key) begins with aws:, which is reserved.")
            }
        }
    }

    private enum Tagged {
        case function(FunctionRecord)
        case mapping(MappingRecord)
    }

    private func tagged(_ request: CatalogRequest) throws(LambdaFailure) -> Tagged {
        let arn = try request.path("Resource")
        let start = account.mapping("")
        if arn.hasPrefix(start) {
            guard let mapping = mappings[String(arn.dropFirst(start.utf8.count))] else {
                throw .notFound("The resource you requested does not exist.")
            }
            return .mapping(mapping)
        }
        guard arn.hasPrefix("arn:") else {
            throw .invalidParameter("Tags belong to ARNs: \(String(reflecting: String(arn.prefix(256)))) is none.")
        }
        let reference = try FunctionReference(arn)
        try checkPlace(reference)
        guard reference.qualifier == nil else {
            throw .invalidParameter("Tags on function aliases and versions are not supported. Please specify a function ARN.")
        }
        return .function(try function(reference))
    }

    func listTags(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        let tags =
            switch try tagged(request) {
            case .function(let record): record.tags
            case .mapping(let record): record.tags
            }
        return Decision(answer: ["Tags": tags.json] as JSONObject)
    }

    func tagResource(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        var members = try request.members()
        guard let tags = try members.map("Tags") else { throw members.missing("Tags") }
        try members.finish()
        return try change(request, &moment) { $0.merge(tags) { $1 } }
    }

    func untagResource(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery("tagKeys")
        let keys = request.queries("tagKeys")
        guard !keys.isEmpty else {
            throw .invalidParameter(
                "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null")
        }
        return try change(request, &moment) { tags in for key in keys { tags[key] = nil } }
    }

    private func change(
        _ request: CatalogRequest, _ moment: inout Moment, _ body: (inout [String: String]) -> Void
    ) throws(LambdaFailure) -> Decision {
        switch try tagged(request) {
        case .mapping(var record):
            body(&record.tags)
            try Self.checkTags(record.tags)
            if let tag = record.tags.keys.filter({ $0.hasPrefix(FunctionSettings.tagPrefix) }).min() {
                throw .invalidParameter("The tag \(tag) is a setting of functions; a mapping has none.")
            }
            return Decision([.mapping(record)])
        case .function(var record):
            body(&record.tags)
            try Self.checkTags(record.tags)
            _ = try FunctionSettings(tags: record.tags, runtime: record.latest.content.runtime)
            let settings = record.tags.filter { $0.key.hasPrefix(FunctionSettings.tagPrefix) }
            if settings != record.latest.content.settings {
                record.latest.content.settings = settings
                change(&record, &moment)
            }
            return Decision([.function(record)])
        }
    }
}
