import HTTPServing

/// Whom a request is for, and what of it (RFC 9112 section 3.2). Pure.
///
/// A target in absolute form says both, and the field Host is not looked at then. Whatever could be read in two ways is
/// nothing: routes are made of hosts. (test: `whom a request is for is said in one way`)
struct RequestPlace: Hashable, Sendable {
    /// Host and port, as they came.
    var authority: String
    /// In small letters, without port and the dot at the end.
    var host: String
    /// In origin form: path and query, or "*".
    var target: String

    /// nil: it is no request for a host.
    init?(_ request: HTTPRequest) {
        let fields = request.headers.fields.filter { HeaderFields.areEqual($0.name, "host") }
        guard fields.count == 1, let field = fields.first?.value else { return nil }
        if request.target.hasPrefix("/") || request.target == "*" {
            (authority, target) = (field, request.target)
        } else {
            guard let rest = Self.withoutScheme(request.target) else { return nil }
            let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
            authority = String(rest[..<end])
            target = rest[end...].hasPrefix("/") ? String(rest[end...]) : "/" + rest[end...]
        }
        guard let host = Self.host(authority) else { return nil }
        self.host = host
    }

    private static func withoutScheme(_ target: String) -> Substring? {
        for scheme in ["http://", "https://"] where target.lowercased().hasPrefix(scheme) {
            return target.dropFirst(scheme.count)
        }
        return nil
    }

    /// nil for what is no host with or without a port (RFC 3986 section 3.2.2, of whose names only those that DNS has).
    private static func host(_ authority: String) -> String? {
        var host = authority.lowercased()[...]
        let isLiteral = host.hasPrefix("[")
        let end = isLiteral ? host.firstIndex(of: "]").map { host.index(after: $0) } : host.firstIndex(of: ":") ?? host.endIndex
        guard let end else { return nil }
        let port = host[end...]
        guard port.isEmpty || port.hasPrefix(":") && port.utf8.count <= 6 && port.dropFirst().utf8.allSatisfy({ 48...57 ~= $0 })
        else { return nil }
        host = host[..<end]
        if host.hasSuffix(".") { host = host.dropLast() }
        guard !host.isEmpty else { return nil }
        let letters = isLiteral ? host.dropFirst().dropLast() : host
        let others = (isLiteral ? ":." : "-._").utf8
        let isName = letters.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: others.contains(byte)
            }
        }
        return isName && !letters.isEmpty ? String(host) : nil
    }
}

/// The fields by which gateways tell servers of clients. What a client says there itself is not passed on.
enum ForwardedFields {
    /// Also in the spellings that servers take for the same: CGI knows no "-".
    static func isOne(_ name: String) -> Bool {
        let plain = String(name.lowercased().map { $0 == "_" ? "-" : $0 })
        return plain.hasPrefix("x-forwarded-") || ["forwarded", "x-real-ip", "x-scheme", "x-original-forwarded-for"].contains(plain)
    }
}
