import HTTPServing
import Linux

/// Whether a request may be looked at at all. Pure: the request in, the refusal out.
///
/// Invariants (tests in RequestCheckTests)
/// 1. A name that somebody else's name server has made ours gets nothing. (`a host that is not this machine is refused`)
/// 2. What another site's page sends changes nothing, whatever cookies go with it. (`what another site sends is refused`)
/// 3. Nobody who is not on this machine sees a page. (`who comes over the network is refused`)
struct RequestCheck: Sendable {
    struct Refusal: Hashable, Sendable {
        var status: Int
        var title: String
        var sentence: String
    }

    static func refusal(of request: HTTPRequest, peer: String?) -> Refusal? {
        if let peer, IPAddress(peer)?.isLoopback != true {
            return Refusal(
                status: 403, title: "Not over a network",
                sentence: "The dashboard is served to this machine alone, since what it shows and does would cross the network unencrypted. "
                    + "Use a tunnel: ssh -L 7070:127.0.0.1:7070 HOST, then open http://127.0.0.1:7070/dashboard.")
        }
        let hosts = request.headers.fields.filter { HeaderFields.areEqual($0.name, "host") }
        guard hosts.count == 1, let host = hosts.first?.value, isThisMachine(host) else {
            return Refusal(
                status: 403, title: "Unknown host",
                sentence: "The dashboard answers to localhost, 127.0.0.1 and [::1] alone, so that no other name can be made to lead here.")
        }
        if !["GET", "HEAD", "POST"].contains(request.method) {
            return Refusal(status: 405, title: "Not like that", sentence: "The dashboard knows GET, HEAD and POST.")
        }
        return isFromElsewhere(request, host)
            ? Refusal(
                status: 403, title: "From another site",
                sentence: "This request was sent by a page of another site, so that nothing was done. Open the dashboard itself.") : nil
    }

    /// "localhost", an address of the loopback interface; with any port, since tunnels have theirs.
    static func isThisMachine(_ host: String) -> Bool {
        var name = host[...]
        if name.hasPrefix("[") {
            guard let end = name.firstIndex(of: "]") else { return false }
            guard isPort(name[name.index(after: end)...]) else { return false }
            return IPAddress(name[name.index(after: name.startIndex)..<end])?.isLoopback ?? false
        }
        if let colon = name.firstIndex(of: ":") {
            guard isPort(name[colon...]) else { return false }
            name = name[..<colon]
        }
        if name.lowercased() == "localhost" { return true }
        guard let address = IPAddress(name) else { return false }
        return address.isLoopback
    }

    private static func isPort(_ text: Substring) -> Bool {
        if text.isEmpty { return true }
        return text.first == ":" && UInt16(text.dropFirst()) != nil
    }

    private static func isFromElsewhere(_ request: HTTPRequest, _ host: String) -> Bool {
        let changes = request.method == "POST"
        let site = request.headers["Sec-Fetch-Site"]?.lowercased()
        if let site, site != "same-origin", site != "none" {
            // Following a link to a page is no harm: its cookie does not go along.
            let isNavigation = request.headers["Sec-Fetch-Mode"]?.lowercased() == "navigate" && request.headers["Sec-Fetch-Dest"]?.lowercased() == "document"
            if changes || !isNavigation { return true }
        }
        guard let origin = request.headers["Origin"] else { return false }
        // "null" is what sandboxed and redirected pages send.
        return origin.lowercased() != "http://\(host.lowercased())" && origin.lowercased() != "https://\(host.lowercased())"
    }
}
