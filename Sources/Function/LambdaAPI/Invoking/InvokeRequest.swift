internal import Functions
internal import HTTPServing
internal import JSON
internal import Lambda

/// What the head of an invocation says.
struct InvokeRequest {
    enum Kind: String {
        case requestResponse = "RequestResponse"
        case event = "Event"
        case dryRun = "DryRun"
    }

    enum Form {
        case whole
        /// The call of 2014, which is always asynchronous.
        case asynchronous2014
        case streamed
    }

    /// Of a synchronous payload, bytes.
    static let synchronousLimit = 6_291_456
    /// Of an asynchronous payload.
    static let asynchronousLimit = 1 << 20
    /// Of `X-Amz-Client-Context`, characters of base64.
    static let contextLimit = 3583

    var form: Form
    var kind = Kind.requestResponse
    var function: String
    var qualifier: String?
    var wantsLogTail = false
    /// Decoded.
    var clientContext: String?

    init(_ match: RouteMatch, _ request: HTTPRequest) throws(LambdaFailure) {
        form =
            switch match.target {
            case .invokeAsync: .asynchronous2014
            case .invokeWithResponseStream: .streamed
            default: .whole
            }
        function = match["FunctionName"] ?? ""
        for item in match.query.items {
            guard item.name == "Qualifier", form != .asynchronous2014 else {
                throw .invalidParameter("There is no parameter '\(item.name.prefix(64))' of an invocation.")
            }
            qualifier = item.value
        }
        if form == .asynchronous2014 {
            kind = .event
            return
        }
        for field in request.headers.fields where field.name.utf8.count >= 14 { try take(field) }
        if form == .streamed, kind == .event {
            throw .invalidParameter("InvocationType must be RequestResponse or DryRun where the response is streamed.")
        }
    }

    private mutating func take(_ field: HeaderFields.Field) throws(LambdaFailure) {
        func has(_ name: String) -> Bool { HeaderFields.areEqual(field.name, name) }
        if has("x-amz-invocation-type") {
            guard let kind = Kind(rawValue: field.value) else {
                throw .invalidParameter(
                    "1 validation error detected: Value '\(field.value.prefix(64))' at 'invocationType' failed to satisfy constraint: "
                        + "Member must satisfy enum value set: [Event, DryRun, RequestResponse]")
            }
            self.kind = kind
        } else if has("x-amz-log-type") {
            guard field.value == "Tail" || field.value == "None" else {
                throw .invalidParameter(
                    "1 validation error detected: Value '\(field.value.prefix(64))' at 'logType' failed to satisfy constraint: "
                        + "Member must satisfy enum value set: [None, Tail]")
            }
            wantsLogTail = field.value == "Tail"
        } else if has("x-amz-client-context") {
            clientContext = try Self.context(field.value)
        } else if has("x-amz-tenant-id") {
            throw .invalidParameter(
                "The invoked function is not enabled with tenancy configuration. Forkless has no tenants: remove TenantId, or give "
                    + "the function forkless:freshness=fresh.")
        } else if has("x-amz-durable-execution-name") {
            throw .invalidParameter("Forkless has no durable executions: remove DurableExecutionName.")
        }
    }

    private static func context(_ text: String) throws(LambdaFailure) -> String {
        guard text.utf8.count <= contextLimit else {
            throw LambdaFailure(
                "InvalidRequestContentException", status: 400,
                "Client context must be smaller than \(contextLimit) bytes of base64; it has \(text.utf8.count).")
        }
        guard let bytes = Base64.bytes(text), JSONCheck.isValue(bytes) else {
            throw LambdaFailure(
                "InvalidRequestContentException", status: 400,
                "Client context must be a valid Base64-encoded JSON object.")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    var payloadLimit: Int { kind == .event ? Self.asynchronousLimit : Self.synchronousLimit }
}

extension FunctionCall {
    /// Takes from a request's head what a function's settings ask for.
    mutating func take(_ fields: HeaderFields) {
        sdkInvocationID = fields["amz-sdk-invocation-id"]
        let settings = function.settings
        for case .header(let name)? in [settings.key, settings.order] { headers[name] = fields[name] }
        if let name = settings.deadlineHeader { headers[name.lowercased()] = fields[name] }
    }
}

extension DeployedFunction {
    /// A payload as this function takes it: JSON, or whatever bytes a program reads.
    func payload(_ body: [UInt8]) throws(LambdaFailure) -> [UInt8] {
        if runtime == .stdio { return body }
        if body.isEmpty { return Array("{}".utf8) }
        guard JSONCheck.isValue(body) else {
            let reason: String
            do throws(JSONError) {
                _ = try JSONParser.parse(body)
                reason = "it is no JSON"
            } catch { reason = "\(error)" }
            throw LambdaFailure(
                "InvalidRequestContentException", status: 400,
                "Could not parse request body into json: Could not parse payload into json: \(reason)")
        }
        return body
    }
}
