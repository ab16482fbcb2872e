/// Where requests go, by host and path, over all ingresses. Pure.
///
/// Invariants
/// 1. A host by its whole name comes before one with a wildcard, and that before rules for any host; the host decides
///    first, and its paths alone are looked at. (test: `a host by name comes before a wildcard and that before any host`)
/// 2. Among the paths of a host an exact one comes first, then the longest. (test: `the longest path wins, an exact one first`)
/// 3. Of two ingresses that say the same, the older one counts. (test: `the older of two ingresses has a path`)
struct IngressTable: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        var path: [Substring]
        /// As it is written.
        var text: String
        var isExact: Bool
        var backend: IngressBackend
        var ingress: ServiceName
    }

    private struct Host: Hashable, Sendable {
        var entries: [Entry] = []
        /// Where everything else of this host goes.
        var fallback: (IngressBackend, ServiceName)? {
            get { fallbackBackend.map { ($0, fallbackIngress!) } }
            set { (fallbackBackend, fallbackIngress) = (newValue?.0, newValue?.1) }
        }
        var fallbackBackend: IngressBackend?
        var fallbackIngress: ServiceName?
        var redirects = false
    }

    /// Names, wildcards as "*.example.com", and "" for any.
    private var hosts: [String: Host] = [:]
    /// Who has a certificate for which host, wildcards like above.
    private(set) var certificates: [String: ServiceName] = [:]

    struct Route: Hashable, Sendable {
        var backend: IngressBackend
        var ingress: ServiceName
    }

    init() {}

    init(_ ingresses: some Collection<IngressDescription>) {
        for ingress in ingresses.sorted(by: { ($0.createdAt, $0.name) < ($1.createdAt, $1.name) }) { add(ingress) }
        for name in hosts.keys {
            hosts[name]!.entries.sort { ($0.isExact ? 0 : 1, -$0.path.count) < ($1.isExact ? 0 : 1, -$1.path.count) }
        }
    }

    /// All services that requests may be led to.
    var backends: Set<IngressBackend> {
        Set(hosts.values.flatMap { $0.entries.map(\.backend) + [$0.fallbackBackend].compactMap(\.self) })
    }

    private mutating func add(_ ingress: IngressDescription) {
        for rule in ingress.rules {
            let name = rule.host ?? ""
            for path in rule.paths {
                let entry = Entry(
                    path: Self.elements(path.path), text: path.path, isExact: path.isExact, backend: path.backend,
                    ingress: ingress.name)
                let isTaken = hosts[name, default: Host()].entries.contains {
                    $0.isExact == entry.isExact && (entry.isExact ? $0.text == entry.text : $0.path == entry.path)
                }
                if !isTaken { hosts[name, default: Host()].entries.append(entry) }
            }
            // A rule without paths leads everything of its host to the default backend, as ingress-nginx does.
            if let backend = ingress.defaultBackend, hosts[name]?.fallback == nil {
                hosts[name, default: Host()].fallback = (backend, ingress.name)
            }
        }
        if let backend = ingress.defaultBackend, hosts[""]?.fallback == nil {
            hosts["", default: Host()].fallback = (backend, ingress.name)
        }
        for tls in ingress.tls {
            for host in tls.hosts {
                if certificates[host] == nil { certificates[host] = tls.secret }
                if ingress.redirectsToTLS, hosts[host] != nil { hosts[host]!.redirects = true }
            }
        }
    }

    /// - Parameters:
    ///   - host: in small letters, without a port.
    ///   - path: decoded, without dot segments.
    func route(host: String, path: String) -> Route? {
        guard let found = self.host(host) else { return nil }
        let elements = Self.elements(path)
        let entry = found.entries.first { entry in
            entry.isExact ? entry.text == path : elements.starts(with: entry.path)
        }
        if let entry { return Route(backend: entry.backend, ingress: entry.ingress) }
        return (found.fallback ?? hosts[""]?.fallback).map { Route(backend: $0.0, ingress: $0.1) }
    }

    /// Whether a request to a host is to be made anew with TLS.
    func redirects(host: String) -> Bool { self.host(host)?.redirects ?? false }

    /// Whose certificate a host has.
    func secret(host: String) -> ServiceName? { certificates[host] ?? Self.wildcard(host).flatMap { certificates[$0] } }

    private func host(_ name: String) -> Host? {
        hosts[name] ?? Self.wildcard(name).flatMap { hosts[$0] } ?? hosts[""]
    }

    /// "*.example.com" for "www.example.com": a wildcard stands for one label.
    private static func wildcard(_ host: String) -> String? {
        guard let dot = host.firstIndex(of: "."), dot != host.startIndex else { return nil }
        return "*" + host[dot...]
    }

    /// A slash at the end says nothing.
    private static func elements(_ path: String) -> [Substring] { path.split(separator: "/") }
}

/// The path of a request as rules see it: percent-encoding decoded, dot segments resolved (RFC 3986 section 5.2.4), so that
/// no spelling leads around a rule. What is passed on is what came.
enum RequestPath {
    static func normal(_ raw: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(raw.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let decoded = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                rest.removeFirst(2)
                bytes.append(decoded)
            } else {
                bytes.append(byte)
            }
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.contains("/.") || text.contains("//") else { return text.isEmpty ? "/" : text }
        var result: [Substring] = []
        let parts = text.split(separator: "/")
        for part in parts {
            switch part {
            case ".": break
            case "..": _ = result.popLast()
            default: result.append(part)
            }
        }
        let isOpen = text.hasSuffix("/") || parts.last == "." || parts.last == ".."
        return "/" + result.joined(separator: "/") + (isOpen && !result.isEmpty ? "/" : "")
    }
}
