internal import HTTPServing
internal import KubeObjects

/// Header fields of what a proxy passes on and back.
enum ProxyFields {
    /// What belongs to one connection, RFC 9110 section 7.6.1.
    private static let ofConnection: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    static func wantsUpgrade(_ headers: [String: String]) -> Bool {
        headers["upgrade"] != nil && words(headers["connection"]).contains("upgrade")
    }

    private static func words(_ list: String?) -> [String] {
        (list ?? "").split(separator: ",").map { $0.split(separator: " ").joined().lowercased() }
    }

    /// What of a client's fields the target sees, and who asked for what.
    static func passed(_ request: APIRequest, _ target: ProxyTarget, path: String) -> HeaderFields {
        let named = Set(words(request.headers["connection"]))
        var fields = HeaderFields()
        for (name, value) in request.headers.sorted(by: { $0.key < $1.key }) {
            guard !ofConnection.contains(name), !named.contains(name), name != "content-length",
                name != "authorization",
                !name.hasPrefix("impersonate-"), HeaderFields.isName(name), HeaderFields.isValue(value)
            else { continue }
            fields.add(name, value)
        }
        if let peer = request.peerAddress {
            let before = request.headers["x-forwarded-for"].map { $0 + ", " } ?? ""
            fields["X-Forwarded-For"] = before + peer
        }
        fields["X-Forwarded-Uri"] = target.prefix + path
        fields["X-Forwarded-Host"] = request.headers["host"] ?? ""
        fields["X-Forwarded-Proto"] = "https"
        return fields
    }

    /// What of a target's fields the client sees; places on the target are below the proxy's.
    static func returned(
        _ headers: HeaderFields, _ target: ProxyTarget, clientHost: String?
    ) -> [(name: String, value: String)] {
        let named = Set(words(headers["connection"]))
        return headers.fields.compactMap { field in
            let name = field.name.lowercased()
            guard !ofConnection.contains(name), !named.contains(name), name != "content-length" else { return nil }
            guard name == "location" else { return (field.name, field.value) }
            return (field.name, place(field.value, target, clientHost))
        }
    }

    private static func place(_ location: String, _ target: ProxyTarget, _ clientHost: String?) -> String {
        if location.hasPrefix("/"), !location.hasPrefix("//") {
            return location.hasPrefix(target.prefix + "/") ? location : target.prefix + location
        }
        for host in [target.authority, target.host, clientHost ?? ""] where !host.isEmpty {
            for scheme in ["http://", "https://"] where location.hasPrefix(scheme + host) {
                let rest = location.dropFirst(scheme.count + host.count)
                guard rest.isEmpty || rest.hasPrefix("/") || rest.hasPrefix("?") else { continue }
                return target.prefix + (rest.hasPrefix("/") ? rest : "/" + rest)
            }
        }
        return location
    }
}
