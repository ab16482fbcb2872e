internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// A connection to an HTTP server for one request after the other.
package final class HTTPClientConnection: Sendable {
    private let channel: any Channel
    private let reader: LoopBound<AnswerReader>
    private let address: HTTPAddress

    private init(_ channel: any Channel, _ reader: LoopBound<AnswerReader>, _ address: HTTPAddress) {
        self.channel = channel
        self.reader = reader
        self.address = address
    }

    /// - Parameter isSecure: whether it speaks TLS, to whoever is there: nobody's certificate is asked for.
    package static func connect(
        to address: HTTPAddress, on loop: ServingLoop, timeout: Duration? = nil, isSecure: Bool = false
    ) async throws(HTTPServingFailure) -> HTTPClientConnection {
        let reader = LoopBound(AnswerReader(address), on: loop)
        var bootstrap = ClientBootstrap(group: loop.eventLoop).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let decoder = ByteToMessageHandler(
                    HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .drop))
                if isSecure { try channel.pipeline.syncOperations.addHandler(secure()) }
                try channel.pipeline.syncOperations.addHandlers([HTTPRequestEncoder(), decoder, reader.value])
            }
        }
        if let timeout { bootstrap = bootstrap.connectTimeout(TimeAmount(timeout)) }
        do {
            switch address {
            case .unix(let path):
                return HTTPClientConnection(
                    try await bootstrap.connect(unixDomainSocketPath: path).get(), reader, address)
            case .tcp(let host, let port):
                guard let numeric = HTTPAddress.numeric(host) else {
                    throw HTTPServingFailure(.address, "connect to \(address): '\(host)' is no IP address")
                }
                let peer = try SocketAddress(ipAddress: "\(numeric)", port: Int(port))
                return HTTPClientConnection(try await bootstrap.connect(to: peer).get(), reader, address)
            }
        } catch let failure as HTTPServingFailure {
            throw failure
        } catch {
            throw HTTPServingFailure(.unreachable, "connect to \(address): \(error). Is it running?")
        }
    }

    private static func secure() throws -> NIOSSLClientHandler {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        return try NIOSSLClientHandler(context: try NIOSSLContext(configuration: configuration), serverHostname: nil)
    }

    /// Sends a request and waits for the whole answer. Not before the answer to the last one is complete.
    package func answer(
        to request: HTTPRequest, body: [UInt8] = [], limit: Int = HTTPCall.answerLimit, timeout: Duration? = nil
    ) async throws(HTTPServingFailure) -> HTTPResponse {
        let clock = timer(timeout)
        defer { clock?.cancel() }
        try await send(request, body: body)
        let head = try await head()
        var response = HTTPResponse(head.status, headers: head.headers)
        while let part = try await nextPart() {
            guard response.body.count + part.count <= limit else {
                close()
                throw HTTPServingFailure(.tooLong, "the answer of \(address) is longer than \(limit) bytes")
            }
            response.body += part
        }
        return response
    }

    /// Sends a request whose whole body is known.
    func send(_ request: HTTPRequest, body: [UInt8]) async throws(HTTPServingFailure) {
        var head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: request.target)
        for field in request.headers.fields { head.headers.add(name: field.name, value: field.value) }
        if request.headers["host"] == nil { head.headers.add(name: "Host", value: address.authority) }
        if !body.isEmpty || request.method == "POST" || request.method == "PUT" {
            head.headers.replaceOrAdd(name: "Content-Length", value: "\(body.count)")
        }
        let complete = head
        do {
            let channel = channel
            try await channel.eventLoop.submit {
                channel.write(HTTPClientRequestPart.head(complete), promise: nil)
                if !body.isEmpty {
                    channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
                }
                // A server that answers before it has read everything may break the rest off: what it says counts.
                channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
            }.get()
        } catch { throw HTTPServingFailure(.broken, "send a request to \(address): \(error)") }
    }

    func head(timeout: Duration? = nil) async throws(HTTPServingFailure) -> HTTPResponse {
        let clock = timer(timeout)
        defer { clock?.cancel() }
        guard case .head(let response) = try await next() else {
            preconditionFailure("an answer begins with its head")
        }
        return response
    }

    /// The next part of the body; nil at its end.
    func nextPart() async throws(HTTPServingFailure) -> [UInt8]? {
        switch try await next() {
        case .part(let bytes): return bytes
        case .end: return nil
        case .head: preconditionFailure("a second head in one answer")
        }
    }

    private func next() async throws(HTTPServingFailure) -> AnswerReader.Event {
        let reader = reader
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                reader.loop.execute { reader.value.next { continuation.resume(returning: $0) } }
            }
        } onCancel: {
            channel.close(promise: nil)
        }
        return try result.get()
    }

    private func timer(_ timeout: Duration?) -> ScheduledWork? {
        guard let timeout else { return nil }
        let reader = reader
        return reader.loop.schedule(after: timeout) { reader.value.giveUp(after: timeout) }
    }

    package func close() { channel.close(promise: nil) }
}

extension HTTPAddress {
    /// For the field Host.
    var authority: String {
        switch self {
        case .tcp: description
        case .unix: "localhost"
        }
    }
}
