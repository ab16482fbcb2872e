internal import JSON
internal import Lambda

extension Deployer {
    /// CreateFunction wants one; what it says changes nothing here.
    static let role = "arn:aws:iam::000000000000:role/forkless"

    /// Makes a function, or changes what differs: code, configuration, tags.
    mutating func deploy(_ function: FunctionDeclaration, _ package: CodePackage?) async throws(DeploymentFailure) {
        let what = "function \(function.name)"
        var configuration = function.configuration
        if let environment = function.environment {
            var variables = JSONObject()
            for (name, text) in environment.sorted(by: { $0.key < $1.key }) {
                variables[name] = .string(try resolved(text, in: "\(what), variable \(name)"))
            }
            configuration["Environment"] = ["Variables": .object(variables)]
        }
        if let layers = function.layers {
            var arns: [JSONValue] = []
            for layer in layers { arns.append(.string(try resolved(layer, in: "\(what), layers"))) }
            configuration["Layers"] = .array(arns)
        }
        let current = try await find(LambdaRequest("GET", LambdaPaths.function(function.name)), what)
        guard let current, let now = current["Configuration"] else {
            return try await create(function, package, configuration)
        }
        var changes: [String] = []
        if try await updateCode(function, package, now, current["Code"]) { changes.append("code") }
        let different = FunctionComparison.difference(configuration, now)
        if !different.isEmpty {
            _ = try await call(LambdaRequest("PUT", LambdaPaths.function(function.name, "/configuration"), json: different), what)
            changes += different.keys
        }
        if try await updateTags(function, now["FunctionArn"]?.string ?? function.name, current["Tags"]) { changes.append("tags") }
        note(
            DeploymentChange(
                changes.isEmpty ? .unchanged : .updated, "function", function.name, details: changes.joined(separator: ", ")))
    }

    private func create(
        _ function: FunctionDeclaration, _ package: CodePackage?, _ configuration: JSONObject
    ) async throws(DeploymentFailure) {
        let what = "function \(function.name)"
        var body: JSONObject = ["FunctionName": .string(function.name)]
        switch (function.code, package) {
        case (.image(let image), _):
            body["PackageType"] = "Image"
            body["Code"] = ["ImageUri": .string(image)]
        case (_, let package?): body["Code"] = ["ZipFile": .string(Base64.text(package.zip))]
        default: throw DeploymentFailure(what, sentence: "it is not there, and there is no code to make it of. Give --code or --image.")
        }
        for member in configuration.members where !FunctionComparison.isEmpty(member.value) { body[member.key] = member.value }
        if body["Role"] == nil { body["Role"] = .string(Self.role) }
        if let architectures = function.architectures { body["Architectures"] = .array(architectures.map { .string($0) }) }
        if let tags = function.tags, !tags.isEmpty { body["Tags"] = FunctionComparison.object(tags) }
        _ = try await call(LambdaRequest("POST", LambdaPaths.functions, json: body), what)
        note(DeploymentChange(.created, "function", function.name))
    }

    private func updateCode(
        _ function: FunctionDeclaration, _ package: CodePackage?, _ now: JSONValue, _ code: JSONValue?
    ) async throws(DeploymentFailure) -> Bool {
        var body = JSONObject()
        switch (function.code, package) {
        case (.image(let image), _):
            guard code?["ImageUri"]?.string != image else { return false }
            body["ImageUri"] = .string(image)
        case (_, let package?):
            guard now["CodeSha256"]?.string != package.digest else { return false }
            body["ZipFile"] = .string(Base64.text(package.zip))
        default: return false
        }
        let request = LambdaRequest("PUT", LambdaPaths.function(function.name, "/code"), json: body)
        _ = try await call(request, "function \(function.name)")
        return true
    }

    private func updateTags(
        _ function: FunctionDeclaration, _ arn: String, _ current: JSONValue?
    ) async throws(DeploymentFailure) -> Bool {
        guard let wanted = function.tags else { return false }
        let what = "tags of function \(function.name)"
        var now: [String: String] = [:]
        for member in current?.object?.members ?? [] { now[member.key] = member.value.string ?? "" }
        let set = wanted.filter { now[$0.key] != $0.value }
        let gone = function.keepsOtherTags ? [] : now.keys.filter { wanted[$0] == nil }.sorted()
        if !gone.isEmpty {
            let query = gone.map { "tagKeys=\(PathText.encoded($0))" }.joined(separator: "&")
            _ = try await call(LambdaRequest("DELETE", "\(LambdaPaths.tags(arn))?\(query)"), what)
        }
        if !set.isEmpty {
            _ = try await call(LambdaRequest("POST", LambdaPaths.tags(arn), json: ["Tags": FunctionComparison.object(set)]), what)
        }
        return !set.isEmpty || !gone.isEmpty
    }
}

/// What differs between a function as it is to be and as it is.
enum FunctionComparison {
    /// The fields of `wanted` that `now` has otherwise. A field with nothing in it is equal to none.
    static func difference(_ wanted: JSONObject, _ now: JSONValue) -> JSONObject {
        var different = JSONObject()
        for member in wanted.members where !isEqual(member.key, member.value, now[member.key]) {
            different[member.key] = member.value
        }
        return different
    }

    private static func isEqual(_ name: String, _ wanted: JSONValue, _ now: JSONValue?) -> Bool {
        guard let now else { return isEmpty(wanted) }
        switch name {
        case "Layers": return wanted.array ?? [] == (now.array ?? []).map { $0["Arn"] ?? .null }
        case "Environment": return variables(wanted) == variables(now)
        case "ImageConfig": return wanted == now
        default: return covers(now, wanted)
        }
    }

    private static func variables(_ value: JSONValue) -> JSONObject { value["Variables"]?.object ?? [:] }

    /// Whether every member of `wanted` is in `found`: the service adds members of its own.
    static func covers(_ found: JSONValue, _ wanted: JSONValue) -> Bool {
        guard case .object(let object) = wanted else { return found == wanted }
        return object.members.allSatisfy { member in
            guard let value = found[member.key] else { return isEmpty(member.value) }
            return covers(value, member.value)
        }
    }

    /// "", [], {}, null, and objects of nothing but such.
    static func isEmpty(_ value: JSONValue) -> Bool {
        switch value {
        case .null: true
        case .string(let text): text.isEmpty
        case .array(let array): array.isEmpty
        case .object(let object): object.members.allSatisfy { isEmpty($0.value) }
        default: false
        }
    }

    static func object(_ texts: [String: String]) -> JSONValue {
        var object = JSONObject()
        for (name, text) in texts.sorted(by: { $0.key < $1.key }) { object[name] = .string(text) }
        return .object(object)
    }
}
