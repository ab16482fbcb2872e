/// A call of an HTTP server: one request on a connection of its own.
package struct HTTPCall: Sendable {
    /// Longest answer that is taken whole unless told otherwise, bytes.
    package static let answerLimit = 256 << 20

    package var address: HTTPAddress
    package var loop: ServingLoop
    /// Until the answer is complete, or begins when it is streamed; nil: for ever.
    package var timeout: Duration?
    /// Whether by TLS, to whoever is there.
    package var isSecure: Bool

    package init(to address: HTTPAddress, on loop: ServingLoop, timeout: Duration? = nil, isSecure: Bool = false) {
        self.address = address
        self.loop = loop
        self.timeout = timeout
        self.isSecure = isSecure
    }

    /// The whole answer. An answer in parts is put together.
    package func answer(
        to request: HTTPRequest, body: [UInt8] = [], limit: Int = HTTPCall.answerLimit
    ) async throws(HTTPServingFailure) -> HTTPResponse {
        let connection = try await HTTPClientConnection.connect(
            to: address, on: loop, timeout: timeout, isSecure: isSecure)
        defer { connection.close() }
        return try await connection.answer(to: request, body: body, limit: limit, timeout: timeout)
    }

    /// The head of the answer; its body comes part by part, as fast as it is taken.
    package func stream(_ request: HTTPRequest, body: [UInt8] = []) async throws(HTTPServingFailure)
        -> HTTPStreamedAnswer
    {
        let connection = try await HTTPClientConnection.connect(
            to: address, on: loop, timeout: timeout, isSecure: isSecure)
        do throws(HTTPServingFailure) {
            try await connection.send(request, body: body)
            let head = try await connection.head(timeout: timeout)
            return HTTPStreamedAnswer(head.status, head.headers, connection)
        } catch {
            connection.close()
            throw error
        }
    }
}

/// An answer whose body is still coming. The connection ends with this value.
package final class HTTPStreamedAnswer: AsyncSequence, Sendable {
    package typealias Element = [UInt8]

    package let status: Int
    package let headers: HeaderFields
    private let connection: HTTPClientConnection

    init(_ status: Int, _ headers: HeaderFields, _ connection: HTTPClientConnection) {
        self.status = status
        self.headers = headers
        self.connection = connection
    }

    deinit { connection.close() }

    package func makeAsyncIterator() -> Iterator { Iterator(answer: self) }

    package struct Iterator: AsyncIteratorProtocol {
        let answer: HTTPStreamedAnswer

        /// The next part, nil at the end of the answer.
        ///
        /// - Throws: `HTTPServingFailure` when the answer breaks off.
        package mutating func next() async throws(HTTPServingFailure) -> [UInt8]? {
            try await answer.connection.nextPart()
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws(HTTPServingFailure) -> [UInt8]?
        {
            try await answer.connection.nextPart()
        }
    }
}
