import HTTPServing

/// What pages load: our own files, from our own address, part of the executable.
package struct Asset: Sendable {
    let name: String
    let type: String
    let bytes: [UInt8]
    /// Changes with the contents, so that a browser may keep it for ever.
    let version: String

    init(_ name: String, type: String, _ text: String) {
        self.name = name
        self.type = type
        bytes = Array(text.utf8)
        version = String(Self.fingerprint(bytes), radix: 36)
    }

    var place: Place { Place([name], query: [("v", version)]) }

    /// FNV-1a: it tells versions of ours apart, nothing else depends on it.
    private static func fingerprint(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    var response: HTTPResponse {
        var headers = HeaderFields([("Content-Type", type), ("Cache-Control", "private, max-age=31536000, immutable")])
        SecurityHeaders.add(to: &headers)
        return HTTPResponse(200, headers: headers, body: bytes)
    }
}

enum Assets {
    static let style = Asset("style.css", type: "text/css; charset=utf-8", styleText)
    static let script = Asset("script.js", type: "text/javascript; charset=utf-8", scriptText)
    static let icon = Asset("icon.svg", type: "image/svg+xml", iconText)

    static func named(_ name: String) -> Asset? { [style, script, icon].first { $0.name == name } }

    private static let iconText = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#14655c"/>\
        <path d="M9 25V7h14M9 16h10" fill="none" stroke="#fff" stroke-width="4"/></svg>
        """
}
