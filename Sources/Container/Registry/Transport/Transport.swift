internal import AsyncHTTPClient
internal import NIOCore
internal import NIOHTTP1

/// Sends requests and follows redirects, under the watch for stalls. Knows nothing of registries.
final class Transport: Sendable {
    /// Bytes of a request's body in one piece.
    static let pieceBytes = 256 << 10

    let rule: RedirectRule
    let patience: Patience
    private let client: HTTPClient

    init(rule: RedirectRule, patience: Patience, trust: RegistryTrust = RegistryTrust()) {
        self.rule = rule
        self.patience = patience
        // Redirects are ours: the client's own would take credentials along.
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .nanoseconds(Int64(patience.connect / .nanoseconds(1)))
        // Tries are counted by RetryPolicy alone.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.decompression = .disabled
        // A blob over HTTP/2 waits for every other one on its connection.
        configuration.httpVersion = .http1Only
        configuration.tlsConfiguration = trust.configuration
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Ends its connections. Nothing may be sent afterwards.
    func close() async { try? await client.shutdown() }

    /// One exchange: the request, redirects, and the reading of the answer.
    ///
    /// - Parameter read: takes the answer, whatever its status; it may not keep the body.
    func exchange<Value: Sendable>(
        _ request: WebRequest,
        _ read: @escaping @Sendable (WebResponse, StallWatch) async -> Result<Value, RegistryFailure>
    ) async throws(RegistryFailure) -> Value {
        try rule.check(request.address)
        let watch = StallWatch(patience)
        let result = await withTaskGroup(of: Event<Value>.self) { group -> Result<Value, RegistryFailure> in
            group.addTask { .done(await self.perform(request, watch, read)) }
            group.addTask { await watch.untilStalled() ? .stalled : .unwatched }
            var result: Result<Value, RegistryFailure>?
            var isStalled = false
            for await event in group {
                switch event {
                case .done(let done): result = done
                case .stalled: isStalled = true
                case .unwatched: continue
                }
                group.cancelAll()
            }
            if isStalled, case .failure = result { return .failure(self.stalled(request)) }
            return result!
        }
        return try result.get()
    }

    private enum Event<Value: Sendable>: Sendable {
        case done(Result<Value, RegistryFailure>)
        case stalled
        case unwatched
    }

    private func stalled(_ request: WebRequest) -> RegistryFailure {
        RegistryFailure(
            .stalled,
            "\(request.method) \(request.address.authority)\(request.address.target): nothing moves any more; "
                + "given up after \(patience.window) without \(patience.leastBytes) bytes")
    }

    private func perform<Value: Sendable>(
        _ request: WebRequest, _ watch: StallWatch,
        _ read: @Sendable (WebResponse, StallWatch) async -> Result<Value, RegistryFailure>
    ) async -> Result<Value, RegistryFailure> {
        var step = RedirectRule.Step(address: request.address, authorization: request.authorization)
        var redirects = 0
        while true {
            let response: WebResponse
            do throws(RegistryFailure) {
                response = try await send(request, step, watch)
                // An upload that is redirected would have to be sent again, to whom we do not know: nobody does that.
                guard RedirectRule.isRedirect(response.status), request.method == .GET || request.method == .HEAD else {
                    return await read(response, watch)
                }
                redirects += 1
                step = try rule.next(after: step, location: response.header("location"), count: redirects)
            } catch { return .failure(error) }
        }
    }

    private func send(
        _ request: WebRequest, _ step: RedirectRule.Step, _ watch: StallWatch
    ) async throws(RegistryFailure) -> WebResponse {
        var message = HTTPClientRequest(url: step.address.description)
        message.method = request.method
        message.headers.add(name: "User-Agent", value: "forkless")
        for header in request.headers { message.headers.add(name: header.name, value: header.value) }
        if let authorization = step.authorization {
            message.headers.add(name: "Authorization", value: authorization)
        }
        switch request.body {
        case .none: break
        case .bytes(let bytes):
            message.body = .bytes(ByteBuffer(bytes: bytes))
            watch.allow(patience.commit)
        case .blob(let source, let offset, let length):
            let pieces = BlobPieces(
                source: source, offset: offset, length: length, watch: watch, commit: patience.commit)
            message.body = .stream(pieces, length: .known(Int64(length)))
        }
        do {
            let response = try await client.execute(message, deadline: .distantFuture)
            return WebResponse(
                status: Int(response.status.code), headers: response.headers, address: step.address,
                body: WebBody(response.body, watch, from: step.address.authority))
        } catch {
            throw TransportErrors.failure(error, "\(request.method) \(step.address.authority)\(step.address.target)")
        }
    }

    /// A blob as the body of a request, read piece by piece as the registry takes them.
    private struct BlobPieces: AsyncSequence, Sendable {
        typealias Element = ByteBuffer
        let source: any BlobSource
        let offset: Int
        let length: Int
        let watch: StallWatch
        let commit: Duration

        func makeAsyncIterator() -> Iterator { Iterator(pieces: self) }

        struct Iterator: AsyncIteratorProtocol {
            let pieces: BlobPieces
            var sent: Int = 0

            mutating func next() async throws -> ByteBuffer? {
                guard sent < pieces.length else { return nil }
                // The piece before this one is on its way, or this one would not be asked for.
                let count = Swift.min(pieces.length - sent, Transport.pieceBytes)
                pieces.watch.pause()
                defer { pieces.watch.resume() }
                let bytes = try await pieces.source.read(from: pieces.offset + sent, count: count)
                guard bytes.count == count else {
                    throw RegistryFailure(.storage, "read a blob to send it: it is shorter than its descriptor says")
                }
                sent += count
                pieces.watch.count(count)
                // The last piece is out: the registry checks the whole before it answers.
                if sent == pieces.length { pieces.watch.allow(pieces.commit) }
                return ByteBuffer(bytes: bytes)
            }
        }
    }
}
