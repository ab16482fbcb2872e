internal import JSON
internal import Lambda
internal import Linux

// Layers and their versions.
extension CatalogState {
    func publishLayer(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        let name = try layerName(request)
        var members = try request.members()
        let description = try members.text("Description", 0...256) ?? ""
        let license = try members.text("LicenseInfo", 0...512)
        let runtimes = try members.texts("CompatibleRuntimes", count: 0...15, 1...64) ?? []
        let architectures = try members.texts("CompatibleArchitectures", count: 0...2) ?? []
        if let strange = architectures.first(where: { $0 != "x86_64" && $0 != "arm64" }) {
            throw members.violation(strange, "CompatibleArchitectures", "Member must satisfy enum value set: [x86_64, arm64]")
        }
        let hasZip: Bool? = try members.object("Content") { part throws(LambdaFailure) in
            for key in ["S3Bucket", "S3Key", "S3ObjectVersion", "S3ObjectStorageMode"] {
                try part.refuse(key, "this node reads no code from S3; send the archive as ZipFile.")
            }
            return part.has("ZipFile")
        }
        try members.finish()
        guard hasZip == true else { throw .invalidParameter("Please provide the content of the layer as ZipFile.") }
        guard let code = request.code, case .zip(let directory) = code.kind else {
            throw .service("The content of the layer was not made ready.")
        }
        if uses[.layer(directory)] == nil { try checkStorage(code.size) }
        let number = layers[name]?.nextVersion ?? 1
        let record = LayerVersionRecord(
            layer: name, version: number, description: description, license: license, runtimes: runtimes,
            architectures: architectures, created: moment.now, digest: code.digest, directory: directory, size: code.size,
            unpackedSize: code.unpackedSize, revisionID: moment.uuid())
        return Decision(
            [.layer(LayerRecord(name: name, nextVersion: number + 1)), .layerVersion(record)],
            answer: answer(record, moment, hasContent: true))
    }

    func getLayerVersion(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        return Decision(answer: answer(try layerVersion(request), moment, hasContent: true))
    }

    func getLayerVersionByARN(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery("find", "Arn")
        guard let arn = request.query("Arn") else {
            throw .invalidParameter("1 validation error detected: Value null at 'arn' failed to satisfy constraint: Member must not be null")
        }
        let (name, number) = try Self.layerVersion(arn)
        guard let name = mine(name), let record = layerVersions[name]?[number] else { throw Self.noSuchLayer }
        return Decision(answer: answer(record, moment, hasContent: true))
    }

    func listLayers(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery("CompatibleRuntime", "CompatibleArchitecture", "Marker", "MaxItems")
        let page = try Page(request, most: 50)
        let latest: [(name: String, element: LayerVersionRecord)] = layerVersions.compactMap { name, versions in
            versions.values.filter { matches($0, request) }.max { $0.version < $1.version }.map { (name, $0) }
        }
        let now = moment
        return Decision(
            answer: page.answer("Layers", latest) {
                [
                    "LayerName": $0.layer.json, "LayerArn": account.layer($0.layer).json,
                    "LatestMatchingVersion": .object(answer($0, now, hasContent: false)),
                ]
            })
    }

    /// Newest first, as the service lists them.
    func listLayerVersions(_ request: CatalogRequest, _ moment: inout Moment) throws(LambdaFailure) -> Decision {
        try request.allowQuery("CompatibleRuntime", "CompatibleArchitecture", "Marker", "MaxItems")
        let name = try layerName(request)
        let page = try Page(request, most: 50)
        let records = (layerVersions[name] ?? [:]).values.filter { matches($0, request) }
        let elements = records.map { (name: (Int(Int32.max) - $0.version).sortable, element: $0) }
        let now = moment
        return Decision(answer: page.answer("LayerVersions", elements) { .object(answer($0, now, hasContent: false)) })
    }

    /// Deleting what is not there is no error. Functions that refer to it keep it.
    func deleteLayerVersion(_ request: CatalogRequest) throws(LambdaFailure) -> Decision {
        try request.allowQuery()
        guard let record = try? layerVersion(request) else {
            _ = try layerName(request)
            return Decision()
        }
        return Decision([.layerVersionRemoved(layer: record.layer, version: record.version)])
    }

    // MARK: - Parts

    static var noSuchLayer: LambdaFailure { .notFound("The resource you requested does not exist.") }

    /// A layer's name, given as it is or as an ARN.
    private func layerName(_ request: CatalogRequest) throws(LambdaFailure) -> String {
        let text = try request.path("LayerName")
        guard let name = mine(text), TextPattern.layerName.accepts(name), name.utf8.count <= 64 else {
            throw .invalidParameter(
                "\(String(reflecting: String(text.prefix(256)))) names no layer of this node: a name has up to 64 letters, digits, "
                    + "\"-\" and \"_\"; an ARN is \(account.layer("NAME")).")
        }
        return name
    }

    /// The name in an ARN of this account, or the name itself.
    private func mine(_ text: String) -> String? {
        guard text.hasPrefix("arn:") else { return text }
        let start = account.layer("")
        return text.hasPrefix(start) ? String(text.dropFirst(start.utf8.count)) : nil
    }

    func layerVersion(_ request: CatalogRequest) throws(LambdaFailure) -> LayerVersionRecord {
        let name = try layerName(request)
        let text = try request.path("VersionNumber")
        guard let number = FunctionReference.version(text) else {
            throw .invalidParameter("The version of a layer is a number from 1, not \(String(reflecting: String(text.prefix(64)))).")
        }
        guard let record = layerVersions[name]?[number] else { throw Self.noSuchLayer }
        return record
    }

    /// arn:...:layer:NAME:NUMBER as its ARN without the number, and the number.
    static func layerVersion(_ arn: String) throws(LambdaFailure) -> (String, Int) {
        let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 8, parts[0] == "arn", parts[2] == "lambda", parts[5] == "layer",
            TextPattern.layerName.accepts(String(parts[6])), let number = FunctionReference.version(parts[7])
        else {
            throw .invalidParameter(
                "\(String(reflecting: String(arn.prefix(256)))) is no ARN of a version of a layer: "
                    + "arn:aws:lambda:REGION:ACCOUNT:layer:NAME:NUMBER.")
        }
        return (parts.dropLast().joined(separator: ":"), number)
    }

    /// A layer as a function refers to it.
    func layerReference(_ arn: String) throws(LambdaFailure) -> LayerReference {
        let (name, number) = try Self.layerVersion(arn)
        guard let name = mine(name), let record = layerVersions[name]?[number] else {
            throw .invalidParameter("Layer version \(arn) does not exist.")
        }
        return LayerReference(arn: arn, directory: record.directory, size: record.size, unpackedSize: record.unpackedSize)
    }

    private func matches(_ record: LayerVersionRecord, _ request: CatalogRequest) -> Bool {
        if let runtime = request.query("CompatibleRuntime"), !record.runtimes.contains(runtime) { return false }
        if let architecture = request.query("CompatibleArchitecture"), !record.architectures.contains(architecture) { return false }
        return true
    }

    private func answer(_ record: LayerVersionRecord, _ moment: Moment, hasContent: Bool) -> JSONObject {
        var object = JSONObject()
        if hasContent {
            let path = "/forkless/v1/code/layers/\(record.directory)"
            object["Content"] = [
                "Location": .string(moment.hooks.codeLocation(moment.ticket(path))), "CodeSha256": record.digest.json,
                "CodeSize": record.size.json,
            ]
            object.put("LayerArn", account.layer(record.layer))
        }
        object.put("LayerVersionArn", account.layer(record.layer, record.version))
        object.put("Description", record.description)
        object.put("CreatedDate", record.created.lambdaText)
        object.put("Version", record.version)
        object.put("CompatibleRuntimes", all: record.runtimes)
        object.put("LicenseInfo", record.license)
        object.put("CompatibleArchitectures", all: record.architectures)
        return object
    }
}
