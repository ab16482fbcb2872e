internal import Linux
internal import NIOSSL

/// Which certificates prove a registry to be itself, and what we show it of ourselves.
package struct RegistryTrust: Hashable, Sendable {
    /// A file of certificates (PEM) to trust instead of the system's, as SSL_CERT_FILE names one; nil: the system's.
    package var roots: String?
    /// Files of certificates to trust besides.
    package var additional: [String]
    /// Files with a certificate and its key, for registries that ask for one.
    package var identity: Identity?

    package struct Identity: Hashable, Sendable {
        package var certificate: String
        package var key: String
    }

    package init(roots: String? = nil, additional: [String] = [], identity: Identity? = nil) {
        self.roots = roots
        self.additional = additional
        self.identity = identity
    }

    /// Adds what a directory holds for a registry in Docker's form: DIRECTORY/HOST[:PORT]/ with *.crt to trust, and
    /// NAME.cert with NAME.key to show. One that is not there holds nothing.
    ///
    /// - Throws: `RegistryFailure` when something there cannot be used. Blocks, shortly.
    package func adding(directory: String, for registry: String) throws(RegistryFailure) -> RegistryTrust {
        // A host is letters, digits, "." and "-": only dots alone could lead out of the directory.
        guard WebAddress(registry: registry, isSecure: true) != nil, !registry.hasPrefix(".") else { return self }
        let place = "\(directory)/\(registry)"
        var trust = self
        do throws(SystemError) {
            for name in try Files.list(place).sorted() {
                if name.hasSuffix(".crt") { trust.additional.append("\(place)/\(name)") }
                guard name.hasSuffix(".cert"), trust.identity == nil else { continue }
                let key = "\(place)/\(name.dropLast(5)).key"
                guard Files.exists(key) else {
                    throw SystemError("use the certificate", "\(place)/\(name)", code: .noEntry, advice: "Its key, \(key), is missing.")
                }
                trust.identity = Identity(certificate: "\(place)/\(name)", key: key)
            }
        } catch {
            if error.code == .noEntry, error.subject == place { return self }
            throw RegistryFailure(.badRequest, "\(error)")
        }
        try trust.check()
        return trust
    }

    /// Reads every file before a client is made of it, so that one that cannot be used is told by its name and not by the TLS library.
    package func check() throws(RegistryFailure) {
        for path in ([roots].compactMap { $0 } + additional) {
            do { _ = try NIOSSLCertificate.fromPEMFile(path) } catch {
                throw RegistryFailure(.badRequest, "read the certificates in \(path): \(error)")
            }
        }
        guard let identity else { return }
        do {
            _ = try NIOSSLCertificate.fromPEMFile(identity.certificate)
            _ = try NIOSSLPrivateKey(file: identity.key, format: .pem)
        } catch {
            throw RegistryFailure(.badRequest, "read \(identity.certificate) and its key \(identity.key): \(error)")
        }
    }

    var configuration: TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let roots { configuration.trustRoots = .file(roots) }
        configuration.additionalTrustRoots = additional.map { .file($0) }
        if let identity, let chain = try? NIOSSLCertificate.fromPEMFile(identity.certificate),
            let key = try? NIOSSLPrivateKey(file: identity.key, format: .pem)
        {
            configuration.certificateChain = chain.map { .certificate($0) }
            configuration.privateKey = .privateKey(key)
        }
        return configuration
    }
}
