internal import NIOCore
internal import NIOHTTP1

/// One connection of a listener: requests come in order, and so do their answers.
///
/// Invariants (each with a test in HTTPConnectionTests):
/// 1. A request that came behind another is given to the service when the answer of the first is complete
///    (`answers come in the order of the requests`).
/// 2. A whole answer is one write (`a whole answer is one write`).
/// 3. A request whose answer is awaited is never timed out; heads and idle connections are
///    (`a long poll outlives the time-out of heads`).
/// 4. What waits is bounded: requests behind a long poll, and answers that are not taken
///    (`a client that sends without end is not read without end`, `a client that takes nothing is cut off`).
/// 5. An answer that may wait goes out with the answer to the request behind it, and at once when there is none
///    (`an answer that may wait is sent with the one behind it`).
/// 6. What is no HTTP ends the connection after the answers that were owed (`garbage behind a request is answered after it`).
/// 7. After an upgrade not a byte is HTTP, also none that came with the request
///    (`an upgraded connection carries bytes both ways`). One whose client has gone is none
///    (`an upgrade whose write finds the client gone is none`).
/// 8. A body ends where any other reader ends it, or is refused (`a body that could be read in two ways is refused`).
final class HTTPConnection: ChannelInboundHandler {
    /// Bytes after an upgrade.
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    /// Why nothing is read.
    enum Pause: Int {
        case service = 1
        case waiting = 2
    }

    let loop: ServingLoop
    private let registry: ConnectionRegistry
    private let decoder: ByteToMessageHandler<HTTPRequestDecoder>
    private let limits: HTTPLimits
    private var context: ChannelHandlerContext?
    private var current: ConnectionExchange?
    /// Parts of requests that came behind the current one.
    private var waiting = CircularBuffer<HTTPServerRequestPart>()
    private var waitingBytes = 0
    private var pauses = 0
    private var keepsAlive = true
    private(set) var isInputOver = false
    /// The status that answers what is no HTTP, once it has come.
    private var malformed: HTTPResponse?
    /// It closes as soon as the last answer is taken.
    private var isEnding = false
    /// Of the last answer, when it was last looked.
    private var unsentBefore = Int.max
    /// The answer that ends the connection is out; what still comes is thrown away.
    private var isLingering = false
    private var isPumping = false
    private var isReading = false
    private var needsFlush = false
    /// All that is to be flushed may wait for the answer under way.
    private var mayWait = false
    /// Reused for one answer after the other.
    private var room = ByteBuffer()
    private var lastEvent = NIODeadline.now()
    private var timer: Scheduled<Void>?
    private var isPeerKnown = false
    private var peer: String?
    private var isCertificateKnown = false
    private var certificate: [UInt8]?
    /// After an upgrade.
    private var duplex: ConnectionDuplex?

    init(
        _ registry: ConnectionRegistry, _ decoder: ByteToMessageHandler<HTTPRequestDecoder>, limits: HTTPLimits
    ) {
        self.registry = registry
        self.decoder = decoder
        self.limits = limits
        loop = registry.loop
    }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        registry.add(self)
        startTimer()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        registry.remove(self)
        let abandoned = current
        current = nil
        waiting.removeAll()
        self.context = nil
        abandoned?.abandon()
        duplex?.closed()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else {
            context.close(promise: nil)
            return
        }
        guard malformed == nil, !isLingering else { return }
        isInputOver = true
        malformed =
            error == .headerOverflow
            ? .plain(
                431,
                "The request's head is longer than the \(limits.headBytes) bytes or \(limits.fieldCount) fields allowed."
            )
            : .plain(400, "The request is no HTTP/1.1: \(error).")
        pump()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            isInputOver = true
            if isLingering {
                context.close(promise: nil)
            } else if let duplex {
                duplex.onInputEnd?()
            } else {
                current?.inputEnded()
                pump()
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// Ends it: at once when nothing is under way, else when the answer is complete.
    func closeWhenIdle() {
        keepsAlive = false
        if current == nil, waiting.isEmpty, duplex == nil { closeAfterWrites() }
    }

    /// Closes when the client has taken all that it was sent: closing throws away what waits.
    private func closeAfterWrites() {
        guard let context, !isEnding else { return }
        isEnding = true
        needsFlush = false
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }

    func breakOff() { context?.close(promise: nil) }

    var peerAddress: String? {
        if !isPeerKnown {
            isPeerKnown = true
            peer = context?.channel.remoteAddress?.ipAddress
        }
        return peer
    }

    var peerCertificate: [UInt8]? {
        if !isCertificateKnown {
            isCertificateKnown = true
            certificate = context?.peerCertificate
        }
        return certificate
    }

    // MARK: Upgrades

    func upgrade(_ headers: HeaderFields, of exchange: ConnectionExchange) -> (any HTTPDuplex)? {
        guard let context else { return nil }
        guard waiting.isEmpty, malformed == nil, !isInputOver else {
            exchange.respond(.plain(400, "A request that asks for an upgrade is the last one of its connection."))
            return nil
        }
        takeRoom(1024)
        guard writeHead(101, headers, .upgraded, exchange) else {
            exchange.respond(Self.unwritable)
            return nil
        }
        write(room)
        // A write finds out that the client has gone before it returns; the exchange was told.
        guard self.context != nil else { return nil }
        exchange.answer = .complete
        current = nil
        exchange.forget()
        timer?.cancel()
        timer = nil
        let duplex = ConnectionDuplex(self)
        self.duplex = duplex
        context.pipeline.syncOperations.removeHandler(decoder, promise: nil)
        return duplex
    }

    func sendRaw(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, !isEnding, let context else { return }
        write(ByteBuffer(bytes: bytes))
        if !context.channel.isWritable, unsentBytes > limits.unsentBytes { context.close(promise: nil) }
    }

    /// As `linger` does, when all that was sent is taken.
    func finishRaw() {
        guard !isEnding, let context else { return }
        isEnding = true
        needsFlush = false
        unsentBefore = .max
        startTimer()
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            self.isEnding = false
            self.timer?.cancel()
            if self.isInputOver { context.close(promise: nil) } else { self.linger() }
        }
    }

    // MARK: Time

    private func startTimer() {
        guard let shortest = [limits.headTimeout, limits.bodyTimeout].compactMap({ $0 }).min() else { return }
        schedule(after: TimeAmount(shortest))
    }

    private func schedule(after span: TimeAmount) {
        guard let context else { return }
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: span) { self.tick() }
    }

    private func tick() {
        guard let context else { return }
        if isLingering { return context.close(promise: nil) }
        if isEnding {
            guard unsentBytes < unsentBefore else { return context.close(promise: nil) }
            unsentBefore = unsentBytes
            return startTimer()
        }
        let limit: Duration?
        if let current {
            if case .parts = current.body {
                limit = nil
            } else {
                limit = current.isRequestComplete ? nil : limits.bodyTimeout
            }
        } else {
            limit = limits.headTimeout
        }
        guard let limit else { return startTimer() }
        let left = lastEvent + TimeAmount(limit) - .now()
        if left <= .zero { context.close(promise: nil) } else { schedule(after: left) }
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isLingering, !isEnding else { return }
        if let duplex {
            // What the decoder had left comes without the end of a read, which would send what was written meanwhile.
            duplex.onBytes?(Array(buffer: PlainTextRefusal.unwrapInboundIn(data)))
            return
        }
        isReading = true
        let part = unwrapInboundIn(data)
        lastEvent = .now()
        if waiting.isEmpty, !isPumping, current.map({ !$0.isRequestComplete }) ?? true {
            isPumping = true
            take(part)
            isPumping = false
            pump()
        } else {
            waiting.append(part)
            waitingBytes += part.size
            if waitingBytes > limits.waitingBytes { pause(.waiting, nil) }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        if needsFlush, !(mayWait && current?.answer == .awaited && current?.isRequestComplete == true) {
            needsFlush = false
            context.flush()
        }
    }

    /// Takes what waits, as far as the exchange under way lets it, and ends what is to be ended.
    private func pump() {
        guard !isPumping, !isLingering, !isEnding else { return }
        isPumping = true
        defer { isPumping = false }
        while !waiting.isEmpty, !isLingering, !isEnding, current.map({ !$0.isRequestComplete }) ?? keepsAlive {
            let part = waiting.removeFirst()
            waitingBytes -= part.size
            take(part)
        }
        guard !isLingering, duplex == nil, context != nil else { return }
        if waitingBytes <= limits.waitingBytes { resume(.waiting, nil) }
        if let current, current.isRequestComplete { return }
        if let malformed, waiting.isEmpty {
            if let broken = current, broken.answer == .awaited {
                current = nil
                broken.abandon()
                writeUnasked(malformed)
            } else if current == nil {
                writeUnasked(malformed)
            } else if current?.answer == .complete {
                // It was answered before its body broke.
                linger()
            } else {
                context?.close(promise: nil)
            }
        } else if current == nil, isInputOver || !keepsAlive {
            closeAfterWrites()
        } else if isInputOver {
            context?.close(promise: nil)
        }
    }

    private func take(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head): begin(head)
        case .body(let bytes):
            guard let current else { return }
            take(bytes, current)
        case .end(let trailers):
            guard let current else { return }
            end(trailers, current)
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        let request = HTTPRequest(method: head.method.rawValue, target: head.uri, headers: HeaderFields(head.headers))
        let exchange = ConnectionExchange(request, on: self, isOldClient: head.version.minor == 0)
        current = exchange
        if !head.isKeepAlive { keepsAlive = false }
        if head.method == .CONNECT || head.headers.contains(name: "upgrade") { keepsAlive = false }
        if head.method == .CONNECT { return refuse(exchange, .plain(501, "This is no proxy: CONNECT is not served.")) }
        if let refusal = Self.refusal(ofCodingsIn: head) {
            keepsAlive = false
            return refuse(exchange, refusal)
        }
        let expectation = request.headers["expect"]
        if let expectation, !HeaderFields.areEqual(expectation, "100-continue") {
            return refuse(exchange, .plain(417, "'Expect: \(expectation)' is not supported, only '100-continue' is."))
        }
        let reading = registry.service.receive(exchange)
        guard exchange.answer == .awaited || exchange.isInParts else {
            exchange.body = .unwanted(0)
            return
        }
        switch reading {
        case .whole(let limit, let then):
            if let length = request.headers["content-length"].flatMap({ Int($0) }), length > limit {
                return refuse(exchange, registry.service.answerToLongBody(of: request, limit: limit))
            }
            exchange.body = .whole(nil, limit: limit, then: then)
        case .parts(let onPart, let onEnd): exchange.body = .parts(onPart: onPart, onEnd: onEnd)
        }
        if expectation != nil, !exchange.isOldClient, exchange.answer == .awaited {
            write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
        }
    }

    /// Who reads a body by another coding than we do finds other requests in it (RFC 9112 sections 6.1 and 6.3).
    private static func refusal(ofCodingsIn head: HTTPRequestHead) -> HTTPResponse? {
        guard let coding = head.headers.first(name: "transfer-encoding") else { return nil }
        guard head.version.minor > 0 else { return .plain(400, "HTTP/1.0 has no Transfer-Encoding.") }
        guard HeaderFields.areEqual(coding, "chunked") else {
            return .plain(501, "'Transfer-Encoding: \(coding)' is not supported, only 'chunked' is.")
        }
        return nil
    }

    private func refuse(_ exchange: ConnectionExchange, _ response: HTTPResponse) {
        exchange.body = .unwanted(0)
        exchange.respond(response)
    }

    private func take(_ bytes: ByteBuffer, _ exchange: ConnectionExchange) {
        switch exchange.body {
        case .whole(let before, let limit, let then):
            // Taken out while it grows, so that it is not copied.
            exchange.body = .unknown
            guard (before?.readableBytes ?? 0) + bytes.readableBytes <= limit else {
                return refuse(exchange, registry.service.answerToLongBody(of: exchange.request, limit: limit))
            }
            if var all = before {
                all.writeImmutableBuffer(bytes)
                exchange.body = .whole(all, limit: limit, then: then)
            } else {
                exchange.body = .whole(bytes, limit: limit, then: then)
            }
        case .parts(let onPart, _): onPart(Array(buffer: bytes))
        case .unwanted(let count):
            exchange.body = .unwanted(count + bytes.readableBytes)
            if count + bytes.readableBytes > limits.unwantedBytes { linger() }
        case .unknown, .complete: preconditionFailure("a part of a body outside of one")
        }
    }

    private func end(_ trailers: HTTPHeaders?, _ exchange: ConnectionExchange) {
        let body = exchange.body
        exchange.body = .complete
        switch body {
        case .whole(let bytes, _, let then): then(bytes.map { Array(buffer: $0) } ?? [])
        case .parts(_, let onEnd): onEnd(trailers.map { HeaderFields($0) } ?? HeaderFields(), true)
        case .unwanted: break
        case .unknown, .complete: preconditionFailure("the end of a body outside of one")
        }
        settle(exchange)
    }

    func pause(_ reason: Pause, _ exchange: ConnectionExchange?) {
        guard let context, exchange == nil || exchange === current else { return }
        if pauses == 0 { try? context.channel.syncOptions!.setOption(.autoRead, value: false) }
        pauses |= reason.rawValue
    }

    func resume(_ reason: Pause, _ exchange: ConnectionExchange?) {
        guard let context, exchange == nil || exchange === current, pauses & reason.rawValue != 0 else { return }
        pauses &= ~reason.rawValue
        if pauses == 0 { try? context.channel.syncOptions!.setOption(.autoRead, value: true) }
    }

    // MARK: Answering

    func respond(_ response: HTTPResponse, to exchange: ConnectionExchange) {
        let framing: AnswerHead.Framing = hasNoBody(response.status) ? .none : .length(response.body.count)
        takeRoom(512 + response.body.count)
        guard writeHead(response.status, response.headers, framing, exchange) else {
            return respond(Self.unwritable, to: exchange)
        }
        if framing != .none, !exchange.isHead { room.writeBytes(response.body) }
        exchange.answer = .complete
        write(room, mayWait: response.mayWait)
        settle(exchange)
    }

    func begin(_ status: Int, _ headers: HeaderFields, _ length: Int?, of exchange: ConnectionExchange) {
        let framing: AnswerHead.Framing =
            hasNoBody(status)
            ? .none : length.map { .length($0) } ?? (exchange.isOldClient ? .untilClose : .chunked)
        if framing == .untilClose { keepsAlive = false }
        takeRoom(1024)
        guard writeHead(status, headers, framing, exchange) else { return respond(Self.unwritable, to: exchange) }
        exchange.answer = .inParts(exchange.isHead ? .none : framing)
        write(room)
    }

    func send(_ bytes: [UInt8], _ framing: AnswerHead.Framing, of exchange: ConnectionExchange) {
        guard framing != .none, !bytes.isEmpty, let context else { return }
        takeRoom(bytes.count + 32)
        if framing == .chunked {
            room.writeString(String(bytes.count, radix: 16))
            room.writeStaticString("\r\n")
        }
        room.writeBytes(bytes)
        if framing == .chunked { room.writeStaticString("\r\n") }
        write(room)
        if !context.channel.isWritable, unsentBytes > limits.unsentBytes { context.close(promise: nil) }
    }

    func finish(_ trailers: HeaderFields, _ framing: AnswerHead.Framing, of exchange: ConnectionExchange) {
        exchange.answer = .complete
        if framing == .chunked {
            takeRoom(256)
            room.writeStaticString("0\r\n")
            for field in trailers.fields where HeaderFields.isName(field.name) && HeaderFields.isValue(field.value) {
                room.writeString("\(field.name): \(field.value)\r\n")
            }
            room.writeStaticString("\r\n")
            write(room)
        }
        settle(exchange)
    }

    private static let unwritable = HTTPResponse.plain(500, "The answer has a header field that no header can carry.")

    private func hasNoBody(_ status: Int) -> Bool { status < 200 || status == 204 || status == 304 }

    private func writeHead(
        _ status: Int, _ headers: HeaderFields, _ framing: AnswerHead.Framing, _ exchange: ConnectionExchange
    ) -> Bool {
        AnswerHead.write(
            status, headers, framing, closes: !keepsAlive, isOldClient: exchange.isOldClient, date: registry.date,
            to: &room)
    }

    private func takeRoom(_ bytes: Int) {
        if room.capacity > 64 << 10 { room = ByteBuffer() }
        room.clear(minimumCapacity: bytes)
    }

    private func write(_ buffer: ByteBuffer, mayWait: Bool = false) {
        guard let context else { return }
        context.write(wrapOutboundOut(buffer), promise: nil)
        if isReading {
            self.mayWait = mayWait && (self.mayWait || !needsFlush)
            needsFlush = true
        } else {
            needsFlush = false
            context.flush()
        }
    }

    /// When both the request and the answer are complete, the exchange is over.
    private func settle(_ exchange: ConnectionExchange) {
        guard exchange === current, exchange.answer == .complete else { return }
        if malformed != nil, !exchange.isRequestComplete { return linger() }
        guard exchange.isRequestComplete else {
            if pauses & Pause.service.rawValue != 0 { resume(.service, exchange) }
            if case .unwanted = exchange.body {
            } else if case .unknown = exchange.body {
            } else {
                exchange.body = .unwanted(0)
            }
            return
        }
        if pauses & Pause.service.rawValue != 0 { resume(.service, exchange) }
        current = nil
        exchange.forget()
        lastEvent = .now()
        pump()
    }

    private func writeUnasked(_ response: HTTPResponse) {
        keepsAlive = false
        takeRoom(512)
        _ = AnswerHead.write(
            response.status, response.headers, .length(response.body.count), closes: true, isOldClient: false,
            date: registry.date, to: &room)
        room.writeBytes(response.body)
        write(room)
        linger()
    }

    /// Closes so that the client sees the answer, although it may still be sending: a socket that is closed with unread
    /// bytes resets the connection, and the answer is lost with it.
    private func linger() {
        guard !isLingering, let context else { return }
        isLingering = true
        if isInputOver, malformed == nil { return context.close(promise: nil) }
        context.flush()
        needsFlush = false
        context.close(mode: .output, promise: nil)
        timer?.cancel()
        schedule(after: .seconds(2))
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    private var unsentBytes: Int { (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        if let duplex { duplex.onWritable?() } else { current?.onWritable?() }
    }
}

extension ConnectionExchange {
    var isInParts: Bool {
        if case .inParts = answer { true } else { false }
    }
}

extension HTTPServerRequestPart {
    /// About what it takes in memory, bytes.
    fileprivate var size: Int {
        switch self {
        case .head(let head):
            256 + head.uri.utf8.count + head.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        case .body(let bytes): bytes.readableBytes + 64
        case .end: 64
        }
    }
}

extension HeaderFields {
    init(_ headers: HTTPHeaders) {
        fields.reserveCapacity(headers.count)
        for (name, value) in headers { fields.append(Field(name, value)) }
    }
}
