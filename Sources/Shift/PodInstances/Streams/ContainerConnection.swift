package import Linux
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import NIOWebSocket

/// The standard streams of a container on a cluster as pipes: what is written to `input` goes there, what comes from there is
/// read from `output` and `errors`. The connection ends when the container has ended, or when all pipes are closed.
package struct ContainerConnection: Sendable {
    package let input: SharedFD
    package let output: SharedFD
    package let errors: SharedFD

    private typealias Socket = NIOAsyncChannel<WebSocketFrame, WebSocketFrame>

    /// Of one message; the door of a cluster sends at most 32 KiB at once.
    private static let frameLimit = 1 << 20
    /// Until the streams are open: a cluster that says nothing is not waited for.
    private static let patience = TimeAmount.seconds(10)

    /// Joins the streams of a container that runs.
    /// - Parameter path: of the pod's subresource attach, with its query.
    package static func attach(_ client: ClusterClient, _ path: String) async throws(ClusterFailure)
        -> ContainerConnection
    {
        let socket = try await connect(client, path)
        do {
            let (input, output, errors) = (try Files.pipe().ends(), try Files.pipe().ends(), try Files.pipe().ends())
            // Only these ends: a task that held the others would keep the pipes from ending.
            let (source, sink, errorSink) = (input.reader, output.writer, errors.writer)
            Task { await relay(socket, input: source, output: sink, errors: errorSink) }
            return ContainerConnection(input: input.writer, output: output.reader, errors: errors.reader)
        } catch {
            try? await socket.channel.close()
            throw ClusterFailure("attach to \(path): \(error)")
        }
    }

    // The connection.

    private static func connect(_ client: ClusterClient, _ path: String) async throws(ClusterFailure) -> Socket {
        let (host, port) = try address(client.kubeconfig.server)
        let name = client.kubeconfig.serverName ?? (IPAddress(host) == nil ? host : nil)
        let tls = client.tls
        var headers = HTTPHeaders([("Host", "\(host):\(port)"), ("Sec-WebSocket-Protocol", ChannelFrame.subprotocol)])
        for (name, value) in client.authorization { headers.add(name: name, value: value) }
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)
        do {
            let upgrade: EventLoopFuture<Socket?> = try await ClientBootstrap(
                group: MultiThreadedEventLoopGroup.singleton
            )
            .connectTimeout(.seconds(10))
            .connect(host: host, port: port) { channel in
                let late = channel.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        try NIOSSLClientHandler(context: tls, serverHostname: name))
                    let upgrader = NIOTypedWebSocketClientUpgrader<Socket?>(maxFrameSize: frameLimit) { channel, _ in
                        late.cancel()
                        return channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(
                                NIOWebSocketFrameAggregator(
                                    minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: 1024,
                                    maxAccumulatedFrameSize: frameLimit))
                            return try Socket(wrappingChannelSynchronously: channel)
                        }
                    }
                    let configuration = NIOTypedHTTPClientUpgradeConfiguration<Socket?>(
                        upgradeRequestHead: head, upgraders: [upgrader]
                    ) { channel in channel.close().map { nil } }
                    return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
                        configuration: .init(upgradeConfiguration: configuration))
                }
            }
            guard let socket = try await upgrade.get() else {
                throw ClusterFailure("the cluster did not open the streams")
            }
            return socket
        } catch { throw ClusterFailure("attach to \(client.kubeconfig.server)\(path): \(error)") }
    }

    static func address(_ server: String) throws(ClusterFailure) -> (host: String, port: Int) {
        var rest = server.dropFirst("https://".count)
        guard !rest.contains("/") else { throw ClusterFailure("\(server): a server below a path is not reached") }
        var port = 443
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("]"),
            let number = UInt16(rest[rest.index(after: colon)...])
        {
            port = Int(number)
            rest = rest[..<colon]
        }
        if rest.hasPrefix("["), rest.hasSuffix("]") { rest = rest.dropFirst().dropLast() }
        guard !rest.isEmpty else { throw ClusterFailure("\(server): it names no host") }
        return (String(rest), port)
    }

    // What goes through it.

    private static func relay(_ socket: Socket, input: SharedFD, output: SharedFD, errors: SharedFD) async {
        try? await socket.executeThenClose { frames, writer in
            await withTaskGroup { group in
                group.addTask { await send(input, writer) }
                await receive(frames, writer, output, errors)
                // Nobody reads the input any more.
                group.cancelAll()
            }
        }
    }

    private static func send(_ input: SharedFD, _ writer: NIOAsyncChannelOutboundWriter<WebSocketFrame>) async {
        do {
            let raw = try Descriptors.duplicate(input.raw).release()
            let channel = try await NIOPipeBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .takingOwnershipOfDescriptor(input: raw) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, Never>(wrappingChannelSynchronously: channel)
                    }
                }
            try await channel.executeThenClose { parts in
                for try await part in parts {
                    try await writer.write(frame(ChannelFrame.input(part.readableBytesView)))
                }
            }
            try await writer.write(frame(ChannelFrame.endOfInput))
        } catch {
            // The container has ended, or the connection: whoever reads the output learns of it.
        }
    }

    private static func receive(
        _ frames: NIOAsyncChannelInboundStream<WebSocketFrame>, _ writer: NIOAsyncChannelOutboundWriter<WebSocketFrame>,
        _ output: SharedFD, _ errors: SharedFD
    ) async {
        do {
            for try await incoming in frames {
                switch incoming.opcode {
                case .ping: try await writer.write(frame(Array(incoming.unmaskedData.readableBytesView), .pong))
                case .connectionClose: return
                case .binary:
                    switch ChannelFrame(Array(incoming.unmaskedData.readableBytesView)) {
                    case .output(let bytes): try await write(bytes, output)
                    case .errors(let bytes): try await write(bytes, errors)
                    case .status: return
                    case .closed, nil: continue
                    }
                default: continue
                }
            }
        } catch {
            // A connection that broke off: the pipes close with it.
        }
    }

    /// A reader that is slow holds the connection up, and no thread but one made for waiting.
    private static func write(_ bytes: [UInt8], _ pipe: SharedFD) async throws {
        guard !bytes.isEmpty else { return }
        try await BlockingPool.shared.run { () throws(SystemError) in try Files.writeAll(bytes, to: pipe.raw) }
    }

    private static func frame(_ bytes: [UInt8], _ opcode: WebSocketOpcode = .binary) -> WebSocketFrame {
        WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: ByteBuffer(bytes: bytes))
    }
}
