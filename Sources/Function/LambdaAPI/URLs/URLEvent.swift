internal import HTTPServing
internal import JSON
internal import Lambda
internal import Linux

/// The event that a request to a function URL becomes: payload format 2.0, "Invoking Lambda function URLs" in AWS's manual.
struct URLEvent {
    var request: HTTPRequest
    /// Below the function's root, as it came: "/orders/7?full=1".
    var target: Substring
    var body: [UInt8]
    var url: FunctionURL
    /// The host's name, without a port.
    var host: String
    var port: String?
    var sourceAddress: String
    var requestID: String
    var trace: String
    var arrivedAt: Timestamp
    /// The access key that signed it, and the account that the key belongs to; nil: anonymous.
    var caller: (keyID: String, account: String)?

    var json: JSONValue {
        let path = target.prefix { $0 != "?" }
        let rawQuery = target.dropFirst(path.count).dropFirst()
        var event: JSONObject = [
            "version": "2.0", "routeKey": "$default", "rawPath": .string(path.isEmpty ? "/" : String(path)),
            "rawQueryString": .string(String(rawQuery)),
        ]
        let cookies = cookies
        if !cookies.isEmpty { event["cookies"] = .array(cookies.map { .string($0) }) }
        event["headers"] = .object(headers)
        if let query = query(rawQuery) { event["queryStringParameters"] = .object(query) }
        event["requestContext"] = .object(context(path.isEmpty ? "/" : String(path)))
        if !body.isEmpty {
            let text = isText ? String(validating: body, as: UTF8.self) : nil
            event["body"] = .string(text ?? Base64.text(body))
            event["isBase64Encoded"] = .bool(text == nil)
        } else {
            event["isBase64Encoded"] = false
        }
        return .object(event)
    }

    /// Names in lower case, repeated fields joined by commas. Cookies have a member of their own.
    private var headers: JSONObject {
        var headers = JSONObject()
        for field in request.headers.fields {
            let name = field.name.lowercased()
            guard name != "cookie" else { continue }
            if let before = headers[name]?.string {
                headers[name] = .string(before + "," + field.value)
            } else {
                headers[name] = .string(field.value)
            }
        }
        let forwarded = headers["x-forwarded-for"]?.string
        headers["x-forwarded-for"] = .string(forwarded.map { "\($0), \(sourceAddress)" } ?? sourceAddress)
        headers["x-forwarded-proto"] = "http"
        if let port { headers["x-forwarded-port"] = .string(port) }
        headers["x-amzn-trace-id"] = .string(trace)
        return headers
    }

    private var cookies: [String] {
        request.headers.fields.filter { HeaderFields.areEqual($0.name, "cookie") }
            .flatMap { $0.value.split(separator: ";") }
            .map { String($0.drop { $0 == " " }) }
            .filter { !$0.isEmpty }
    }

    /// nil without one. What has a broken escape is there as it came in `rawQueryString` only.
    private func query(_ raw: Substring) -> JSONObject? {
        guard let items = QueryItems(raw)?.items, !items.isEmpty else { return nil }
        var query = JSONObject()
        for item in items {
            query[item.name] = .string(query[item.name]?.string.map { "\($0),\(item.value)" } ?? item.value)
        }
        return query
    }

    private func context(_ path: String) -> JSONObject {
        var context: JSONObject = [
            "accountId": .string(caller?.account ?? "anonymous"), "apiId": .string(url.id), "authentication": .null,
        ]
        if let caller {
            let iam: JSONObject = [
                "accessKey": .string(caller.keyID), "accountId": .string(caller.account),
                "callerId": .string(caller.keyID),
                "cognitoIdentity": .null, "principalOrgId": .null,
                "userArn": .string("arn:aws:iam::\(caller.account):user/\(caller.keyID)"),
                "userId": .string(caller.keyID),
            ]
            context["authorizer"] = ["iam": .object(iam)]
        }
        context["domainName"] = .string(host)
        context["domainPrefix"] = .string(url.id)
        context["http"] = [
            "method": .string(request.method), "path": .string(path), "protocol": "HTTP/1.1",
            "sourceIp": .string(sourceAddress), "userAgent": .string(request.headers["user-agent"] ?? ""),
        ]
        context["requestId"] = .string(requestID)
        context["routeKey"] = "$default"
        context["stage"] = "$default"
        context["time"] = .string(Self.time(arrivedAt.nanoseconds / 1_000_000_000))
        context["timeEpoch"] = .integer(Int64(arrivedAt.nanoseconds / 1_000_000))
        return context
    }

    /// Whether the body's type says that it is text.
    private var isText: Bool {
        guard request.headers["content-encoding"] == nil, let type = request.headers["content-type"] else {
            return false
        }
        let name = type.prefix { $0 != ";" && $0 != " " }.lowercased()
        return name.hasPrefix("text/") || name.hasSuffix("+json") || name.hasSuffix("+xml")
            || ["application/json", "application/xml", "application/javascript"].contains(name)
    }

    /// "12/Mar/2026:19:03:58 +0000"
    static func time(_ seconds: Int) -> String {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let date = SigningTime.civil(seconds / 86_400)
        let rest = seconds % 86_400
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(two(date.day))/\(months[date.month - 1])/\(date.year):\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)) +0000"
    }
}
