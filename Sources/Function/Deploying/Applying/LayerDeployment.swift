internal import JSON

extension Deployer {
    /// Publishes a version of a layer when the last one differs.
    mutating func deploy(_ layer: LayerDeclaration, _ package: CodePackage) async throws(DeploymentFailure) {
        let what = "layer \(layer.name)"
        let versions = try await find(LambdaRequest("GET", LambdaPaths.layer(layer.name) + "?MaxItems=1"), what)
        if let last = versions?["LayerVersions"]?[0], let number = last["Version"]?.integer,
            let found = try await find(LambdaRequest("GET", "\(LambdaPaths.layer(layer.name))/\(number)"), what),
            found["Content"]?["CodeSha256"]?.string == package.digest, isSame(layer, found)
        {
            learn(.layerVersion(layer.name), found["LayerVersionArn"]?.string ?? "")
            return note(DeploymentChange(.unchanged, "layer", "\(layer.name):\(number)"))
        }
        var body: JSONObject = ["Content": ["ZipFile": .string(Base64.text(package.zip))]]
        if let description = layer.description { body["Description"] = .string(description) }
        if let license = layer.license { body["LicenseInfo"] = .string(license) }
        if !layer.runtimes.isEmpty { body["CompatibleRuntimes"] = .array(layer.runtimes.map { .string($0) }) }
        let made = try await call(LambdaRequest("POST", LambdaPaths.layer(layer.name), json: body), what)
        learn(.layerVersion(layer.name), made["LayerVersionArn"]?.string ?? "")
        note(DeploymentChange(.created, "layer", "\(layer.name):\(made["Version"]?.integer ?? 0)"))
    }

    private func isSame(_ layer: LayerDeclaration, _ found: JSONValue) -> Bool {
        (found["Description"]?.string ?? "") == (layer.description ?? "")
            && (found["LicenseInfo"]?.string ?? "") == (layer.license ?? "")
            && (found["CompatibleRuntimes"]?.array ?? []).compactMap(\.string) == layer.runtimes
    }
}
