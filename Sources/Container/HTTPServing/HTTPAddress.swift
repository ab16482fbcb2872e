package import Linux

/// Where something listens.
package enum HTTPAddress: Hashable, Sendable, CustomStringConvertible {
    /// An address, or "localhost", and a port. Port 0 is a free one: ask the listener.
    case tcp(String, UInt16)
    /// The path of a unix socket.
    case unix(String)

    /// "127.0.0.1:3001", "unix:/run/forkless/lambda.sock"
    package var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// "127.0.0.1:3001", "[::1]:3001", "localhost:3001"; nil for something else.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard Self.numeric(host) != nil else { return nil }
        self = .tcp(host, port)
    }

    static func numeric(_ host: String) -> IPAddress? { IPAddress(host == "localhost" ? "127.0.0.1" : host) }
}

/// Where a listener is made.
package enum HTTPListenPlace: ~Copyable, Sendable {
    case tcp(String, UInt16)
    /// Mode 600. A file left by a listener that is gone is replaced.
    case unix(String)
    /// A socket that listens already, made for instance in another network namespace.
    case descriptor(OwnedFD)
}
