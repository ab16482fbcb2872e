internal import Catalog
internal import Functions
package import HTTPServing
internal import JSON
internal import Lambda
internal import Linux
internal import Traces

/// Function URLs: HTTP requests become events of payload format 2.0, answers become HTTP responses. One on each loop.
///
/// Who may call: a URL of type AWS_IAM wants a signature with an access key of the node; one of type NONE wants a statement
/// in the function's resource policy that lets everybody in, as the service does.
///
/// Invariants (tests in FunctionURLTests):
/// 1. Nobody whom the URL does not let in reaches its function (`a URL lets in whom its type and policy let in`).
/// 2. Whatever a function answers, the client gets well-formed HTTP (`an answer that is no response says why`,
///    `failures of a function are 502 and 504, refusals are 429`).
package final class FunctionURLDoor: HTTPService {
    let parts: DoorParts
    let loop: ServingLoop
    private let signatures: SignatureCheck?
    private var chance = DoorChance()

    package init(_ parts: DoorParts, on loop: ServingLoop) {
        self.parts = parts
        self.loop = loop
        signatures = parts.keys.map { SignatureCheck(keys: $0, region: parts.account.region) }
    }

    /// Whether a request names a function URL, by its host or by its path.
    package static func owns(_ request: HTTPRequest) -> Bool { URLPlace(request) != nil }

    package func receive(_ exchange: any HTTPExchange) -> BodyReading {
        let requestID = Identifiers.requestID(at: parts.now(), &chance)
        do throws(LambdaFailure) {
            return try reading(exchange, requestID)
        } catch {
            exchange.respond(Self.refusal(error, requestID))
            return .whole(limit: 0) { _ in }
        }
    }

    private func reading(_ exchange: any HTTPExchange, _ requestID: String) throws(LambdaFailure) -> BodyReading {
        guard let place = URLPlace(exchange.request) else {
            throw LambdaFailure(
                "UnknownOperationException", status: 404,
                "No function URL is named here: use the host ID.lambda-url.localhost or a path that begins with /lambda-url/ID/."
            )
        }
        guard let url = parts.catalog.functionURL(place.id) else {
            throw .notFound("There is no function URL '\(place.id.prefix(64))'.")
        }
        if let cors = url.cors.map({ URLCORS(rules: $0) }), let answer = cors.preflight(exchange.request) {
            var answer = answer
            answer.headers.add("x-amzn-RequestId", requestID)
            exchange.respond(answer)
            return .whole(limit: 0) { _ in }
        }
        let signature = try admission(url, exchange.request)
        return .whole(limit: InvokeRequest.synchronousLimit) { [self] body in
            do throws(LambdaFailure) {
                try signature?.check(exchange.request, body: body)
                try call(url, place, exchange, body, requestID, keyID: signature?.keyID)
            } catch { exchange.respond(decorated(Self.refusal(error, requestID), url, exchange.request)) }
        }
    }

    /// The signature that is to be verified when the body has come; nil where none is needed.
    private func admission(_ url: FunctionURL, _ request: HTTPRequest) throws(LambdaFailure) -> PendingSignature? {
        switch url.authentication {
        case .iam:
            guard let signatures else {
                throw LambdaFailure(
                    "AccessDeniedException", status: 403,
                    "This function URL takes signed requests only, and this node has no access keys to verify them with: start it "
                        + "with --access-keys.")
            }
            return try signatures.checkHead(request, services: ["lambda"], now: parts.now().nanoseconds / 1_000_000_000)
        case .none:
            guard parts.catalog.isPublic(url) else {
                throw LambdaFailure(
                    "AccessDeniedException", status: 403,
                    "The resource policy of the function does not let everybody call its URL. Add a permission: action "
                        + "lambda:InvokeFunctionUrl, principal *, FunctionUrlAuthType NONE.")
            }
            return nil
        }
    }

    private func call(
        _ url: FunctionURL, _ place: URLPlace, _ exchange: any HTTPExchange, _ body: [UInt8], _ requestID: String,
        keyID: String?
    ) throws(LambdaFailure) {
        let resolved = try parts.catalog.resolve(url.function, qualifier: url.qualifier, chance: chance.next())
        let arrived = parts.now()
        var request = exchange.request
        let context = TraceContext(
            after: request.headers.traceCarrier, seconds: arrived.nanoseconds / 1_000_000_000,
            samples: resolved.function.tracesActively, &chance)
        request.headers.setTrace(context)
        let trace = context.amazon
        var event = URLEvent(
            request: request, target: place.target, body: body, url: url, host: place.host, port: place.port,
            sourceAddress: exchange.peerAddress ?? "127.0.0.1", requestID: requestID, trace: trace, arrivedAt: arrived)
        if let keyID { event.caller = (keyID, parts.account.id) }
        var call = FunctionCall(
            requestID: requestID, function: resolved.function, invokedARN: resolved.invokedARN,
            payload: JSONWriter.bytes(event.json), source: "url", trace: trace, arrivedAt: arrived)
        guard call.payload.count <= InvokeRequest.synchronousLimit else {
            throw .requestTooLarge(InvokeRequest.synchronousLimit)
        }
        call.take(request.headers)
        let answering = URLAnswering(exchange, url: url, function: resolved.function, requestID: requestID)
        answering.begin(call, parts.invoker)
    }

    private func decorated(_ response: HTTPResponse, _ url: FunctionURL, _ request: HTTPRequest) -> HTTPResponse {
        var response = response
        url.cors.map { URLCORS(rules: $0).apply(to: &response.headers, request) }
        return response
    }

    package func answerToLongBody(of request: HTTPRequest, limit: Int) -> HTTPResponse {
        Self.refusal(.requestTooLarge(limit), Identifiers.requestID(at: parts.now(), &chance))
    }

    /// An error as function URLs tell it.
    static func refusal(_ failure: LambdaFailure, _ requestID: String) -> HTTPResponse {
        var response = DoorAnswer.json(
            failure.status, ["Message": .string(failure.message)], requestID: requestID)
        response.headers.add("x-amzn-ErrorType", failure.name)
        if let seconds = failure.retryAfter { response.headers.add("Retry-After", "\(seconds)") }
        return response
    }
}
