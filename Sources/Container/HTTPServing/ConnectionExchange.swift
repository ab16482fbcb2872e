internal import NIOCore

/// The exchange of a connection.
final class ConnectionExchange: HTTPExchange {
    enum Answer: Hashable {
        case awaited
        case inParts(AnswerHead.Framing)
        case complete
        /// The client has gone, or the service broke off.
        case gone
    }

    /// What is done with the request's body.
    enum Body {
        /// The service has not said yet.
        case unknown
        case whole(ByteBuffer?, limit: Int, then: ([UInt8]) -> Void)
        case parts(onPart: ([UInt8]) -> Void, onEnd: (HeaderFields, Bool) -> Void)
        /// Nobody wants the rest, of which so many bytes have come.
        case unwanted(Int)
        case complete
    }

    let request: HTTPRequest
    let loop: ServingLoop
    let isHead: Bool
    let isOldClient: Bool
    var answer = Answer.awaited
    var body = Body.unknown
    var onAbandoned: (() -> Void)?
    var onWritable: (() -> Void)?
    var onInputEnd: (() -> Void)? {
        didSet { if connection?.isInputOver == true { inputEnded() } }
    }
    /// Until the exchange is over.
    var connection: HTTPConnection?

    init(_ request: HTTPRequest, on connection: HTTPConnection, isOldClient: Bool) {
        self.request = request
        self.connection = connection
        self.isOldClient = isOldClient
        loop = connection.loop
        isHead = request.method == "HEAD"
    }

    var peerAddress: String? { connection?.peerAddress }
    var peerCertificate: [UInt8]? { connection?.peerCertificate }
    var isWritable: Bool { connection?.isWritable ?? false }

    var isRequestComplete: Bool {
        if case .complete = body { true } else { false }
    }

    func respond(_ response: HTTPResponse) {
        loop.preconditionCurrent()
        guard answer != .gone else { return }
        precondition(answer == .awaited, "\(request.method) \(request.target) was answered twice")
        connection!.respond(response, to: self)
    }

    func begin(_ status: Int, headers: HeaderFields) { begin(status, headers: headers, length: nil) }

    func begin(_ status: Int, headers: HeaderFields, length: Int?) {
        loop.preconditionCurrent()
        guard answer != .gone else { return }
        precondition(answer == .awaited, "\(request.method) \(request.target) was answered twice")
        connection!.begin(status, headers, length, of: self)
    }

    func send(_ bytes: [UInt8]) {
        loop.preconditionCurrent()
        switch answer {
        case .gone: return
        case .inParts(let framing): connection!.send(bytes, framing, of: self)
        case .awaited, .complete: preconditionFailure("a part of an answer that is not under way")
        }
    }

    func finish(trailers: HeaderFields) {
        loop.preconditionCurrent()
        switch answer {
        case .gone: return
        case .inParts(let framing): connection!.finish(trailers, framing, of: self)
        case .awaited, .complete: preconditionFailure("the end of an answer that is not under way")
        }
    }

    func upgrade(headers: HeaderFields) -> (any HTTPDuplex)? {
        loop.preconditionCurrent()
        guard answer != .gone else { return nil }
        precondition(answer == .awaited, "\(request.method) \(request.target) was answered twice")
        precondition(isRequestComplete, "\(request.method) \(request.target) is upgraded before it is complete")
        return connection!.upgrade(headers, of: self)
    }

    func abort() {
        loop.preconditionCurrent()
        guard answer != .gone, answer != .complete else { return }
        answer = .gone
        connection!.breakOff()
    }

    func pauseBody() { connection?.pause(.service, self) }
    func resumeBody() { connection?.resume(.service, self) }

    func inputEnded() {
        guard let last = onInputEnd else { return }
        onInputEnd = nil
        last()
    }

    /// The client is not there any more.
    func abandon() {
        let isAnswered = answer == .complete || answer == .gone
        if !isAnswered { answer = .gone }
        connection = nil
        let open = body
        body = .complete
        if case .parts(_, let onEnd) = open { onEnd(HeaderFields(), false) }
        if !isAnswered { onAbandoned?() }
        forget()
    }

    /// Lets go of what the service gave, which often holds the exchange itself.
    func forget() {
        onAbandoned = nil
        onWritable = nil
        onInputEnd = nil
        connection = nil
    }
}
