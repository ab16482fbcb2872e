internal import HTTPServing
internal import Lambda

/// What browsers of other origins are told, https://fetch.spec.whatwg.org/#http-cors-protocol.
struct URLCORS {
    let rules: FunctionURL.CORS

    /// The answer to the question that a browser asks before a request; nil for every other request.
    func preflight(_ request: HTTPRequest) -> HTTPResponse? {
        guard request.method == "OPTIONS", request.headers["origin"] != nil,
            let method = request.headers["access-control-request-method"]
        else { return nil }
        var response = HTTPResponse(200)
        apply(to: &response.headers, request)
        guard response.headers["access-control-allow-origin"] != nil else { return response }
        if rules.allowMethods.contains("*") || rules.allowMethods.contains(method) {
            response.headers.add("Access-Control-Allow-Methods", rules.allowMethods.joined(separator: ","))
        }
        if !rules.allowHeaders.isEmpty {
            response.headers.add("Access-Control-Allow-Headers", rules.allowHeaders.joined(separator: ","))
        }
        if let age = rules.maxAge { response.headers.add("Access-Control-Max-Age", "\(age)") }
        return response
    }

    /// Sets the fields of an answer. What the function says itself about other origins does not count.
    func apply(to headers: inout HeaderFields, _ request: HTTPRequest) {
        headers.fields.removeAll { $0.name.lowercased().hasPrefix("access-control-") }
        guard let origin = request.headers["origin"] else { return }
        let isForAll = rules.allowOrigins.contains("*")
        guard isForAll || rules.allowOrigins.contains(where: { HeaderFields.areEqual($0, origin) }) else { return }
        let hasCredentials = rules.allowsCredentials == true
        headers.add("Access-Control-Allow-Origin", isForAll && !hasCredentials ? "*" : origin)
        if !isForAll || hasCredentials { headers.add("Vary", "Origin") }
        if hasCredentials { headers.add("Access-Control-Allow-Credentials", "true") }
        if !rules.exposeHeaders.isEmpty {
            headers.add("Access-Control-Expose-Headers", rules.exposeHeaders.joined(separator: ","))
        }
    }
}
