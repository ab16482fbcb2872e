internal import HTTPServing

/// Which function URL a request is for: `ID.lambda-url.HOST` in the field Host, or a path that begins with /lambda-url/ID.
struct URLPlace: Hashable {
    var id: String
    /// Path and query below the function's root, as they came.
    var target: Substring
    /// Of the field Host, without and with its port.
    var host: String
    var port: String?

    init?(_ request: HTTPRequest) {
        let authority = request.headers["host"] ?? ""
        let hasPort = authority.last != "]" && authority.contains(":")
        let colon = hasPort ? authority.lastIndex(of: ":")! : authority.endIndex
        host = String(authority[..<colon])
        port = hasPort ? String(authority[authority.index(after: colon)...]) : nil
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        if labels.count >= 2, labels[1].lowercased() == "lambda-url" {
            id = labels[0].lowercased()
            target = request.target[...]
        } else if request.rawPath.hasPrefix(Self.prefix) {
            let rest = request.target.dropFirst(Self.prefix.count)
            id = String(rest.prefix { $0 != "/" && $0 != "?" })
            target = rest.dropFirst(id.count)
            if target.first != "/" { target = Substring("/" + target) }
        } else {
            return nil
        }
        guard !id.isEmpty else { return nil }
    }

    static let prefix = "/lambda-url/"
}
