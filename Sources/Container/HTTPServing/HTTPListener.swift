package import Linux
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Serves HTTP/1.1 at one place.
package final class HTTPListener: Sendable {
    /// Where it listens: with the real port when 0 was asked for. nil for a socket made elsewhere.
    package let address: HTTPAddress?
    private let channel: EventLoopFuture<any Channel>
    private let registries: [LoopBound<ConnectionRegistry>]

    private init(
        _ address: HTTPAddress?, _ channel: EventLoopFuture<any Channel>, _ registries: [LoopBound<ConnectionRegistry>]
    ) {
        self.address = address
        self.channel = channel
        self.registries = registries
    }

    /// Begins to serve. Accepting happens on the first loop, connections are spread over all of them.
    ///
    /// - Parameters:
    ///   - tls: nil: plain HTTP.
    ///   - service: makes the service of each loop, on that loop.
    package static func listen(
        on place: consuming HTTPListenPlace, loops: ServingLoops, tls: TLSIdentity? = nil,
        limits: HTTPLimits = HTTPLimits(), service: @escaping @Sendable (ServingLoop) -> any HTTPService
    ) async throws(HTTPServingFailure) -> HTTPListener {
        try await listen(on: place, loops.loops, connections: loops.group, tls, limits, service)
    }

    /// The same, with everything on one loop.
    package static func listen(
        on place: consuming HTTPListenPlace, loop: ServingLoop, tls: TLSIdentity? = nil,
        limits: HTTPLimits = HTTPLimits(), service: @escaping @Sendable (ServingLoop) -> any HTTPService
    ) async throws(HTTPServingFailure) -> HTTPListener {
        try await listen(on: place, [loop], connections: loop.eventLoop, tls, limits, service)
    }

    private static func listen(
        on place: consuming HTTPListenPlace, _ loops: [ServingLoop], connections: any EventLoopGroup,
        _ tls: TLSIdentity?, _ limits: HTTPLimits,
        _ service: @escaping @Sendable (ServingLoop) -> any HTTPService
    ) async throws(HTTPServingFailure) -> HTTPListener {
        let name = place.name
        let socket = try ListeningSocket.open(place)
        let address = name.map { $0.withPort(of: socket.raw) }
        let registries = loops.map { LoopBound(ConnectionRegistry($0, limits: limits, service: service), on: $0) }
        do {
            let channel = bootstrap(registries, tls, limits, connections).withBoundSocket(socket.release())
            _ = try await channel.get()
            return HTTPListener(address, channel, registries)
        } catch {
            throw HTTPServingFailure(.address, "serve \(address?.description ?? "a socket"): \(error)")
        }
    }

    /// Serves a socket that listens already on the loop that this is called on, without waiting for anything: clients that
    /// come before the loop's next round wait in the socket's queue. Should the loop be unable to watch it (out of memory),
    /// the socket is closed and they are refused.
    package static func adopt(
        _ socket: consuming OwnedFD, loop: ServingLoop, limits: HTTPLimits = HTTPLimits(), service: any HTTPService
    ) throws(HTTPServingFailure) -> HTTPListener {
        loop.preconditionCurrent()
        let registries = [LoopBound(ConnectionRegistry(loop, limits: limits, service), on: loop)]
        let channel = bootstrap(registries, nil, limits, loop.eventLoop).withBoundSocket(socket.release())
        var failure: (any Error)?
        channel.assumeIsolated().whenFailure { failure = $0 }
        if let failure { throw HTTPServingFailure(.address, "serve a socket: \(failure)") }
        return HTTPListener(nil, channel, registries)
    }

    private static func bootstrap(
        _ registries: [LoopBound<ConnectionRegistry>], _ tls: TLSIdentity?, _ limits: HTTPLimits,
        _ connections: any EventLoopGroup
    ) -> ServerBootstrap {
        let byLoop = Dictionary(uniqueKeysWithValues: registries.map { (ObjectIdentifier($0.loop.eventLoop), $0) })
        var decoding = NIOHTTPDecoderLimitConfiguration()
        decoding.maxHeaderFieldSize = limits.headBytes
        decoding.maxHeaderListSize = limits.headBytes
        decoding.maxHeaderFieldCount = limits.fieldCount
        let chosen = decoding
        return ServerBootstrap(group: registries[0].loop.eventLoop, childGroup: connections)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let registry = byLoop[ObjectIdentifier(channel.eventLoop)]!.value
                    guard registry.hasPlace else {
                        channel.close(promise: nil)
                        return
                    }
                    // What is left over is forwarded when the decoder is taken out, for an upgrade, and then only.
                    let decoder = ByteToMessageHandler(
                        HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: chosen))
                    if let tls { try channel.pipeline.syncOperations.addHandlers(tls.handlers()) }
                    let connection = HTTPConnection(registry, decoder, limits: limits)
                    try channel.pipeline.syncOperations.addHandlers([decoder, connection])
                }
            }
    }

    /// Ends at once: no more connections, and those there are break off. The file of a unix socket goes.
    package func close() {
        channel.whenSuccess { $0.close(promise: nil) }
        for registry in registries {
            if registry.loop.isCurrent {
                registry.value.closeAll()
            } else {
                registry.loop.execute { registry.value.closeAll() }
            }
        }
        if case .unix(let path) = address { try? Files.remove(path) }
    }

    /// Takes no more connections, lets answers that are under way be completed for a while, then ends.
    package func close(after grace: Duration) async {
        if case .unix(let path) = address { try? Files.remove(path) }
        try? await channel.flatMap { $0.close() }.get()
        for registry in registries { await registry.loop.run { registry.value.closeIdle() } }
        let end = ContinuousClock.now + grace
        while ContinuousClock.now < end {
            var open = 0
            for registry in registries { open += await registry.loop.run { registry.value.count } }
            if open == 0 { break }
            try? await Task.sleep(for: .milliseconds(10))
        }
        for registry in registries { await registry.loop.run { registry.value.closeAll() } }
    }

    /// Connections that are open now.
    package var connectionCount: Int {
        get async {
            var count = 0
            for registry in registries { count += await registry.loop.run { registry.value.count } }
            return count
        }
    }
}

extension HTTPListenPlace {
    fileprivate var name: HTTPAddress? {
        switch self {
        case .tcp(let host, let port): .tcp(host, port)
        case .unix(let path): .unix(path)
        case .descriptor: nil
        }
    }
}

extension HTTPAddress {
    fileprivate func withPort(of socket: CInt) -> HTTPAddress {
        guard case .tcp(let host, _) = self, let local = try? InternetSocket.local(socket) else { return self }
        return .tcp(host, local.port)
    }
}
