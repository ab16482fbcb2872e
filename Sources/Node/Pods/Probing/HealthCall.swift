import NIOCore
import NIOHPACK
import NIOHTTP2

/// What is asked of a server.
struct HealthCall: Sendable {
    let service: String
    /// The address and port that were connected to.
    let authority: String
    let milliseconds: Int

    var headers: HPACKHeaders {
        [
            ":method": "POST", ":scheme": "http", ":path": "/grpc.health.v1.Health/Check", ":authority": authority,
            "content-type": "application/grpc", "user-agent": "kube-probe/1.36", "te": "trailers",
            "grpc-timeout": timeout,
        ]
    }

    /// At most eight digits and a unit.
    private var timeout: String { milliseconds < 100_000_000 ? "\(milliseconds)m" : "\(milliseconds / 1000)S" }
}

/// Waits for a server's settings, and makes the call then. nil: it never was a server of HTTP/2.
final class ConnectionReader: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private let call: HealthCall
    private let streams: NIOHTTP2Handler.StreamMultiplexer
    private let promise: EventLoopPromise<Result<HealthMessages.Serving, GRPCStatus>?>
    private let connected: @Sendable () -> Void
    private var isConnected = false

    init(
        _ call: HealthCall, _ streams: NIOHTTP2Handler.StreamMultiplexer,
        _ promise: EventLoopPromise<Result<HealthMessages.Serving, GRPCStatus>?>,
        _ connected: @escaping @Sendable () -> Void
    ) {
        self.call = call
        self.streams = streams
        self.promise = promise
        self.connected = connected
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .settings(.settings) = unwrapInboundIn(data).payload, !isConnected else { return }
        isConnected = true
        connected()
        let (call, promise) = (call, promise)
        streams.createStreamChannel(promise: nil as EventLoopPromise<any Channel>?) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(AnswerReader(call, promise))
            }
        }
    }

    func channelInactive(context: ChannelHandlerContext) { end("the connection was closed") }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end("\(error)")
        context.close(promise: nil)
    }

    /// The second word of a promise is nobody's.
    private func end(_ reason: String) {
        promise.succeed(isConnected ? .failure(GRPCStatus(.unavailable, "error reading from server: \(reason)")) : nil)
    }
}

/// Makes the call on its stream, and reads the message and how it ended.
private final class AnswerReader: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let call: HealthCall
    private let promise: EventLoopPromise<Result<HealthMessages.Serving, GRPCStatus>?>
    private var message: [UInt8] = []

    init(_ call: HealthCall, _ promise: EventLoopPromise<Result<HealthMessages.Serving, GRPCStatus>?>) {
        self.call = call
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.headers(.init(headers: call.headers))), promise: nil)
        let body = context.channel.allocator.buffer(bytes: HealthMessages.request(service: call.service))
        context.writeAndFlush(wrapOutboundOut(.data(.init(data: .byteBuffer(body), endStream: true))), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let part): read(part.headers, isLast: part.endStream)
        case .data(let part):
            guard case .byteBuffer(let bytes) = part.data else { return }
            message += bytes.readableBytesView
            if message.count > HealthMessages.answerLimit {
                fail(GRPCStatus(.resourceExhausted, "grpc: received message larger than \(HealthMessages.answerLimit)"))
                return context.close(promise: nil)
            }
            if part.endStream { fail(GRPCStatus(.internal, "server closed the stream without sending trailers")) }
        default: break
        }
    }

    /// The head of an answer, or its trailers; both in one where the server has no message.
    private func read(_ headers: HPACKHeaders, isLast: Bool) {
        if let number = headers.first(name: "grpc-status") {
            let status = GRPCStatus(number: number, message: headers.first(name: "grpc-message") ?? "")
            guard status.code == .ok else { return fail(status) }
            do throws(GRPCStatus) { promise.succeed(.success(try HealthMessages.status(framed: message))) } catch {
                fail(error)
            }
        } else if let status = headers.first(name: ":status"), status != "200" {
            fail(GRPCStatus(httpStatus: Int(status) ?? 0))
        } else if isLast {
            fail(GRPCStatus(.internal, "server closed the stream without sending trailers"))
        }
    }

    func channelInactive(context: ChannelHandlerContext) { fail(GRPCStatus(.unavailable, "the stream was closed")) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let closed = error as? NIOHTTP2Errors.StreamClosed {
            fail(
                GRPCStatus(
                    .internal, "stream terminated by RST_STREAM with error code: \(closed.errorCode.networkCode)"))
        } else {
            fail(GRPCStatus(.unavailable, "\(error)"))
        }
        context.close(promise: nil)
    }

    /// The first word is what counts.
    private func fail(_ status: GRPCStatus) { promise.succeed(.failure(status)) }
}
