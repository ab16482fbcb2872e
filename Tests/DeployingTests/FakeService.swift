import JSON
import Lambda
import Synchronization

@testable import Deploying

/// As much of the Lambda and SQS APIs as a deployment uses, in memory. It records what was asked to change.
final class FakeService: LambdaCaller {
    private struct State {
        var functions: [String: JSONObject] = [:]
        var things: [String: JSONValue] = [:]
        var layers: [String: [JSONValue]] = [:]
        var queues: [String: JSONObject] = [:]
        var mappings: [JSONObject] = []
        var versions: [String: [JSONObject]] = [:]
        var changes: [String] = []
    }

    private let state = Mutex(State())

    /// "POST /2015-03-31/functions" for each request that changed something.
    var changes: [String] { state.withLock { $0.changes } }
    func forgetChanges() { state.withLock { $0.changes = [] } }
    func function(_ name: String) -> JSONObject? { state.withLock { $0.functions[name] } }

    func call(_ request: LambdaRequest) async throws(LambdaFailure) -> JSONValue {
        try state.withLock { state throws(LambdaFailure) in try Self.answer(request, &state) }
    }

    private static func answer(_ request: LambdaRequest, _ state: inout State) throws(LambdaFailure) -> JSONValue {
        let body = request.body.isEmpty ? [:] : ((try? JSONParser.parse(request.body))?.object ?? [:])
        if let operation = request.headers.first(where: { $0.name == "X-Amz-Target" })?.value {
            return try queue(operation.replacing("AmazonSQS.", with: ""), body, &state)
        }
        let path = String(request.target.prefix { $0 != "?" })
        let parts = path.split(separator: "/").map(String.init)
        // Publishing what has been published changes nothing.
        if request.method != "GET", !path.hasSuffix("/versions") || path.hasPrefix("/2018") { state.changes.append("\(request.method) \(path)") }
        switch parts.first {
        case "2018-10-31": return try layer(request, parts, body, &state)
        case "2015-03-31" where parts[1] == "event-source-mappings": return try mapping(request, body, &state)
        case "2015-03-31" where parts.count <= 3 || ["configuration", "code", "versions"].contains(parts[3]):
            return try function(request, parts, body, &state)
        default: return try thing(request, path, body, &state)
        }
    }

    private static func function(
        _ request: LambdaRequest, _ parts: [String], _ body: JSONObject, _ state: inout State
    ) throws(LambdaFailure) -> JSONValue {
        if parts.count == 2 {
            var function = body
            let name = body["FunctionName"]?.string ?? ""
            function["FunctionArn"] = .string("arn:aws:lambda:us-east-1:000000000000:function:\(name)")
            set(code: body["Code"]?.object ?? [:], of: &function)
            state.functions[name] = function
            return .object(function)
        }
        guard var function = state.functions[parts[2]] else { throw .notFound("no function \(parts[2])") }
        switch (request.method, parts.count > 3 ? parts[3] : "") {
        case ("PUT", "configuration"): for member in body.members { function[member.key] = member.value }
        case ("PUT", "code"): set(code: body, of: &function)
        case ("POST", "versions"):
            let versions = state.versions[parts[2], default: []]
            if versions.last != function { state.versions[parts[2], default: []].append(function) }
            return ["Version": .string("\(state.versions[parts[2]]!.count)")]
        default:
            var shown = function
            // As the service shows layers.
            if let layers = function["Layers"]?.array { shown["Layers"] = .array(layers.map { ["Arn": $0, "CodeSize": 1] }) }
            shown["Code"] = nil
            shown["Tags"] = nil
            return ["Configuration": .object(shown), "Code": function["Code"] ?? [:], "Tags": function["Tags"] ?? [:]]
        }
        state.functions[parts[2]] = function
        return .object(function)
    }

    private static func set(code: JSONObject, of function: inout JSONObject) {
        if let zip = code["ZipFile"]?.string, let bytes = Base64.bytes(zip) {
            function["CodeSha256"] = .string(CodePackage(zip: bytes).digest)
        }
        function["Code"] = .object(code)
    }

    private static func layer(
        _ request: LambdaRequest, _ parts: [String], _ body: JSONObject, _ state: inout State
    ) throws(LambdaFailure) -> JSONValue {
        let name = parts[2]
        if request.method == "POST" {
            let number = state.layers[name, default: []].count + 1
            var version = body
            version["Version"] = .integer(Int64(number))
            version["LayerVersionArn"] = .string("arn:aws:lambda:us-east-1:000000000000:layer:\(name):\(number)")
            let bytes = Base64.bytes(body["Content"]?["ZipFile"]?.string ?? "") ?? []
            version["Content"] = ["CodeSha256": .string(CodePackage(zip: bytes).digest)]
            state.layers[name, default: []].append(.object(version))
            return .object(version)
        }
        if parts.count == 5, let number = Int(parts[4]) { return state.layers[name]![number - 1] }
        return ["LayerVersions": .array(state.layers[name, default: []].suffix(1))]
    }

    private static func queue(
        _ operation: String, _ body: JSONObject, _ state: inout State
    ) throws(LambdaFailure) -> JSONValue {
        let name = body["QueueName"]?.string ?? body["QueueUrl"]?.string?.split(separator: "/").last.map(String.init) ?? ""
        let url: JSONValue = .string("http://q/000000000000/\(name)")
        switch operation {
        case "CreateQueue":
            state.changes.append("CreateQueue \(name)")
            state.queues[name] = body["Attributes"]?.object ?? [:]
        case "SetQueueAttributes":
            state.changes.append("SetQueueAttributes \(name)")
            for member in body["Attributes"]?.object?.members ?? [] { state.queues[name]![member.key] = member.value }
        case "GetQueueAttributes": return ["Attributes": .object(state.queues[name]!)]
        default:
            guard state.queues[name] != nil else {
                throw LambdaFailure("AWS.SimpleQueueService.NonExistentQueue", status: 400, "no queue \(name)")
            }
        }
        return ["QueueUrl": url]
    }

    private static func mapping(
        _ request: LambdaRequest, _ body: JSONObject, _ state: inout State
    ) throws(LambdaFailure) -> JSONValue {
        switch request.method {
        case "POST":
            var mapping = body
            mapping["UUID"] = .string("\(state.mappings.count)")
            mapping["State"] = .string(body["Enabled"] == false ? "Disabled" : "Enabled")
            state.mappings.append(mapping)
        case "PUT":
            let at = Int(request.target.split(separator: "/").last!)!
            for member in body.members { state.mappings[at][member.key] = member.value }
            if let isEnabled = body["Enabled"]?.bool { state.mappings[at]["State"] = isEnabled ? "Enabling" : "Disabling" }
        default:
            let found = state.mappings.filter {
                request.target.contains(PathText.encoded($0["EventSourceArn"]?.string ?? "") )
                    && request.target.contains("FunctionName=\(PathText.encoded($0["FunctionName"]?.string ?? ""))&")
                    && request.target.hasSuffix(PathText.encoded($0["EventSourceArn"]?.string ?? ""))
            }
            return ["EventSourceMappings": .array(found.map { .object($0) })]
        }
        return [:]
    }

    /// What is put, got and deleted at its path: concurrency, aliases, URLs, event invoke configs, tags.
    private static func thing(
        _ request: LambdaRequest, _ path: String, _ body: JSONObject, _ state: inout State
    ) throws(LambdaFailure) -> JSONValue {
        var key = path
        if path.hasPrefix("/2017-10-31") || path.hasPrefix("/2019-09-30"), path.hasSuffix("/concurrency") { key = String(path.dropFirst(11)) }
        if path.hasPrefix("/2017-03-31/tags") {
            let name = path.split(separator: "%3A").last.map(String.init) ?? ""
            var tags = state.functions[name]?["Tags"]?.object ?? [:]
            for member in body["Tags"]?.object?.members ?? [] { tags[member.key] = member.value }
            if request.method == "DELETE" { for name in tags.keys where request.target.contains("tagKeys=\(PathText.encoded(name))") { tags[name] = nil } }
            state.functions[name]?["Tags"] = .object(tags)
            return .null
        }
        switch request.method {
        case "GET":
            guard let value = state.things[key] else { throw .notFound("nothing at \(key)") }
            return value
        case "DELETE": state.things[key] = nil
        default:
            if path.hasSuffix("/aliases") { key += "/\(body["Name"]?.string ?? "")" }
            var value = body
            if path.hasSuffix("/url") { value["FunctionUrl"] = .string("http://\(path.split(separator: "/")[2]).localhost/") }
            if let count = body["ProvisionedConcurrentExecutions"] { value["RequestedProvisionedConcurrentExecutions"] = count }
            state.things[key] = .object(value)
        }
        return state.things[key] ?? .null
    }
}
