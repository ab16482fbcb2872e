internal import NIOCore
internal import NIOSSL

/// A chain of certificates and the key of the first, read and found to belong together.
package struct TLSCertificate: Sendable {
    let chain: [NIOSSLCertificateSource]
    let privateKey: NIOSSLPrivateKeySource

    /// - Parameters:
    ///   - chain: PEM, its own certificate first.
    ///   - privateKey: PEM.
    package init(chain: [UInt8], privateKey: [UInt8]) throws(HTTPServingFailure) {
        do {
            self.chain = try NIOSSLCertificate.fromPEMBytes(chain).map { .certificate($0) }
            self.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: privateKey, format: .pem))
        } catch { throw Self.failure(error) }
        _ = try context { _ in nil }
    }

    func context(
        _ named: @escaping @Sendable (String) -> TLSCertificate?
    ) throws(HTTPServingFailure) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: privateKey)
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        configuration.sslContextCallback = { values, promise in
            var change = NIOSSLContextConfigurationOverride()
            if let found = values.serverHostname.flatMap({ named($0.lowercased()) }) {
                change.certificateChain = found.chain
                change.privateKey = found.privateKey
            }
            promise.succeed(change)
        }
        do { return try NIOSSLContext(configuration: configuration) } catch { throw Self.failure(error) }
    }

    private static func failure(_ error: any Error) -> HTTPServingFailure {
        HTTPServingFailure(.address, "serve TLS: the certificate or its key cannot be used: \(error). Make them anew.")
    }
}
