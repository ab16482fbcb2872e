internal import NIOCore

/// One request that is passed on to a server, and its answer on the way back; both part by part, each as fast as the other
/// side takes it. Confined to its loop.
///
/// Invariants
/// 1. A request is sent to a second server only when the first one can have seen nothing of it; or when it was sent on a
///    kept connection, changes nothing (RFC 9110 section 9.2.1), has no body, and not a byte of an answer has come: servers
///    close kept connections when they like. (tests: `a server that refuses is passed over`,
///    `a request that may have been seen is not sent again`)
/// 2. An answer that breaks off is broken off, not ended. (test: `an answer that breaks off is not taken for complete`)
/// 3. Neither side is read while the other does not take. (test: `a slow client holds back its server, and the other way`)
package final class HTTPForward {
    /// Where and how a request is passed on.
    package struct Plan {
        /// As it is sent: with the fields for the next hop.
        package var request: HTTPRequest
        /// Asked for another protocol.
        package var upgrade: String?
        /// Finds a server that was not tried yet, now or later; nil: there is none.
        package var server: (_ tried: Set<HTTPAddress>, _ found: @escaping (HTTPAddress?) -> Void) -> Void
        /// Answers in the name of servers: 502, 503, 504.
        package var apology: (Int) -> HTTPResponse
        /// Called once at the end.
        package var onEnd: (Outcome) -> Void
        package var connectTimeout = Duration.seconds(5)
        /// Between two signs of life of the server.
        package var readTimeout = Duration.seconds(60)
        /// Servers tried at most.
        package var tries = 3

        package init(
            request: HTTPRequest, upgrade: String?,
            server: @escaping (_ tried: Set<HTTPAddress>, _ found: @escaping (HTTPAddress?) -> Void) -> Void,
            apology: @escaping (Int) -> HTTPResponse, onEnd: @escaping (Outcome) -> Void
        ) {
            self.request = request
            self.upgrade = upgrade
            self.server = server
            self.apology = apology
            self.onEnd = onEnd
        }
    }

    package struct Outcome: Hashable, Sendable {
        /// What the client was answered; nil: it went away before.
        package var status: Int?
        package var server: HTTPAddress?
    }

    private let exchange: any HTTPExchange
    private let plan: Plan
    private let pool: UpstreamPool
    private let loop: ServingLoop
    private let hasBody: Bool
    private let length: Int?
    private var upstream: HTTPUpstream?
    private var duplex: (any HTTPDuplex)?
    private var isReused = false
    private var tried: Set<HTTPAddress> = []
    private var retries = 0
    /// Parts of the body that came before there was a server.
    private var queue: [[UInt8]] = []
    private var trailers: HeaderFields?
    private var status: Int?
    private var isOver = false
    private var lastSign = NIODeadline.now()
    private var timer: ScheduledWork?

    package init(_ exchange: any HTTPExchange, _ plan: Plan, _ pool: UpstreamPool) {
        self.exchange = exchange
        self.plan = plan
        self.pool = pool
        loop = exchange.loop
        let headers = exchange.request.headers
        let isChunked = headers["transfer-encoding"] != nil
        length = isChunked ? nil : headers["content-length"].flatMap { Int($0) }
        hasBody = isChunked || (length ?? 0) > 0
    }

    /// Begins; the answer of `HTTPService.receive`.
    package func start() -> BodyReading {
        exchange.onAbandoned = { self.end(closing: true) }
        exchange.onWritable = { self.upstream?.resume() }
        askForServer()
        return .parts(onPart: take, onEnd: takeEnd)
    }

    // MARK: The request

    private func take(_ bytes: [UInt8]) {
        guard !isOver else { return }
        guard let upstream else {
            queue.append(bytes)
            return exchange.pauseBody()
        }
        lastSign = .now()
        upstream.send(bytes)
        // A write finds out that the server has gone before it returns.
        if !isOver, !upstream.isWritable { exchange.pauseBody() }
    }

    private func takeEnd(_ trailers: HeaderFields, _ isComplete: Bool) {
        guard !isOver else { return }
        // One that went away in the middle is abandoned as well.
        guard isComplete else { return }
        self.trailers = trailers
        upstream?.finish(trailers: trailers)
    }

    private func askForServer() {
        plan.server(tried) { [self] address in
            guard !isOver else { return }
            guard let address else { return apologize(tried.isEmpty ? 503 : 502) }
            if let kept = pool.take(address) { return use(kept, isReused: true) }
            connect(to: address)
        }
    }

    private func connect(to address: HTTPAddress) {
        HTTPUpstream.connect(to: address, on: loop, timeout: plan.connectTimeout) { [self] result in
            switch result {
            case .success(let upstream):
                if isOver { upstream.close() } else { use(upstream, isReused: false) }
            case .failure:
                guard !isOver else { return }
                tried.insert(address)
                if tried.count < plan.tries { askForServer() } else { apologize(502) }
            }
        }
    }

    private func use(_ upstream: HTTPUpstream, isReused: Bool) {
        self.upstream = upstream
        self.isReused = isReused
        upstream.onEvent = { self.take($0) }
        upstream.begin(plan.request, hasBody: hasBody, length: length, upgrade: plan.upgrade)
        for bytes in queue { upstream.send(bytes) }
        // Sent once: a body is not kept for a second server.
        queue = []
        if let trailers { upstream.finish(trailers: trailers) }
        if hasBody, upstream.isWritable { exchange.resumeBody() }
        lastSign = .now()
        watch(after: plan.readTimeout)
    }

    // MARK: The answer

    private func take(_ event: HTTPUpstream.Event) {
        guard !isOver else { return }
        lastSign = .now()
        switch event {
        case .head(let response, let length):
            if response.status == 101 { return linkBytes(response) }
            status = response.status
            exchange.begin(response.status, headers: HopByHop.passed(response.headers), length: length)
        case .part(let bytes):
            exchange.send(bytes)
            if !exchange.isWritable { upstream?.pause() }
        case .end(let trailers):
            exchange.finish(trailers: trailers)
            end(closing: false)
        case .bytes(let bytes):
            duplex?.send(bytes)
            if duplex?.isWritable == false { upstream?.pause() }
        case .writable: if let duplex { duplex.resume() } else { exchange.resumeBody() }
        case .failed: fail(502)
        }
    }

    private func fail(_ code: Int) {
        let broken = upstream
        upstream = nil
        if let duplex {
            duplex.finish()
            return end(closing: true)
        }
        guard status == nil else {
            exchange.abort()
            return end(closing: true)
        }
        let isSafe = ["GET", "HEAD", "OPTIONS", "TRACE"].contains(plan.request.method)
        if code == 502, isReused, isSafe, !hasBody, retries < plan.tries, let address = broken?.address {
            retries += 1
            // A kept connection says nothing about the server: a new one does.
            return connect(to: address)
        }
        apologize(code)
    }

    private func apologize(_ code: Int) {
        status = code
        exchange.respond(plan.apology(code))
        end(closing: true)
    }

    private func end(closing: Bool) {
        guard !isOver else { return }
        isOver = true
        timer?.cancel()
        let server = upstream?.address ?? tried.first
        if let upstream {
            if closing || trailers == nil { upstream.close() } else { pool.put(upstream) }
        }
        upstream = nil
        queue = []
        plan.onEnd(Outcome(status: status, server: server))
    }

    /// A server that says nothing for too long has lost its request.
    private func watch(after span: Duration) {
        timer?.cancel()
        let own = LoopBound(self, on: loop)
        timer = loop.schedule(after: span) { own.value.look() }
    }

    private func look() {
        guard !isOver, duplex == nil else { return }
        // A client that is slow to send or to take is not the server's fault.
        if trailers == nil || !exchange.isWritable { lastSign = .now() }
        let left = lastSign + TimeAmount(plan.readTimeout) - .now()
        if left > .zero { return watch(after: .nanoseconds(left.nanoseconds)) }
        upstream?.close()
        fail(504)
    }

    // MARK: Another protocol

    private func linkBytes(_ response: HTTPResponse) {
        status = 101
        timer?.cancel()
        var headers = HopByHop.passed(response.headers)
        if let name = response.headers["upgrade"] { headers.add("Upgrade", name) }
        guard trailers != nil, plan.upgrade != nil, let duplex = exchange.upgrade(headers: headers) else {
            if plan.upgrade == nil || trailers == nil { apologize(502) } else { end(closing: true) }
            return
        }
        self.duplex = duplex
        duplex.onBytes = { bytes in
            self.upstream?.sendRaw(bytes)
            if self.upstream?.isWritable == false { duplex.pause() }
        }
        duplex.onWritable = { self.upstream?.resume() }
        duplex.onInputEnd = { [self] in
            end(closing: true)
            duplex.finish()
        }
        duplex.onClose = { self.end(closing: true) }
    }
}
