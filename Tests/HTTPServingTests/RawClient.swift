import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

@testable import HTTPServing

/// A connection that sends what a test says, HTTP or not, and keeps what comes back.
final class RawClient: Sendable {
    private let channel: any Channel
    private let state: NIOLockedValueBox<State>

    struct State: Sendable {
        var bytes: [UInt8] = []
        /// How often something was read.
        var reads = 0
        var isEnded = false
    }

    private init(_ channel: any Channel, _ state: NIOLockedValueBox<State>) {
        self.channel = channel
        self.state = state
    }

    /// - Parameter first: sent as soon as there is a connection, however late the caller goes on.
    static func connect(
        to address: HTTPAddress, on loop: ServingLoop, reads: Bool = true, sending first: String = ""
    ) async throws -> RawClient {
        let state = NIOLockedValueBox(State())
        let bootstrap = ClientBootstrap(group: loop.eventLoop)
            .channelOption(.autoRead, value: reads).channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Keeper(state, first))
                }
            }
        switch address {
        case .tcp(let host, let port):
            return RawClient(
                try await bootstrap.connect(to: SocketAddress(ipAddress: host, port: Int(port))).get(), state)
        case .unix(let path): return RawClient(try await bootstrap.connect(unixDomainSocketPath: path).get(), state)
        }
    }

    /// Sends bytes; does not wait until they are taken.
    func send(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
    func send(_ text: String) { send(Array(text.utf8)) }
    /// Sends no more, but still reads. A server that has closed already does not mind.
    func endInput() async { try? await channel.close(mode: .output).get() }
    func close() async { try? await channel.close().get() }
    /// Whether what was sent has left.
    var isTaken: Bool { get async throws { try await channel.getOption(.bufferedWritableBytes).get() == 0 } }

    var text: String { String(decoding: state.withLockedValue { $0.bytes }, as: UTF8.self) }
    var reads: Int { state.withLockedValue { $0.reads } }
    var isEnded: Bool { state.withLockedValue { $0.isEnded } }

    private final class Keeper: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let state: NIOLockedValueBox<State>
        let first: String

        init(_ state: NIOLockedValueBox<State>, _ first: String) {
            self.state = state
            self.first = first
        }

        func channelActive(context: ChannelHandlerContext) {
            if !first.isEmpty { context.channel.writeAndFlush(ByteBuffer(string: first), promise: nil) }
            context.fireChannelActive()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Array(buffer: unwrapInboundIn(data))
            state.withLockedValue {
                $0.bytes += bytes
                $0.reads += 1
            }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let event = event as? ChannelEvent, event == .inputClosed { state.withLockedValue { $0.isEnded = true } }
        }

        func channelInactive(context: ChannelHandlerContext) { state.withLockedValue { $0.isEnded = true } }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
