internal import JSON
internal import Lambda

extension Deployer {
    /// What is declared beside a function: reserved concurrency, version and alias, provisioned instances, what becomes
    /// of its asynchronous events, its URL.
    mutating func deployBelongings(of function: FunctionDeclaration) async throws(DeploymentFailure) {
        try await deployReserved(function)
        if let alias = function.alias { try await deploy(alias, of: function.name) }
        let qualifier = function.alias.map { "Qualifier=\(PathText.encoded($0.name))" }
        if let setting = function.eventInvoke { try await deployEventInvoke(setting, of: function.name, qualifier) }
        if let setting = function.url { try await deployURL(setting, of: function.name, qualifier) }
    }

    private func deployReserved(_ function: FunctionDeclaration) async throws(DeploymentFailure) {
        guard let setting = function.reserved else { return }
        let what = "reserved concurrency of function \(function.name)"
        let now = try await find(LambdaRequest("GET", LambdaPaths.reserved(function.name)), what)?["ReservedConcurrentExecutions"]?.integer
        switch setting {
        case .value(let wanted):
            guard now != Int64(wanted) else { return }
            let body: JSONObject = ["ReservedConcurrentExecutions": .integer(Int64(wanted))]
            _ = try await call(LambdaRequest("PUT", LambdaPaths.concurrency(function.name), json: body), what)
            note(DeploymentChange(now == nil ? .created : .updated, "reserved concurrency", function.name, details: "\(wanted)"))
        case .absent:
            guard now != nil else { return }
            _ = try await call(LambdaRequest("DELETE", LambdaPaths.concurrency(function.name)), what)
            note(DeploymentChange(.removed, "reserved concurrency", function.name))
        }
    }

    /// Publishes what $LATEST is now, which makes no new version when nothing has changed, and leads the alias there.
    private func deploy(_ alias: AliasDeclaration, of name: String) async throws(DeploymentFailure) {
        let what = "alias \(alias.name) of function \(name)"
        let published = try await call(LambdaRequest("POST", LambdaPaths.function(name, "/versions"), json: [:]), what)
        guard let version = published["Version"]?.string else { throw DeploymentFailure(what, sentence: "the answer tells no version") }
        let path = LambdaPaths.function(name, "/aliases/\(PathText.encoded(alias.name))")
        let label = "\(name):\(alias.name)"
        if let now = try await find(LambdaRequest("GET", path), what) {
            let isWeighted = now["RoutingConfig"]?["AdditionalVersionWeights"]?.object?.isEmpty == false
            if now["FunctionVersion"]?.string == version, !isWeighted {
                note(DeploymentChange(.unchanged, "alias", label, details: "version \(version)"))
            } else {
                let body: JSONObject = ["FunctionVersion": .string(version), "RoutingConfig": ["AdditionalVersionWeights": [:]]]
                _ = try await call(LambdaRequest("PUT", path, json: body), what)
                note(DeploymentChange(.updated, "alias", label, details: "version \(version)"))
            }
        } else {
            let body: JSONObject = ["Name": .string(alias.name), "FunctionVersion": .string(version)]
            _ = try await call(LambdaRequest("POST", LambdaPaths.function(name, "/aliases"), json: body), what)
            note(DeploymentChange(.created, "alias", label, details: "version \(version)"))
        }
        try await deployProvisioned(alias, of: name)
    }

    private func deployProvisioned(_ alias: AliasDeclaration, of name: String) async throws(DeploymentFailure) {
        let what = "provisioned concurrency of \(name):\(alias.name)"
        let path = LambdaPaths.provisioned(name, alias.name)
        let now = try await find(LambdaRequest("GET", path), what)?["RequestedProvisionedConcurrentExecutions"]?.integer
        switch alias.provisioned {
        case .value(let wanted):
            guard now != Int64(wanted) else { return }
            _ = try await call(
                LambdaRequest("PUT", path, json: ["ProvisionedConcurrentExecutions": .integer(Int64(wanted))]), what)
            note(DeploymentChange(now == nil ? .created : .updated, "provisioned concurrency", "\(name):\(alias.name)", details: "\(wanted)"))
        case .absent:
            guard now != nil else { return }
            _ = try await call(LambdaRequest("DELETE", path), what)
            note(DeploymentChange(.removed, "provisioned concurrency", "\(name):\(alias.name)"))
        }
    }

    private func deployEventInvoke(
        _ setting: FunctionDeclaration.Setting<JSONObject>, of name: String, _ qualifier: String?
    ) async throws(DeploymentFailure) {
        let what = "event invoke config of function \(name)"
        let path = LambdaPaths.eventInvoke(name) + (qualifier.map { "?\($0)" } ?? "")
        let now = try await find(LambdaRequest("GET", path), what)
        switch setting {
        case .value(let wanted):
            if let now, FunctionComparison.covers(now, .object(wanted)) { return }
            // Put replaces: what is not wanted any more goes.
            _ = try await call(LambdaRequest("PUT", path, json: wanted), what)
            note(DeploymentChange(now == nil ? .created : .updated, "event invoke config", name))
        case .absent:
            guard now != nil else { return }
            _ = try await call(LambdaRequest("DELETE", path), what)
            note(DeploymentChange(.removed, "event invoke config", name))
        }
    }

    private mutating func deployURL(
        _ setting: FunctionDeclaration.Setting<JSONObject>, of name: String, _ qualifier: String?
    ) async throws(DeploymentFailure) {
        let what = "URL of function \(name)"
        let path = LambdaPaths.url(name) + (qualifier.map { "?\($0)" } ?? "")
        let now = try await find(LambdaRequest("GET", path), what)
        switch (setting, now) {
        case (.value(let wanted), let now?):
            learn(.functionURL(name), now["FunctionUrl"]?.string ?? "")
            guard !FunctionComparison.covers(now, .object(wanted)) else { return }
            let changed = try await call(LambdaRequest("PUT", path, json: wanted), what)
            try await admitEverybody(to: name, query: qualifier, url: changed, what)
            note(DeploymentChange(.updated, "URL", name, details: now["FunctionUrl"]?.string ?? ""))
        case (.value(let wanted), nil):
            let made = try await call(LambdaRequest("POST", path, json: wanted), what)
            learn(.functionURL(name), made["FunctionUrl"]?.string ?? "")
            try await admitEverybody(to: name, query: qualifier, url: made, what)
            note(DeploymentChange(.created, "URL", name, details: made["FunctionUrl"]?.string ?? ""))
        case (.absent, _?):
            _ = try await call(LambdaRequest("DELETE", path), what)
            note(DeploymentChange(.removed, "URL", name))
        case (.absent, nil): return
        }
    }
}
