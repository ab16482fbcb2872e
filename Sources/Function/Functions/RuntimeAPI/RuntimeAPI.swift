internal import HTTPServing
internal import JSON

/// What the Runtime API asks of the instance it serves. All on the instance's loop.
protocol RuntimeAPIHost: AnyObject {
    /// The head of the answer to a poll: what the runtime is to know of a call besides its payload.
    func event(of requestID: String, invocationID: String) -> HTTPResponse?
    /// What extensions are told of a call; without `eventType`.
    func extensionEvent(of requestID: String) -> JSONObject
    /// Why and until when it ends; without `eventType`.
    func extensionShutdown() -> JSONObject
    /// What a registration is answered.
    func extensionAnswer(acceptsAccount: Bool) -> JSONObject
    /// A streamed answer begins; false: it is wanted whole.
    func streamBegins(_ requestID: String, contentType: String) -> Bool
    func streamPart(_ requestID: String, _ bytes: [UInt8])
    /// A call has its answer.
    func completed(_ requestID: String, _ answer: RuntimeAnswer)
    func initialized()
    func free()
    func initFailed(_ answer: RuntimeAnswer)
    func registered(_ name: String, isExternal: Bool, events: [String])
    func extensionFailed(_ errorType: String, name: String)
    func extensionsDone()
    /// - Returns: nil when the subscription was taken.
    func subscribe(_ subscription: TelemetrySubscription, id: String) -> Refusal?
}

/// What a runtime sent back for a call.
struct RuntimeAnswer: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case response
        /// The text is the header `Lambda-Runtime-Function-Error-Type`.
        case error(String?)
        case tooLarge
        case truncated
    }

    var kind: Kind
    var body: [UInt8] = []
    var contentType: String?
    /// The parts went to the caller's stream.
    var wasStreamed = false
    var byteCount = 0
}

/// The HTTP side of one instance's Runtime API: exchanges become the session's numbers, its actions become answers.
///
/// What is hot is short: a poll that finds a call, or a call that finds a poll, is one write.
final class RuntimeAPI: HTTPService {
    private(set) var session: RuntimeSession
    weak var host: (any RuntimeAPIHost)?
    private let randomID: () -> String
    private var lastExchange = 0
    /// Exchanges that have no answer yet, few at a time.
    private var open: [(number: Int, exchange: any HTTPExchange)] = []
    /// Answers being read.
    private var reading: [AnswerReading] = []
    /// Names of registrations that wait for their body.
    private var events: [String: [String]] = [:]

    init(concurrency: Int, randomID: @escaping () -> String) {
        session = RuntimeSession(concurrency: concurrency)
        self.randomID = randomID
    }

    // Requests.

    func receive(_ exchange: any HTTPExchange) -> BodyReading {
        let request = exchange.request
        lastExchange += 1
        let number = lastExchange
        switch RuntimeRoute(method: request.method, target: request.target) {
        case .next, .restoreNext:
            wait(exchange, number)
            handle(.next(number))
            return .nothing
        case .response(let id): return answer(exchange, number, id, isError: false)
        case .error(let id): return answer(exchange, number, id, isError: true)
        case .initError, .restoreError:
            wait(exchange, number)
            return .whole(limit: AnswerLimits.errorBytes) { [weak self] body in self?.initError(number, exchange, body) }
        case .register:
            wait(exchange, number)
            return .whole(limit: 64 << 10) { [weak self] body in self?.register(number, exchange, body) }
        case .extensionNext:
            wait(exchange, number)
            handle(.extensionNext(number, id: request.headers["Lambda-Extension-Identifier"]))
            return .nothing
        case .extensionInitError: return extensionError(exchange, number, isInit: true)
        case .extensionExitError: return extensionError(exchange, number, isInit: false)
        case .telemetry(let isLogsAPI):
            wait(exchange, number)
            return .whole(limit: 64 << 10) { [weak self] body in self?.subscribe(number, exchange, body, isLogsAPI) }
        case .unknown:
            exchange.respond(
                RuntimeReplies.refusal(Refusal(404, "NotFound", "\(request.method) \(request.target) is not served here")))
            return .nothing
        }
    }

    private func wait(_ exchange: any HTTPExchange, _ number: Int) {
        open.append((number, exchange))
        exchange.onAbandoned = { [weak self] in
            guard let self, take(number) != nil else { return }
            handle(.gone(number))
        }
    }

    private func take(_ number: Int) -> (any HTTPExchange)? {
        guard let index = open.lastIndex(where: { $0.number == number }) else { return nil }
        return open.remove(at: index).exchange
    }

    // Answers of the runtime.

    private func answer(_ exchange: any HTTPExchange, _ number: Int, _ id: String, isError: Bool) -> BodyReading {
        let headers = exchange.request.headers
        wait(exchange, number)
        if let mode = headers["Lambda-Runtime-Function-Response-Mode"], mode.lowercased() != "streaming" || isError {
            respond(
                number,
                RuntimeReplies.refusal(
                    Refusal(400, "Runtime.InvalidResponseModeHeader", "The response mode \"\(mode)\" is not \"streaming\"")))
            return .nothing
        }
        let reading = AnswerReading(number: number, requestID: id, isError: isError, headers: headers)
        self.reading.append(reading)
        let isOpen = handle(
            .answerBegins(
                number, requestID: id, invocationID: headers["Lambda-Runtime-Invocation-Id"], isError: isError))
        guard isOpen, self.reading.contains(where: { $0 === reading }) else {
            self.reading.removeAll { $0 === reading }
            return .nothing
        }
        if reading.declaredBytes ?? 0 > AnswerLimits.bufferedBytes, !reading.isStreaming {
            handle(.answerTooLarge(number))
            return .nothing
        }
        if reading.declaredBytes != nil, !reading.isStreaming {
            return .whole(limit: AnswerLimits.bufferedBytes) { [weak self] body in
                reading.body = body
                self?.handle(.answerEnds(number))
            }
        }
        if reading.isStreaming, host?.streamBegins(id, contentType: reading.contentType ?? "application/octet-stream") == true {
            reading.goesToStream = true
        }
        return .parts(
            onPart: { [weak self] in self?.part($0, reading) },
            onEnd: { [weak self] in self?.partsEnded(reading, $0, isComplete: $1) })
    }

    private func part(_ bytes: [UInt8], _ reading: AnswerReading) {
        guard self.reading.contains(where: { $0 === reading }) else { return }
        reading.byteCount += bytes.count
        let limit = reading.goesToStream ? AnswerLimits.streamedBytes : AnswerLimits.bufferedBytes
        guard reading.byteCount <= limit else {
            handle(.answerTooLarge(reading.number))
            return
        }
        if reading.goesToStream { host?.streamPart(reading.requestID, bytes) } else { reading.body += bytes }
    }

    private func partsEnded(_ reading: AnswerReading, _ trailers: HeaderFields, isComplete: Bool) {
        guard self.reading.contains(where: { $0 === reading }) else { return }
        if let type = trailers["Lambda-Runtime-Function-Error-Type"] {
            reading.trailerErrorType = type
            if let body = trailers["Lambda-Runtime-Function-Error-Body"], let decoded = Base64.bytes(body) {
                reading.body = decoded
            }
        }
        handle(isComplete ? .answerEnds(reading.number) : .answerBreaks(reading.number))
    }

    // Other requests with a body.

    private func initError(_ number: Int, _ exchange: any HTTPExchange, _ body: [UInt8]) {
        initErrorBody = (body, exchange.request.headers["Lambda-Runtime-Function-Error-Type"])
        handle(.initError(number))
    }

    private var initErrorBody: (body: [UInt8], type: String?) = ([], nil)

    private func register(_ number: Int, _ exchange: any HTTPExchange, _ body: [UInt8]) {
        let headers = exchange.request.headers
        guard let name = headers["Lambda-Extension-Name"], !name.isEmpty, name.utf8.count <= 128 else {
            return respond(
                number, RuntimeReplies.refusal(Refusal(403, "Extension.InvalidExtensionName", "Lambda-Extension-Name is missing")))
        }
        let names = body.isEmpty ? [] : (try? JSONParser.parse(body))?["events"]?.array?.compactMap(\.string)
        guard let names, names.allSatisfy({ $0 == "INVOKE" || $0 == "SHUTDOWN" }) else {
            return respond(
                number,
                RuntimeReplies.refusal(
                    Refusal(400, "Extension.InvalidEventType", "the body names events out of INVOKE and SHUTDOWN")))
        }
        events[name] = names
        acceptsAccount = headers["Lambda-Extension-Accept-Feature"]?.contains("accountId") == true
        handle(
            .register(
                number,
                Registration(
                    name: name, wantsInvoke: names.contains("INVOKE"), wantsShutdown: names.contains("SHUTDOWN"),
                    id: randomID())))
    }

    private var acceptsAccount = false

    private func extensionError(_ exchange: any HTTPExchange, _ number: Int, isInit: Bool) -> BodyReading {
        wait(exchange, number)
        return .whole(limit: AnswerLimits.errorBytes) { [weak self] _ in
            let headers = exchange.request.headers
            self?.handle(
                .extensionError(
                    number, id: headers["Lambda-Extension-Identifier"], isInit: isInit,
                    errorType: headers["Lambda-Extension-Function-Error-Type"]))
        }
    }

    private func subscribe(_ number: Int, _ exchange: any HTTPExchange, _ body: [UInt8], _ isLogsAPI: Bool) {
        guard let id = exchange.request.headers["Lambda-Extension-Identifier"] else {
            return respond(number, RuntimeReplies.refusal(.missingExtensionID))
        }
        guard session.knowsExtension(id) else { return respond(number, RuntimeReplies.refusal(.unknownExtension)) }
        guard session.phase == .initializing else {
            return respond(
                number,
                RuntimeReplies.refusal(
                    Refusal(403, "Telemetry.SubscriptionClosed", "Subscriptions are taken until initialisation is over")))
        }
        do {
            let subscription = try TelemetrySubscription(body, isLogsAPI: isLogsAPI)
            if let refusal = host?.subscribe(subscription, id: id) {
                return respond(number, RuntimeReplies.refusal(refusal))
            }
            respond(number, HTTPResponse(200, headers: RuntimeReplies.text, body: Array("\"OK\"".utf8)))
        } catch {
            respond(number, RuntimeReplies.refusal(Refusal(400, "ValidationError", error.problem)))
        }
    }

    private func respond(_ number: Int, _ response: HTTPResponse) { take(number)?.respond(response) }

    // What the instance tells.

    /// - Returns: whether the exchange of the event has no answer yet.
    @discardableResult
    func handle(_ event: RuntimeSession.Event) -> Bool {
        var isRefused = false
        for action in session.handle(event) {
            if case .refuse = action { isRefused = true }
            perform(action)
        }
        return !isRefused
    }

    private func perform(_ action: RuntimeSession.Action) {
        switch action {
        case .hand(let id, let invocation, let number):
            guard let exchange = take(number) else { return }
            if let event = host?.event(of: id, invocationID: invocation) { exchange.respond(event) } else { exchange.abort() }
        case .read: break
        case .confirm(let number): respond(number, RuntimeReplies.accepted)
        case .refuse(let number, let refusal): respond(number, RuntimeReplies.refusal(refusal))
        case .complete(let id, let completion): complete(id, completion)
        case .readInitError(let number):
            respond(number, RuntimeReplies.accepted)
            host?.initFailed(
                RuntimeAnswer(
                    kind: .error(initErrorBody.type), body: initErrorBody.body, byteCount: initErrorBody.body.count))
        case .initialized: host?.initialized()
        case .free: host?.free()
        case .registered(let number, let id, let name):
            var answer = RuntimeReplies.json(200, .object(host?.extensionAnswer(acceptsAccount: acceptsAccount) ?? [:]))
            answer.headers["Lambda-Extension-Identifier"] = id
            respond(number, answer)
            host?.registered(name, isExternal: session.isExternal(id), events: events.removeValue(forKey: name) ?? [])
        case .tellInvoke(let number, let id):
            var event = host?.extensionEvent(of: id) ?? [:]
            event["eventType"] = "INVOKE"
            respond(number, RuntimeReplies.json(200, .object(event)))
        case .tellShutdown(let number):
            var event = host?.extensionShutdown() ?? [:]
            event["eventType"] = "SHUTDOWN"
            respond(number, RuntimeReplies.json(200, .object(event)))
        case .extensionFailed(let type, let name): host?.extensionFailed(type, name: name)
        case .extensionsDone: host?.extensionsDone()
        }
    }

    private func complete(_ id: String, _ completion: RuntimeSession.Completion) {
        guard let index = reading.firstIndex(where: { $0.requestID == id }) else {
            preconditionFailure("an answer that was never read is complete")
        }
        host?.completed(id, reading.remove(at: index).answer(completion))
    }
}

/// An answer as it comes in.
private final class AnswerReading {
    let number: Int
    let requestID: String
    let isError: Bool
    let isStreaming: Bool
    let contentType: String?
    let errorType: String?
    let declaredBytes: Int?
    var body: [UInt8] = []
    var byteCount = 0
    var goesToStream = false
    var trailerErrorType: String?

    init(number: Int, requestID: String, isError: Bool, headers: HeaderFields) {
        self.number = number
        self.requestID = requestID
        self.isError = isError
        isStreaming = headers["Lambda-Runtime-Function-Response-Mode"] != nil
        contentType = headers["Content-Type"]
        errorType = isError ? headers["Lambda-Runtime-Function-Error-Type"] : nil
        declaredBytes = headers["Content-Length"].flatMap { Int($0) }
    }

    func answer(_ completion: RuntimeSession.Completion) -> RuntimeAnswer {
        let kind: RuntimeAnswer.Kind =
            switch completion {
            case .tooLarge: .tooLarge
            case .truncated: .truncated
            case .response, .error: isError ? .error(errorType) : trailerErrorType.map { .error($0) } ?? .response
            }
        return RuntimeAnswer(
            kind: kind, body: body, contentType: contentType, wasStreamed: goesToStream,
            byteCount: max(byteCount, body.count))
    }
}

extension BodyReading {
    /// What comes is passed over.
    static var nothing: BodyReading { .parts(onPart: { _ in }, onEnd: { _, _ in }) }
}

extension RuntimeSession {
    func knowsExtension(_ id: String) -> Bool { extensions.contains { $0.registration.id == id } }
    func isExternal(_ id: String) -> Bool { extensions.contains { $0.registration.id == id && $0.isExternal } }
}
