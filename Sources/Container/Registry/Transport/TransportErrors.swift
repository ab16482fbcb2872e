internal import AsyncHTTPClient
internal import Linux
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// What the HTTP client's errors mean here.
enum TransportErrors {
    /// - Parameter step: "connect to HOST", "read from HOST".
    static func failure(_ error: any Error, _ step: String) -> RegistryFailure {
        if let failure = error as? RegistryFailure { return failure }
        if error is CancellationError { return RegistryFailure(.cancelled, "\(step): taken back") }
        if let error = error as? HTTPClientError {
            switch error {
            case .cancelled: return RegistryFailure(.cancelled, "\(step): taken back")
            case .connectTimeout: return RegistryFailure(.unreachable, "\(step): no connection in time")
            case .remoteConnectionClosed:
                return RegistryFailure(
                    .unreachable, "\(step): the connection was closed before the answer was complete")
            case .bodyLengthMismatch:
                return RegistryFailure(.storage, "\(step): what is to be sent has another length than it should")
            default: return RegistryFailure(.unreachable, "\(step): \(error)")
            }
        }
        if let error = error as? HTTPParserError {
            guard error != .invalidEOFState else {
                return RegistryFailure(
                    .unreachable, "\(step): the connection was closed before the answer was complete")
            }
            return RegistryFailure(.untrustworthy, "\(step): the answer is no HTTP: \(error)")
        }
        if let error = error as? NIOConnectionError {
            let reasons = error.connectionErrors.map { words($0.error) } + (error.dnsAError.map { [words($0)] } ?? [])
            return RegistryFailure(.unreachable, "\(step): \(reasons.first ?? "no connection")")
        }
        if error is IOError { return RegistryFailure(.unreachable, "\(step): \(words(error))") }
        if let why = tlsWords(error) {
            return RegistryFailure(
                .untrustworthy, "\(step): no trusted TLS connection: \(why)")
        }
        return RegistryFailure(.unreachable, "\(step): \(error)")
    }

    /// A system's error in its own words, without the bookkeeping around it.
    private static func words(_ error: any Error) -> String {
        guard let error = error as? IOError else { return "\(error)" }
        return "\(Errno(error.errnoCode))"
    }

    /// What went wrong with TLS, and what helps; nil for other errors.
    ///
    /// BoringSSL's errors name the source file that they come from; only the reason is of use.
    private static func tlsWords(_ error: any Error) -> String? {
        guard error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError else { return nil }
        let text = "\(error)"
        let mark = "OPENSSL_internal:"
        let reason = text.firstRange(of: mark).map { text[$0.upperBound...].prefix { $0.isLetter || $0 == "_" } }
        switch reason {
        case "CERTIFICATE_VERIFY_FAILED":
            return "its certificate is not signed by anybody that this node trusts. One to be trusted is put at "
                + "DIR/HOST[:PORT]/ca.crt, DIR as `forkless node --registry-certs` says"
        case "WRONG_VERSION_NUMBER", "HTTP_REQUEST":
            return "it does not speak TLS. A registry without it has to be named: --plain-http HOST"
        case let reason?: return "\(reason)"
        case nil: return text
        }
    }
}
