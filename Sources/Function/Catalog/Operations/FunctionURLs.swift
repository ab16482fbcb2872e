internal import JSON
internal import Lambda
internal import Linux

// Function URLs.
extension CatalogState {
    func createURL(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier")
        var (record, key) = try urlOwner(request)
        guard record.urls[key] == nil else {
            throw .conflict(
                "Failed to create function url config for [functionArn = \(arn(record, key))]. Error message:  "
                    + "FunctionUrlConfig exists for this Lambda function")
        }
        var members = try request.members()
        guard members.has("AuthType") else { throw members.missing("AuthType") }
        var url = FunctionURL(
            id: moment.urlID(), function: record.name, qualifier: key == "$LATEST" ? nil : key, authentication: .iam)
        try read(&members, into: &url)
        try members.finish()
        record.urls[key] = URLRecord(url: url, created: moment.now, modified: moment.now)
        return Decision([.function(record)], answer: answer(record, key, moment, hasModified: false))
    }

    func getURL(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier")
        let (_, record, key) = try url(request)
        return Decision(answer: answer(record, key, moment))
    }

    func updateURL(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier")
        var (config, record, key) = try url(request)
        var members = try request.members()
        try read(&members, into: &config.url)
        try members.finish()
        config.modified = moment.now
        record.urls[key] = config
        return Decision([.function(record)], answer: answer(record, key, moment))
    }

    func deleteURL(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Qualifier")
        var (_, record, key) = try url(request)
        record.urls[key] = nil
        return Decision([.function(record)])
    }

    func listURLs(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery("Marker", "MaxItems")
        let record = try unqualified(request)
        let page = try Page(request, most: 50)
        let now = moment
        return Decision(
            answer: page.answer("FunctionUrlConfigs", record.urls.keys.map { ($0, $0) }) { .object(answer(record, $0, now)) })
    }

    // MARK: - Parts

    private func urlOwner(_ request: CatalogRequest) throws(LambdaFailure) -> (FunctionRecord, String) {
        let (record, qualifier) = try named(request)
        guard let qualifier, qualifier != "$LATEST" else { return (record, "$LATEST") }
        guard FunctionReference.isAlias(qualifier) else {
            throw .invalidParameter("A function URL belongs to a function or an alias, not to the version \(qualifier).")
        }
        guard record.aliases[qualifier] != nil else { throw notFound(record.name, qualifier) }
        return (record, qualifier)
    }

    private func url(_ request: CatalogRequest) throws(LambdaFailure) -> (URLRecord, FunctionRecord, String) {
        let (record, key) = try urlOwner(request)
        guard let config = record.urls[key] else { throw .notFound("The resource you requested does not exist.") }
        return (config, record, key)
    }

    private func arn(_ record: FunctionRecord, _ key: String) -> String {
        account.function(record.name, key == "$LATEST" ? nil : key)
    }

    private func read(_ members: inout RequestMembers, into url: inout FunctionURL) throws(LambdaFailure) {
        if let type = try members.choice("AuthType", FunctionURL.Authentication.allCases.map(\.rawValue)) {
            url.authentication = FunctionURL.Authentication(rawValue: type) ?? .iam
        }
        if let mode = try members.choice("InvokeMode", FunctionURL.Mode.allCases.map(\.rawValue)) {
            url.mode = FunctionURL.Mode(rawValue: mode) ?? .buffered
        }
        let cors: FunctionURL.CORS? = try members.object("Cors") { part throws(LambdaFailure) in
            var cors = FunctionURL.CORS()
            cors.allowsCredentials = try part.flag("AllowCredentials")
            cors.allowHeaders = try part.texts("AllowHeaders", count: 0...100, 0...1024, .noControls) ?? []
            cors.allowMethods = try methods(&part)
            cors.allowOrigins = try part.texts("AllowOrigins", count: 0...100, 1...253, .noControls) ?? []
            cors.exposeHeaders = try part.texts("ExposeHeaders", count: 0...100, 0...1024, .noControls) ?? []
            cors.maxAge = try part.integer("MaxAge", 0...86_400)
            return cors
        }
        // An empty one takes away what there was.
        if let cors { url.cors = cors == FunctionURL.CORS() ? nil : cors }
    }

    private func methods(_ members: inout RequestMembers) throws(LambdaFailure) -> [String] {
        let known = ["*", "GET", "PUT", "HEAD", "POST", "PATCH", "DELETE"]
        let methods = try members.texts("AllowMethods", count: 0...6, 0...6) ?? []
        for method in methods where !known.contains(method) {
            throw members.violation(
                method, "AllowMethods", "Member must satisfy enum value set: [\(known.joined(separator: ", "))]")
        }
        return methods
    }

    private func answer(_ record: FunctionRecord, _ key: String, _ moment: Moment, hasModified: Bool = true) -> JSONObject {
        var object = JSONObject()
        guard let config = record.urls[key] else { return object }
        object.put("FunctionUrl", moment.hooks.functionURL(config.url.id))
        object.put("FunctionArn", arn(record, key))
        object.put("AuthType", config.url.authentication.rawValue)
        if let cors = config.url.cors {
            var rules = JSONObject()
            rules.put("AllowCredentials", cors.allowsCredentials)
            rules.put("AllowHeaders", all: cors.allowHeaders)
            rules.put("AllowMethods", all: cors.allowMethods)
            rules.put("AllowOrigins", all: cors.allowOrigins)
            rules.put("ExposeHeaders", all: cors.exposeHeaders)
            rules.put("MaxAge", cors.maxAge)
            object["Cors"] = .object(rules)
        }
        object.put("CreationTime", config.created.lambdaText)
        if hasModified { object.put("LastModifiedTime", config.modified.lambdaText) }
        object.put("InvokeMode", config.url.mode.rawValue)
        return object
    }
}
