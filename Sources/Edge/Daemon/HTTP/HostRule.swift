import Linux

/// Which hosts a request to the node's own pages may name.
///
/// A page of somebody else's site may point a name of its own at 127.0.0.1 and then read, by that name, what is served
/// here (DNS rebinding). Such a request names that host, so that only names and addresses which nobody else can point
/// here are served: this machine's loopback, and the address that the node listens at.
///
/// Invariants
/// 1. A name that somebody else's name server answers reaches no page.
///    (test: `only names that nobody else can point here reach the pages of the node`)
struct HostRule: Hashable, Sendable {
    /// Where the node listens.
    let listens: IPAddress

    /// - Parameter field: what the request's field Host says; nil without one.
    func allows(_ field: String?) -> Bool {
        guard let field, let host = Self.host(field) else { return false }
        if let address = IPAddress(host) {
            // An address in numbers needs no name server. Behind 0.0.0.0 or :: it is any of the machine's.
            return address.isLoopback || listens.isUnspecified || address == listens
        }
        return host == "localhost"
    }

    /// The host without port, brackets and the dot at its end, in small letters; nil for what is none.
    private static func host(_ field: String) -> String? {
        var rest = field[...]
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            let inner = rest[rest.index(after: rest.startIndex)..<end]
            let port = rest[rest.index(after: end)...]
            guard inner.contains(":"), port.isEmpty || isPort(port) else { return nil }
            return String(inner)
        }
        if let colon = rest.firstIndex(of: ":") {
            guard isPort(rest[colon...]) else { return nil }
            rest = rest[..<colon]
        }
        if rest.last == "." { rest = rest.dropLast() }
        return rest.isEmpty ? nil : rest.lowercased()
    }

    /// ":7070"
    private static func isPort(_ text: Substring) -> Bool {
        text.first == ":" && text.dropFirst().utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
