internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// A connection to a server, for requests that are passed on as they come. Confined to its loop, and nothing waits: what
/// happens is told.
package final class HTTPUpstream {
    package enum Event {
        /// The head of the answer; `length` of its body where that was said.
        case head(HTTPResponse, length: Int?)
        case part([UInt8])
        case end(HeaderFields)
        /// After 101: bytes that are no HTTP.
        case bytes([UInt8])
        /// It takes more again.
        case writable
        /// It is over, before the answer was complete or while nothing was asked.
        case failed(HTTPServingFailure)
    }

    package let address: HTTPAddress
    package var onEvent: ((Event) -> Void)?
    private let channel: any Channel
    private let decoder: ByteToMessageHandler<HTTPResponseDecoder>
    private let encoder: HTTPRequestEncoder
    private let handler: UpstreamHandler
    private var isOver = false
    private var keepsAlive = true
    private var isAsked = false
    private var isRequestComplete = true
    private var isPaused = false

    private init(
        _ address: HTTPAddress, _ channel: any Channel, _ decoder: ByteToMessageHandler<HTTPResponseDecoder>,
        _ encoder: HTTPRequestEncoder, _ handler: UpstreamHandler
    ) {
        self.address = address
        self.channel = channel
        self.decoder = decoder
        self.encoder = encoder
        self.handler = handler
    }

    /// Connects. `done` is called on the loop, where this is called as well.
    package static func connect(
        to address: HTTPAddress, on loop: ServingLoop, timeout: Duration,
        _ done: @escaping (Result<HTTPUpstream, HTTPServingFailure>) -> Void
    ) {
        loop.preconditionCurrent()
        guard case .tcp(let host, let port) = address, let numeric = HTTPAddress.numeric(host),
            let peer = try? SocketAddress(ipAddress: "\(numeric)", port: Int(port))
        else { return done(.failure(HTTPServingFailure(.address, "connect to \(address): it is no IP address"))) }
        let decoder = ByteToMessageHandler(
            HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes, informationalResponseStrategy: .drop))
        let (encoder, handler) = (HTTPRequestEncoder(), UpstreamHandler())
        let handlers = LoopBound((encoder, decoder, handler), on: loop)
        ClientBootstrap(group: loop.eventLoop).connectTimeout(TimeAmount(timeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let (encoder, decoder, handler) = handlers.value
                    try channel.pipeline.syncOperations.addHandler(encoder)
                    try channel.pipeline.syncOperations.addHandler(decoder)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(to: peer).assumeIsolated().whenComplete { result in
                switch result {
                case .success(let channel):
                    let upstream = HTTPUpstream(address, channel, decoder, encoder, handler)
                    handler.upstream = upstream
                    done(.success(upstream))
                case .failure(let error):
                    done(.failure(HTTPServingFailure(.unreachable, "connect to \(address): \(error)")))
                }
            }
    }

    /// Whether the next request may be sent on it.
    package var isReusable: Bool { !isOver && !isAsked && isRequestComplete && keepsAlive && channel.isActive }
    package var isWritable: Bool { !isOver && channel.isWritable }

    /// Sends the head of a request.
    ///
    /// - Parameters:
    ///   - request: without fields that are about a connection.
    ///   - length: of the body, where it is known.
    package func begin(_ request: HTTPRequest, hasBody: Bool, length: Int?, upgrade: String?) {
        var head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: request.target)
        for field in request.headers.fields where !HeaderFields.areEqual(field.name, "content-length") {
            head.headers.add(name: field.name, value: field.value)
        }
        if let upgrade {
            head.headers.add(name: "Connection", value: "Upgrade")
            head.headers.add(name: "Upgrade", value: upgrade)
        }
        if let length {
            head.headers.add(name: "Content-Length", value: "\(length)")
        } else if hasBody {
            head.headers.add(name: "Transfer-Encoding", value: "chunked")
        }
        isAsked = true
        isRequestComplete = false
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if hasBody { channel.flush() }
    }

    package func send(_ bytes: [UInt8]) {
        guard !isOver, !bytes.isEmpty else { return }
        channel.writeAndFlush(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: bytes))), promise: nil)
    }

    package func finish(trailers: HeaderFields) {
        guard !isOver, !isRequestComplete else { return }
        isRequestComplete = true
        let fields = trailers.fields.isEmpty ? nil : HTTPHeaders(trailers.fields.map { ($0.name, $0.value) })
        channel.writeAndFlush(HTTPClientRequestPart.end(fields), promise: nil)
    }

    /// Sends bytes after 101.
    package func sendRaw(_ bytes: [UInt8]) {
        guard !isOver, !bytes.isEmpty else { return }
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    /// Takes no more, but for what has come already, until `resume`.
    package func pause() { setReading(false) }
    package func resume() { setReading(true) }

    private func setReading(_ reads: Bool) {
        guard !isOver, isPaused == reads else { return }
        isPaused = !reads
        try? channel.syncOptions?.setOption(.autoRead, value: reads)
    }

    /// Ends it; nothing is told any more.
    package func close() {
        onEvent = nil
        guard !isOver else { return }
        isOver = true
        channel.close(promise: nil)
    }

    fileprivate func take(_ part: HTTPClientResponsePart) {
        switch part {
        case .head(let head):
            keepsAlive = head.isKeepAlive
            let length = head.headers.first(name: "content-length").flatMap { Int($0) }
            let isChunked = head.headers.contains(name: "transfer-encoding")
            if head.status == .switchingProtocols { return leaveHTTP(head) }
            onEvent?(
                .head(
                    HTTPResponse(Int(head.status.code), headers: HeaderFields(head.headers)), length: isChunked ? nil : length))
        case .body(let bytes): onEvent?(.part(Array(buffer: bytes)))
        case .end(let trailers):
            isAsked = false
            onEvent?(.end(trailers.map { HeaderFields($0) } ?? HeaderFields()))
        }
    }

    /// What comes from now on are bytes. They come behind the head, whatever of them has come already.
    private func leaveHTTP(_ head: HTTPResponseHead) {
        keepsAlive = false
        let pipeline = channel.pipeline.syncOperations
        try? pipeline.addHandler(RawBytesHandler(self))
        onEvent?(.head(HTTPResponse(101, headers: HeaderFields(head.headers)), length: nil))
        pipeline.removeHandler(encoder, promise: nil)
        // Not before the decoder has given the end of the answer.
        channel.eventLoop.assumeIsolated().execute {
            pipeline.removeHandler(self.handler, promise: nil)
            pipeline.removeHandler(self.decoder, promise: nil)
        }
    }

    fileprivate func takeRaw(_ bytes: ByteBuffer) { onEvent?(.bytes(Array(buffer: bytes))) }

    fileprivate func fail(_ sentence: String) {
        guard !isOver else { return }
        isOver = true
        let tell = onEvent
        onEvent = nil
        channel.close(promise: nil)
        tell?(.failed(HTTPServingFailure(.broken, "\(address): \(sentence)")))
    }

    fileprivate func becameWritable() { if channel.isWritable { onEvent?(.writable) } }
}

/// Parts of answers.
final class UpstreamHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart

    weak var upstream: HTTPUpstream?
    private var isRaw = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if case .head(let head) = part, head.status == .switchingProtocols { isRaw = true }
        if isRaw, case .end = part { return }
        upstream?.take(part)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { upstream?.fail("\(error)") }

    func channelInactive(context: ChannelHandlerContext) {
        if !isRaw { upstream?.fail("the connection ended") }
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if !isRaw { upstream?.becameWritable() }
        context.fireChannelWritabilityChanged()
    }
}

/// Bytes after 101.
private final class RawBytesHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let upstream: HTTPUpstream

    init(_ upstream: HTTPUpstream) { self.upstream = upstream }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { upstream.takeRaw(unwrapInboundIn(data)) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { upstream.fail("\(error)") }
    func channelInactive(context: ChannelHandlerContext) { upstream.fail("the connection ended") }
    func channelWritabilityChanged(context: ChannelHandlerContext) { upstream.becameWritable() }
}
