import JSON
import Linux
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Networking

/// A GET request to a container: success is a status from 200 to 399 (core/v1.HTTPGetAction).
///
/// Whoever has the address answers: nobody's certificate is asked for, and no redirect is followed.
struct HTTPCheck: Sendable {
    let json: JSONValue
    let container: JSONValue?
    /// The pod's.
    let address: String
    let machine: MachineNetwork

    func run() async -> PodWorker.CheckResult {
        guard let port = CheckPort.number(json["port"], in: container) else {
            return failure("couldn't find the port of the request")
        }
        let host = json["host"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? address
        let name = host.contains(":") ? "[\(host)]" : host
        let scheme = json["scheme"]?.string ?? "HTTP"
        let path = json["path"]?.string ?? "/"
        let target = path.hasPrefix("/") ? path : "/" + path
        let url = "\(scheme.lowercased())://\(name):\(port)\(target)"
        guard !target.utf8.contains(where: { $0 <= 32 || $0 == 127 }) else {
            return failure("Get \"\(url)\": the path has spaces or controls")
        }
        do {
            let place = try await Connecting.resolve(host)
            let fd = try await Connecting.connect(InternetEndpoint(place, port), machine)
            let code = try await ask(fd, head(target, "\(name):\(port)"), isSecure: scheme == "HTTPS")
            guard (200..<400).contains(code) else { return failure("HTTP probe failed with statuscode: \(code)") }
            return PodWorker.CheckResult(isSuccess: true, message: "")
        } catch { return failure("Get \"\(url)\": \(error)") }
    }

    private func head(_ target: String, _ host: String) -> HTTPRequestHead {
        var headers = HTTPHeaders()
        for header in json["httpHeaders"]?.array ?? [] {
            let (name, value) = (header["name"]?.string ?? "", header["value"]?.string ?? "")
            // What would be another header, or none.
            guard !name.isEmpty, !(name + value).utf8.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) else {
                continue
            }
            headers.add(name: name, value: value)
        }
        if !headers.contains(name: "Host") { headers.add(name: "Host", value: host) }
        if !headers.contains(name: "User-Agent") { headers.add(name: "User-Agent", value: "kube-probe/1.36") }
        if !headers.contains(name: "Accept") { headers.add(name: "Accept", value: "*/*") }
        headers.replaceOrAdd(name: "Connection", value: "close")
        return HTTPRequestHead(version: .http1_1, method: .GET, uri: target, headers: headers)
    }

    /// The status of the answer; its body is nobody's.
    private func ask(_ fd: SharedFD, _ head: HTTPRequestHead, isSecure: Bool) async throws -> Int {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let promise = loop.makePromise(of: Int.self)
        let channel: any Channel
        do {
            let own = try fd.duplicate()
            channel = try await ClientBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if isSecure { try channel.pipeline.syncOperations.addHandler(Self.secure()) }
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        try channel.pipeline.syncOperations.addHandler(StatusReader(promise, head))
                    }
                }.withConnectedSocket(own.release()).get()
        } catch {
            promise.fail(error)
            throw error
        }
        return try await withTaskCancellationHandler {
            defer { channel.close(promise: nil) }
            return try await promise.futureResult.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    private static func secure() throws -> NIOSSLClientHandler {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        return try NIOSSLClientHandler(context: try NIOSSLContext(configuration: configuration), serverHostname: nil)
    }

    private func failure(_ message: String) -> PodWorker.CheckResult { .init(isSuccess: false, message: message) }
}

/// Sends one request and reads the status of its answer.
private final class StatusReader: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private var promise: EventLoopPromise<Int>?
    private let head: HTTPRequestHead

    init(_ promise: EventLoopPromise<Int>, _ head: HTTPRequestHead) {
        self.promise = promise
        self.head = head
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let answer) = unwrapInboundIn(data) else { return }
        promise?.succeed(Int(answer.status.code))
        promise = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise?.fail(ChannelError.eof)
        promise = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise?.fail(error)
        promise = nil
        context.close(promise: nil)
    }
}
