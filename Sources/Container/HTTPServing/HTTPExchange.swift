/// One request and its answer, confined to the loop of its connection.
///
/// The body comes after the head, as `HTTPService.receive` wished. An answer may be given at any time, once: whole with
/// `respond`, or in parts with `begin`, `send` and `finish`. When the client has gone, all of these do nothing.
package protocol HTTPExchange: AnyObject {
    var request: HTTPRequest { get }
    var loop: ServingLoop { get }
    /// The address of a client of a TCP listener, without its port; nil for a unix socket.
    var peerAddress: String? { get }
    /// The certificate that a client by TLS sent and proved to have the key of, DER. Nobody has looked yet who signed
    /// it.
    var peerCertificate: [UInt8]? { get }
    /// Called once when the client has gone before the answer was complete.
    var onAbandoned: (() -> Void)? { get set }
    /// Called once when the client sends no more, at once when it has ended already. It may wait for the answer still,
    /// or be gone: TCP tells no difference before something is sent.
    var onInputEnd: (() -> Void)? { get set }
    /// Whether a sender in parts may go on; false while the client takes them more slowly than they come.
    var isWritable: Bool { get }
    /// Called each time when the exchange has become writable again.
    var onWritable: (() -> Void)? { get set }

    /// Gives the whole answer in one write. Content-Length is added.
    func respond(_ response: HTTPResponse)
    /// Begins an answer whose body comes in parts (chunked).
    func begin(_ status: Int, headers: HeaderFields)
    /// The same for a body whose length is known, bytes; nil: it is not. Exactly so much is sent before `finish`.
    func begin(_ status: Int, headers: HeaderFields, length: Int?)
    func send(_ bytes: [UInt8])
    /// Ends an answer in parts.
    func finish(trailers: HeaderFields)
    /// Answers with 101 and takes the connection over. For a request that is complete and asks for it: with the fields
    /// `Connection: upgrade` and `Upgrade`. `Connection` is added to the answer.
    ///
    /// - Returns: nil when the client has gone, or has been answered with 400 since it went on with another request.
    func upgrade(headers: HeaderFields) -> (any HTTPDuplex)?
    /// Breaks the connection off: the client sees that the answer is not complete.
    func abort()

    /// Takes no more of a body that is read in parts, but for what has come already, until `resumeBody`.
    func pauseBody()
    func resumeBody()
}

/// How a service wants the body of a request.
package enum BodyReading {
    /// All of it, when it is complete. A longer one is answered with `answerToLongBody` and not given to the service.
    case whole(limit: Int, then: ([UInt8]) -> Void)
    /// Part by part. `isComplete` is false when the client went away in the middle.
    case parts(onPart: ([UInt8]) -> Void, onEnd: (_ trailers: HeaderFields, _ isComplete: Bool) -> Void)
}

/// What answers the requests of a listener, on the loop of each connection.
package protocol HTTPService: AnyObject {
    /// A request's head has come.
    func receive(_ exchange: any HTTPExchange) -> BodyReading
    /// The answer, 413, to a body that is longer than `BodyReading.whole` allowed.
    func answerToLongBody(of request: HTTPRequest, limit: Int) -> HTTPResponse
}

extension HTTPService {
    package func answerToLongBody(of request: HTTPRequest, limit: Int) -> HTTPResponse {
        .plain(413, "The body of \(request.method) \(request.rawPath) is longer than the \(limit) bytes allowed here.")
    }
}

extension HTTPResponse {
    /// A sentence.
    package static func plain(_ status: Int, _ sentence: String) -> HTTPResponse {
        HTTPResponse(
            status, headers: HeaderFields([("Content-Type", "text/plain")]), body: Array((sentence + "\n").utf8))
    }
}
