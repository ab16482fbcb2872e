import HTTPServing

/// What the gateway says itself, in the form that users of ingress-nginx know.
enum GatewayPages {
    private static let titles = [
        400: "400 Bad Request", 404: "404 Not Found", 413: "413 Request Entity Too Large", 502: "502 Bad Gateway",
        503: "503 Service Temporarily Unavailable", 504: "504 Gateway Time-out", 308: "308 Permanent Redirect",
    ]

    static func page(_ status: Int) -> HTTPResponse {
        let title = titles[status] ?? "\(status)"
        let text = """
            <html>\r
            <head><title>\(title)</title></head>\r
            <body>\r
            <center><h1>\(title)</h1></center>\r
            <hr><center>forkless</center>\r
            </body>\r
            </html>\r

            """
        return HTTPResponse(status, headers: HeaderFields([("Content-Type", "text/html")]), body: Array(text.utf8))
    }

    static func redirect(to place: String) -> HTTPResponse {
        var response = page(308)
        response.headers.add("Location", place)
        return response
    }
}
