internal import JSON

extension Deployer {
    /// Makes a mapping, or changes what differs. One of a function and a source is known by these two.
    func deploy(_ mapping: MappingDeclaration) async throws(DeploymentFailure) {
        let what = "mapping of \(mapping.source) to \(mapping.function)"
        let label = "\(mapping.function) from \(mapping.source)"
        guard let now = try await find(mapping, what) else {
            var body = mapping.fields
            body["FunctionName"] = .string(mapping.function)
            body["EventSourceArn"] = .string(mapping.source)
            _ = try await call(LambdaRequest("POST", LambdaPaths.mappings, json: body), what)
            return note(DeploymentChange(.created, "mapping", label))
        }
        var different = JSONObject()
        for member in mapping.fields.members {
            // "Enabled" is told as a state.
            let found = member.key == "Enabled" ? JSONValue.bool(Self.isEnabled(now)) : now[member.key]
            let isSame = found.map { FunctionComparison.covers($0, member.value) } ?? FunctionComparison.isEmpty(member.value)
            if !isSame { different[member.key] = member.value }
        }
        guard !different.isEmpty else { return note(DeploymentChange(.unchanged, "mapping", label)) }
        let id = now["UUID"]?.string ?? ""
        _ = try await call(LambdaRequest("PUT", "\(LambdaPaths.mappings)/\(PathText.encoded(id))", json: different), what)
        note(DeploymentChange(.updated, "mapping", label, details: different.keys.joined(separator: ", ")))
    }

    private func find(_ mapping: MappingDeclaration, _ what: String) async throws(DeploymentFailure) -> JSONValue? {
        var marker: String?
        repeat {
            var target = "\(LambdaPaths.mappings)?FunctionName=\(PathText.encoded(mapping.function))"
            target += "&EventSourceArn=\(PathText.encoded(mapping.source))"
            if let marker { target += "&Marker=\(PathText.encoded(marker))" }
            let page = try await call(LambdaRequest("GET", target), what)
            if let found = page["EventSourceMappings"]?[0] { return found }
            marker = page["NextMarker"]?.string
        } while marker != nil
        return nil
    }

    private static func isEnabled(_ mapping: JSONValue) -> Bool {
        ["Enabled", "Enabling", "Creating"].contains(mapping["State"]?.string ?? "")
    }
}
