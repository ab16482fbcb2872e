import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

@testable import Registry

/// What a registry was asked.
struct FakeRequest: Sendable {
    var method: String
    var path: String
    var headers: HTTPHeaders
    var body: [UInt8]

    var authorization: String? { headers.first(name: "authorization") }
}

/// What it answers, honest or not.
struct FakeAnswer: Sendable {
    var status = 200
    var headers: [(String, String)] = []
    var body: [UInt8] = []
    /// Content-Length, where it is not the body's.
    var announced: Int?
    /// What follows the body: the next request, the end of the connection, or nothing for ever.
    var then = Then.goOn

    enum Then: Sendable { case goOn, close, hang }
}

/// A registry on a loopback port whose every answer the test decides.
final class FakeRegistry: Sendable {
    typealias Behaviour = @Sendable (FakeRequest) -> FakeAnswer
    let port: Int
    private let channel: any Channel
    private let state: Book

    fileprivate final class Book: Sendable {
        let requests = Mutex<[FakeRequest]>([])
        let open = Mutex<[ObjectIdentifier: any Channel]>([:])
        let behaviour: Behaviour
        init(_ behaviour: @escaping Behaviour) { self.behaviour = behaviour }
    }

    var host: String { "127.0.0.1:\(port)" }
    var requests: [FakeRequest] { state.requests.withLock { $0 } }

    /// Serves for the length of `body`.
    static func serving<Value>(
        _ behaviour: @escaping Behaviour, isolation: isolated (any Actor)? = #isolation,
        _ body: (FakeRegistry) async throws -> Value
    ) async throws -> Value {
        let registry = try await FakeRegistry(behaviour)
        let result: Result<Value, any Error>
        do { result = .success(try await body(registry)) } catch { result = .failure(error) }
        try await registry.channel.close()
        for channel in registry.state.open.withLock({ Array($0.values) }) { try? await channel.close() }
        return try result.get()
    }

    private init(_ behaviour: @escaping Behaviour) async throws {
        let book = Book(behaviour)
        state = book
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(book))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress!.port!
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let book: Book
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(_ book: Book) { self.book = book }

        func channelActive(context: ChannelHandlerContext) {
            let channel = context.channel
            book.open.withLock { $0[ObjectIdentifier(channel)] = channel }
            context.fireChannelActive()
        }

        func channelInactive(context: ChannelHandlerContext) {
            let id = ObjectIdentifier(context.channel)
            book.open.withLock { $0[id] = nil }
            context.fireChannelInactive()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = []
            case .body(let buffer): body += Array(buffer.readableBytesView)
            case .end:
                let request = FakeRequest(
                    method: head!.method.rawValue, path: head!.uri, headers: head!.headers, body: body)
                book.requests.withLock { $0.append(request) }
                answer(book.behaviour(request), isHead: head!.method == .HEAD, context)
            }
        }

        private func answer(_ answer: FakeAnswer, isHead: Bool, _ context: ChannelHandlerContext) {
            var headers = HTTPHeaders(answer.headers)
            headers.replaceOrAdd(name: "Content-Length", value: "\(answer.announced ?? answer.body.count)")
            let head = HTTPResponseHead(
                version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status), headers: headers)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if !isHead {
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
            }
            switch answer.then {
            case .goOn: context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            case .hang: context.flush()
            case .close:
                context.flush()
                context.close(promise: nil)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
