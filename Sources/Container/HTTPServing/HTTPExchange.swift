/// One request and its answer, confined to the loop of its connection.
///
/// The body comes after the head, as `HTTPService.receive` wished. An answer may be given at any time, once: whole with
/// `respond`, or in parts with `begin`, `send` and `finish`. When the client has gone, all of these do nothing.
package protocol HTTPExchange: AnyObject {
    var request: HTTPRequest { get }
    var loop: ServingLoop { get }
    /// The address of a client of a TCP listener, without its port; nil for a unix socket.
    var peerAddress: String? { get }
    /// Called once when the client has gone before the answer was complete.
    var onAbandoned: (() -> Void)? { get set }
    /// Whether a sender in parts may go on; false while the client takes them more slowly than they come.
    var isWritable: Bool { get }
    /// Called each time when the exchange has become writable again.
    var onWritable: (() -> Void)? { get set }

    /// Gives the whole answer in one write. Content-Length is added.
    func respond(_ response: HTTPResponse)
    /// Begins an answer whose body comes in parts (chunked).
    func begin(_ status: Int, headers: HeaderFields)
    func send(_ bytes: [UInt8])
    /// Ends an answer in parts.
    func finish(trailers: HeaderFields)
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
