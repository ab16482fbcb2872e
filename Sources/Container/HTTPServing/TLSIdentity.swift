internal import NIOCore
internal import NIOSSL
internal import NIOTLS
internal import Synchronization

/// Who a listener is by TLS, 1.2 or 1.3: a chain of certificates and the key of the first. It may be renewed while it
/// is served: connections that are made afterwards get the new one. HTTP/1.1 is the one protocol offered (ALPN).
///
/// Clients are asked for a certificate and need have none. Whoever sends one proves to have its key; whether it is
/// trusted is the service's question (`HTTPExchange.peerCertificate`), which can then say why it is not.
package final class TLSIdentity: Sendable {
    private let context: Mutex<NIOSSLContext>

    /// - Parameters:
    ///   - chain: PEM, its own certificate first.
    ///   - privateKey: PEM.
    ///   - clientAuthorities: PEM: whose names are told to clients that choose between several certificates.
    package init(chain: [UInt8], privateKey: [UInt8], clientAuthorities: [UInt8]) throws(HTTPServingFailure) {
        context = Mutex(try Self.context(chain, privateKey, clientAuthorities))
    }

    /// Many names, of which each client says in the clear which it wants (SNI, RFC 6066 section 3).
    ///
    /// - Parameters:
    ///   - fallback: for clients that name none, or one that nobody has a certificate for.
    ///   - named: asked at the begin of each connection, with a name in small letters.
    package init(
        fallback: TLSCertificate, named: @escaping @Sendable (String) -> TLSCertificate?
    ) throws(HTTPServingFailure) {
        context = Mutex(try fallback.context(named))
    }

    /// Takes the place of what was served before.
    package func renew(chain: [UInt8], privateKey: [UInt8], clientAuthorities: [UInt8]) throws(HTTPServingFailure) {
        let renewed = try Self.context(chain, privateKey, clientAuthorities)
        context.withLock { $0 = renewed }
    }

    private static func context(
        _ chain: [UInt8], _ privateKey: [UInt8], _ clientAuthorities: [UInt8]
    ) throws(HTTPServingFailure) -> NIOSSLContext {
        do {
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMBytes(chain).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: privateKey, format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["http/1.1"]
            configuration.certificateVerification = .optionalVerification
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(clientAuthorities))
            configuration.sendCANameList = true
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw HTTPServingFailure(
                .address, "serve TLS: the certificate or its key cannot be used: \(error). Make them anew.")
        }
    }

    /// The handlers of a connection's begin.
    func handlers() -> [any ChannelHandler] {
        let tls = NIOSSLServerHandler(
            context: context.withLock { $0 },
            // The proof of the key is TLS's own and stands, whatever is answered here.
            customVerificationCallback: { _, promise in promise.succeed(.certificateVerified) })
        return [PlainTextRefusal(), tls]
    }
}

extension ChannelHandlerContext {
    /// The certificate of a client by TLS that sent one, DER.
    var peerCertificate: [UInt8]? {
        let tls = try? pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
        return try? tls?.peerCertificate?.toDERBytes()
    }
}

/// Answers a client that speaks HTTP without TLS, in the words of Go's servers, before TLS takes its first bytes for an
/// alert. It looks at the begin of a connection only.
final class PlainTextRefusal: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// As Go's tlsRecordHeaderLooksLikeHTTP has them.
    private static let begins = ["GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "PATCH", "DELET"].map { Array($0.utf8) }
    private static let answer =
        "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"

    private var isRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        let bytes = unwrapInboundIn(data)
        if let begin = bytes.getBytes(at: bytes.readerIndex, length: 5), Self.begins.contains(begin) {
            isRefused = true
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: Self.answer))).assumeIsolated().whenComplete { _ in
                context.close(promise: nil)
            }
            return
        }
        context.fireChannelRead(data)
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
