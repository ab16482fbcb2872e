internal import HTTPServing
internal import JSON
internal import KubeObjects
internal import Linux
internal import NodeLogs

/// What all connections of a door have in common.
final class DoorParts: Sendable {
    let service: any APIService
    let pods: any PodAccess
    let authenticator: Authenticator
    let health: HealthAnswers
    let documents: OpenIDDocuments?
    let heartbeat: Duration
    /// Takes a line for each request.
    let calls: CallLog?
    let open = OpenAnswers()
    let counts: RequestCounts

    init(
        _ service: any APIService, _ pods: any PodAccess, _ authenticator: Authenticator, _ health: HealthAnswers,
        _ documents: OpenIDDocuments?, heartbeat: Duration, counts: RequestCounts, calls: CallLog?
    ) {
        self.calls = calls
        self.heartbeat = heartbeat
        self.service = service
        self.pods = pods
        self.authenticator = authenticator
        self.health = health
        self.documents = documents
        self.counts = counts
    }
}

/// Answers the requests of a loop's connections: who asks, what the API says, and how that goes back.
final class DoorService: HTTPService {
    /// Longest body, as kube-apiserver has it.
    static let bodyLimit = 3 << 20

    private let parts: DoorParts

    init(_ parts: DoorParts) { self.parts = parts }

    func receive(_ exchange: any HTTPExchange) -> BodyReading {
        .whole(limit: Self.bodyLimit) { body in self.begin(exchange, body) }
    }

    func answerToLongBody(of request: HTTPRequest, limit: Int) -> HTTPResponse {
        let failure = APIFailure(413, "RequestEntityTooLarge", "Request entity too large: limit is \(limit)")
        return DoorAnswer.response(APIResponse(failure: failure), auditID: RandomIdentifier.text())
    }

    private func begin(_ exchange: any HTTPExchange, _ body: [UInt8]) {
        let request = exchange.request
        let headers = request.headers.byName
        let answer = DoorAnswer(exchange, auditID: Self.auditID(headers["audit-id"]), calls: parts.calls)
        guard let target = RequestTarget(request.target) else {
            return answer.give(APIResponse(failure: .badRequest("the request's target '\(request.target)' is no path")))
        }
        let credentials = Credentials(
            certificate: exchange.peerCertificate, authorization: headers["authorization"],
            webSocketProtocols: headers["sec-websocket-protocol"])
        var asked = APIRequest(
            method: request.method, path: target.path, query: target.query, headers: headers, body: body,
            user: .anonymous, peerAddress: exchange.peerAddress)
        asked.target = request.target
        Self.start(asked, credentials, answer, parts)
    }

    private static func start(
        _ asked: APIRequest, _ credentials: Credentials, _ answer: DoorAnswer, _ parts: DoorParts
    ) {
        let task = Task { await Self.answer(asked, credentials, answer, parts) }
        answer.whenAbandoned { task.cancel() }
    }

    /// A client's own, if it can stand in a log; else a new one.
    private static func auditID(_ given: String?) -> String {
        if let given, !given.isEmpty, given.utf8.count <= 64, given.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
            return given
        }
        return RandomIdentifier.text()
    }

    private static func answer(
        _ asked: APIRequest, _ credentials: Credentials, _ answer: DoorAnswer, _ parts: DoorParts
    ) async {
        if let health = await parts.health.answer(asked.path, asked.query) { return await answer.whole(health) }
        let arrived = Clock.monotonicNanoseconds()
        func count(_ status: Int) {
            parts.counts.count(RequestCounts.verb(asked), status, nanoseconds: Clock.monotonicNanoseconds() - arrived)
        }
        func whole(_ response: APIResponse) async {
            count(response.status)
            await answer.whole(response)
        }
        var request = asked
        do throws(APIFailure) {
            request.user = try await parts.authenticator.user(credentials)
            answer.asks(request.user.name)
        } catch {
            return await whole(APIResponse(failure: error))
        }
        // A token is for this door only.
        request.headers["authorization"] = nil
        if let document = parts.documents?.answer(request) { return await whole(document) }
        switch await parts.service.answer(request) {
        case .whole(let response): await whole(response)
        case .parts(let head, let items):
            count(head.status)
            await answer.parts(head, items, parts.open)
        case .pod(let wanted):
            count(101)
            await PodAnswer(wanted, request, answer, parts).give()
        case .proxy(let target):
            // What the target answers is the target's: that it was asked is ours.
            count(200)
            await ProxyAnswer(target, request, answer, parts).give()
        }
    }
}
