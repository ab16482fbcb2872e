package import Catalog
package import EventSources
package import Functions
package import HTTPServing
package import Lambda
package import Linux
package import NodeLogs

/// What the doors of a node lead to.
package struct DoorParts: Sendable {
    /// Takes an asynchronous call: success when it is on the disk.
    package typealias Acceptance =
        @Sendable (FunctionCall, @escaping @Sendable (Result<Void, LambdaFailure>) -> Void) -> Void

    package var catalog: FunctionCatalog
    package var invoker: any Invoker
    package var accept: Acceptance
    /// With keys, each request over TCP has to be signed with one of them.
    package var keys: AccessKeys?
    /// The door of the queues, at the same address.
    package var queues: SQSService?
    package var extensions: [any DoorExtension] = []
    /// Takes a line for each request that is no call of a function: those stand in the ledger, which tells of them.
    package var calls: CallLog?
    package var now: @Sendable () -> Timestamp = { Clock.now() }

    package init(catalog: FunctionCatalog, invoker: any Invoker, accept: @escaping Acceptance) {
        self.catalog = catalog
        self.invoker = invoker
        self.accept = accept
    }

    package init(catalog: FunctionCatalog, invoker: any Invoker, events: AsyncEvents) {
        self.init(catalog: catalog, invoker: invoker) { call, done in events.accept(call, done) }
    }

    var account: LambdaAccount { catalog.settings.account }
}

/// The Lambda REST API, the SQS door and the resources of Forkless, at one address. One on each loop.
///
/// Invariants (tests in LambdaDoorTests):
/// 1. Every answer carries x-amzn-RequestId, every error its name and status in the service's form
///    (`every answer has a request id, every error a name`).
/// 2. With access keys nothing that came over TCP reaches a part of the node before its signature was verified
///    (`an unsigned request reaches nothing`).
/// 3. A synchronous call goes from the exchange's loop to the invoker without a task in between, and its answer back
///    (`an invocation stays on its loop`).
package final class LambdaDoor: HTTPService {
    /// Of an operation's body: an archive of 50 MB is 67 MB in base64.
    static let operationLimit = 72 << 20

    let parts: DoorParts
    let loop: ServingLoop
    private let signatures: SignatureCheck?
    var chance = DoorChance()

    package init(_ parts: DoorParts, on loop: ServingLoop) {
        self.parts = parts
        self.loop = loop
        signatures = parts.keys.map { SignatureCheck(keys: $0, region: parts.account.region) }
    }

    package func receive(_ exchange: any HTTPExchange) -> BodyReading {
        let requestID = Identifiers.requestID(at: parts.now(), &chance)
        do throws(LambdaFailure) {
            return try reading(exchange, requestID)
        } catch {
            log("refused", error.status, error.name, exchange, requestID)
            exchange.respond(DoorAnswer.failure(error, requestID: requestID))
            return .whole(limit: 0) { _ in }
        }
    }

    private func reading(_ exchange: any HTTPExchange, _ requestID: String) throws(LambdaFailure) -> BodyReading {
        let path = exchange.request.rawPath
        if path.hasPrefix("/forkless/v1/") { return try readingOfExtension(exchange, path, requestID) }
        if !path.hasPrefix("/20"), let queues = parts.queues, SQSService.isMeant(by: exchange.request) {
            let signature = try signature(of: exchange, services: ["sqs"])
            return whole(SQSService.bodyLimit, exchange, signature, requestID) { [self] body in
                queues.serve(exchange, body: body, requestID: requestID) { [self] operation, status in
                    log(operation, status, nil, exchange, requestID)
                }
            }
        }
        guard let query = QueryItems(exchange.request.rawQuery) else {
            throw .invalidParameter(
                "The query '\(exchange.request.rawQuery.prefix(128))' has a broken escape or is no UTF-8.")
        }
        let signature = try signature(of: exchange, services: ["lambda"])
        let match = try RouteTable.match(method: exchange.request.method, rawPath: path, query: query)
        switch match.target {
        case .invoke, .invokeAsync, .invokeWithResponseStream:
            let request = try InvokeRequest(match, exchange.request)
            return whole(request.payloadLimit, exchange, signature, requestID) { [self] body throws(LambdaFailure) in
                try invoke(request, body, exchange, requestID)
            }
        case .operation(let operation):
            return whole(Self.operationLimit, exchange, signature, requestID) { [self] body in
                perform(operation, match, body, exchange, requestID)
            }
        case .unsupported(let name):
            throw LambdaFailure(
                "UnknownOperationException", status: 404,
                "\(name) is not supported by Forkless.")
        }
    }

    /// Tells of a request that was answered.
    func log(
        _ operation: String, _ status: Int, _ error: String?, _ exchange: any HTTPExchange, _ requestID: String
    ) {
        guard let calls = parts.calls else { return }
        var event = LogEvent(status < 400 ? .info : .warn, "lambda-api", "request", requestID: requestID)
        event.add("method", exchange.request.method)
        event.add("path", String(exchange.request.rawPath.prefix(256)))
        event.add("operation", operation)
        event.add("status", status)
        event.add("error", error)
        event.add("peer", exchange.peerAddress)
        calls(event)
    }

    /// Reads the whole body, verifies the signature over it, and only then goes on.
    private func whole(
        _ limit: Int, _ exchange: any HTTPExchange, _ signature: PendingSignature?, _ requestID: String,
        then: @escaping ([UInt8]) throws(LambdaFailure) -> Void
    ) -> BodyReading {
        .whole(limit: limit) { [self] body in
            do throws(LambdaFailure) {
                try signature?.check(exchange.request, body: body)
                try then(body)
            } catch {
                log("refused", error.status, error.name, exchange, requestID)
                exchange.respond(DoorAnswer.failure(error, requestID: requestID))
            }
        }
    }

    /// nil where none is needed: without keys, and on the unix socket, whose file only its owner may open.
    private func signature(of exchange: any HTTPExchange, services: [String]) throws(LambdaFailure) -> PendingSignature?
    {
        guard let signatures, exchange.peerAddress != nil else { return nil }
        return try signatures.checkHead(
            exchange.request, services: services, now: parts.now().nanoseconds / 1_000_000_000)
    }

    package func answerToLongBody(of request: HTTPRequest, limit: Int) -> HTTPResponse {
        let isInvocation = request.rawPath.hasSuffix("invocations") || request.rawPath.contains("invoke-async")
        let failure =
            isInvocation
            ? LambdaFailure.requestTooLarge(limit)
            : LambdaFailure(
                "RequestEntityTooLargeException", status: 413,
                "Request must be smaller than \(limit) bytes for this operation.")
        return DoorAnswer.failure(failure, requestID: Identifiers.requestID(at: parts.now(), &chance))
    }

    // MARK: Extensions

    private func readingOfExtension(
        _ exchange: any HTTPExchange, _ path: Substring, _ requestID: String
    ) throws(LambdaFailure) -> BodyReading {
        let pieces = path.dropFirst("/forkless/v1/".count).split(separator: "/").map { PercentCoding.decode($0) }
        guard let query = QueryItems(exchange.request.rawQuery), !pieces.contains(nil), let name = pieces.first ?? nil
        else {
            throw .unknownResource(exchange.request)
        }
        if name == "code" {
            return .whole(limit: 0) { [self] _ in
                sendArchive(String(path), ticket: query["ticket"], exchange, requestID)
            }
        }
        let signature = try signature(of: exchange, services: ["lambda", "forkless"])
        guard let found = parts.extensions.first(where: { $0.name == name }) else {
            throw .unknownResource(exchange.request)
        }
        let rest = pieces.dropFirst().compactMap { $0 }
        return whole(found.bodyLimit, exchange, signature, requestID) { body in
            found.serve(DoorRequest(exchange: exchange, path: rest, query: query, body: body, requestID: requestID))
        }
    }

    /// The archive behind `Code.Location`, for whoever has its ticket.
    private func sendArchive(_ path: String, ticket: String?, _ exchange: any HTTPExchange, _ requestID: String) {
        let catalog = parts.catalog
        let request = DoorRequest(
            exchange: exchange, path: [], query: QueryItems("")!, body: [], requestID: requestID)
        request.respond { () async throws(LambdaFailure) -> HTTPResponse in
            guard let file = catalog.archive(path: path, ticket: ticket) else {
                throw LambdaFailure(
                    "AccessDeniedException", status: 403,
                    "There is no archive at this address, or its ticket is not valid.")
            }
            do throws(SystemError) {
                let bytes = try await BlockingPool.shared.run { () throws(SystemError) in
                    try Files.read(file, limit: 1 << 30)
                }
                return HTTPResponse(
                    200, headers: HeaderFields([("Content-Type", "application/zip"), ("x-amzn-RequestId", requestID)]),
                    body: bytes)
            } catch { throw .service("The archive could not be read: \(error)") }
        }
    }
}

extension LambdaFailure {
    static func requestTooLarge(_ limit: Int) -> LambdaFailure {
        LambdaFailure(
            "RequestTooLargeException", status: 413,
            "Request must be smaller than \(limit) bytes for the InvokeFunction operation")
    }
}
