import HTTPServing
import JSON
import Lambda
import Linux
import TestKit
import Testing

@testable import LambdaAPI

@Suite struct URLMessageTests {
    private func event(
        _ method: String = "GET", _ target: String = "/", _ headers: [(String, String)] = [], body: [UInt8] = []
    ) -> JSONValue {
        URLEvent(
            request: HTTPRequest(method: method, target: target, headers: HeaderFields(headers)), target: target[...],
            body: body,
            url: FunctionURL(id: "abc123", function: "f", authentication: .none), host: "abc123.lambda-url.localhost",
            port: "7070", sourceAddress: "127.0.0.1", requestID: "id",
            trace: "Root=1-5759e988-bd862e3fe1be46a994272793",
            arrivedAt: Timestamp(nanoseconds: 1_773_342_238_123_000_000)
        ).json
    }

    /// Field by field as in "Invoking Lambda function URLs" of AWS's manual.
    @Test func `a request becomes an event of format 2.0`() throws {
        let made = event(
            "POST", "/my/path?parameter1=value1&parameter1=value2&parameter2=value",
            [
                ("Header1", "value1"), ("header2", "value1"), ("Header2", "value2"), ("Cookie", "cookie1=1; cookie2=2"),
                ("User-Agent", "agent"), ("Content-Type", "text/plain; charset=utf-8"),
                ("Host", "abc123.lambda-url.localhost:7070"),
            ], body: Array("Hello from client!".utf8))
        let golden = try JSONParser.parse(
            """
            {"version": "2.0", "routeKey": "$default", "rawPath": "/my/path",
             "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
             "cookies": ["cookie1=1", "cookie2=2"],
             "headers": {"header1": "value1", "header2": "value1,value2", "user-agent": "agent",
                         "content-type": "text/plain; charset=utf-8", "host": "abc123.lambda-url.localhost:7070",
                         "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http", "x-forwarded-port": "7070",
                         "x-amzn-trace-id": "Root=1-5759e988-bd862e3fe1be46a994272793"},
             "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "value"},
             "requestContext": {"accountId": "anonymous", "apiId": "abc123", "authentication": null,
                 "domainName": "abc123.lambda-url.localhost", "domainPrefix": "abc123",
                 "http": {"method": "POST", "path": "/my/path", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "agent"},
                 "requestId": "id", "routeKey": "$default", "stage": "$default",
                 "time": "12/Mar/2026:19:03:58 +0000", "timeEpoch": 1773342238123},
             "body": "Hello from client!", "isBase64Encoded": false}
            """)
        #expect(made == golden)
    }

    @Test func `a body is text where its type says so and its bytes are, base64 otherwise`() {
        func encoded(_ type: String?, _ body: [UInt8], _ more: [(String, String)] = []) -> Bool? {
            let made = event("POST", "/", (type.map { [("Content-Type", $0)] } ?? []) + more, body: body)
            if made["isBase64Encoded"]?.bool == true {
                #expect(made["body"]?.string.flatMap { Base64.bytes($0) } == body)
            }
            return made["isBase64Encoded"]?.bool
        }
        #expect(encoded("application/json", Array("{}".utf8)) == false)
        #expect(encoded("application/problem+json", Array("{}".utf8)) == false)
        #expect(encoded("text/xml", Array("<a/>".utf8)) == false)
        #expect(encoded("application/x-www-form-urlencoded", Array("a=b".utf8)) == true)
        #expect(encoded("text/plain", [0xFF, 0xFE]) == true)
        #expect(encoded("text/plain", [1], [("Content-Encoding", "gzip")]) == true)
        #expect(encoded(nil, [1, 2]) == true)
        #expect(event()["body"] == nil && event()["isBase64Encoded"]?.bool == false)
    }

    @Test func `a caller with a key is named, a proxy before this one is kept`() {
        var made = event("GET", "/", [("X-Forwarded-For", "10.1.1.1")])
        #expect(made["headers", "x-forwarded-for"]?.string == "10.1.1.1, 127.0.0.1")
        #expect(made["requestContext", "authorizer"] == nil)
        made = event("GET", "/%zz?a=%zz")
        #expect(
            made["rawPath"]?.string == "/%zz" && made["rawQueryString"]?.string == "a=%zz"
                && made["queryStringParameters"] == nil)
    }

    @Test func `a URL is named by its host or by its path`() {
        func place(_ target: String, _ host: String?) -> URLPlace? {
            URLPlace(
                HTTPRequest(method: "GET", target: target, headers: HeaderFields(host.map { [("Host", $0)] } ?? [])))
        }
        let byHost = place("/a?b=c", "abc123.lambda-url.localhost:7070")
        #expect(
            byHost?.id == "abc123" && byHost?.target == "/a?b=c" && byHost?.port == "7070"
                && byHost?.host == "abc123.lambda-url.localhost")
        let byPath = place("/lambda-url/abc123/a?b=c", "127.0.0.1:7070")
        #expect(byPath?.id == "abc123" && byPath?.target == "/a?b=c")
        #expect(place("/lambda-url/abc123?b", "[::1]")?.target == "/?b")
        #expect(place("/lambda-url/abc123", nil)?.target == "/")
        #expect(place("/a", "localhost") == nil && place("/lambda-url/", "x") == nil && place("/", "x:y:z") == nil)
    }

    @Test func `an answer with a status is a response, everything else is a body`() throws {
        func response(_ text: String) throws -> HTTPResponse {
            try URLAnswer.response(Array(text.utf8), contentType: nil)
        }
        let full = try response(
            #"{"statusCode": 201, "headers": {"Content-Type": "text/html", "X-Number": 7}, "cookies": ["a=1", "b=2"], "body": "<b>"}"#
        )
        #expect(full.status == 201 && full.body == Array("<b>".utf8))
        #expect(
            full.headers.fields.map { "\($0.name): \($0.value)" } == [
                "Content-Type: text/html", "X-Number: 7", "Set-Cookie: a=1", "Set-Cookie: b=2",
            ])
        let bytes = try response(#"{"statusCode": "200", "body": "AQID", "isBase64Encoded": true}"#)
        #expect(bytes.body == [1, 2, 3] && bytes.headers["content-type"] == "application/json")
        #expect(try response(#"{"message": "hi"}"#).body == Array(#"{"message": "hi"}"#.utf8))
        #expect(try response("\"text\"").headers["content-type"] == "application/json")
        #expect(try response("no json").body == Array("no json".utf8))
    }

    @Test(arguments: [
        #"{"statusCode": 99}"#, #"{"statusCode": 1000}"#, #"{"statusCode": null}"#,
        #"{"statusCode": 200, "headers": []}"#,
        #"{"statusCode": 200, "headers": {"a b": "c"}}"#, #"{"statusCode": 200, "headers": {"a": "b\r\nc: d"}}"#,
        #"{"statusCode": 200, "headers": {"a": {}}}"#, #"{"statusCode": 200, "cookies": "a=b"}"#,
        #"{"statusCode": 200, "cookies": [1, []]}"#,
        #"{"statusCode": 200, "body": {}}"#, #"{"statusCode": 200, "body": "?", "isBase64Encoded": true}"#,
    ])
    func `an answer that is no response says why`(text: String) {
        #expect(throws: URLAnswer.Failure.self) { try URLAnswer.response(Array(text.utf8), contentType: nil) }
    }

    @Test func `a prelude is found wherever its parts are cut`() throws {
        let stream =
            Array(#"{"statusCode":206,"headers":{"a":"b"}}"#.utf8) + [UInt8](repeating: 0, count: 8)
            + Array("body".utf8)
        for cut in 0...stream.count {
            var prelude = URLPrelude()
            var rest: [UInt8] = []
            var head: HTTPResponse?
            for part in [stream[..<cut], stream[cut...]] {
                if head == nil {
                    if let found = try prelude.take(Array(part)) { (head, rest) = (found.head, found.rest) }
                } else {
                    rest += part
                }
            }
            #expect(head?.status == 206 && rest == Array("body".utf8), "cut at \(cut)")
        }
        var endless = URLPrelude()
        #expect(throws: URLAnswer.Failure.self) { try endless.take([UInt8](repeating: 1, count: URLPrelude.limit + 1)) }
        var broken = URLPrelude()
        #expect(throws: URLAnswer.Failure.self) { try broken.take(Array("no".utf8) + [UInt8](repeating: 0, count: 8)) }
    }

    @Test func `a browser of another origin is told what the rules say`() {
        var rules = FunctionURL.CORS()
        rules.allowOrigins = ["https://desk.example"]
        rules.allowMethods = ["GET", "POST"]
        rules.allowHeaders = ["x-key"]
        rules.exposeHeaders = ["x-amzn-requestid"]
        rules.maxAge = 60
        rules.allowsCredentials = true
        let cors = URLCORS(rules: rules)
        func question(_ origin: String, _ method: String) -> HTTPResponse? {
            cors.preflight(
                HTTPRequest(
                    method: "OPTIONS", target: "/",
                    headers: HeaderFields([("Origin", origin), ("Access-Control-Request-Method", method)])))
        }
        let allowed = question("https://desk.example", "POST")?.headers
        #expect(allowed?["access-control-allow-origin"] == "https://desk.example")
        #expect(allowed?["access-control-allow-methods"] == "GET,POST")
        #expect(allowed?["access-control-allow-headers"] == "x-key")
        #expect(allowed?["access-control-max-age"] == "60")
        #expect(allowed?["access-control-allow-credentials"] == "true")
        #expect(question("https://desk.example", "DELETE")?.headers["access-control-allow-methods"] == nil)
        #expect(question("https://evil.example", "GET")?.headers["access-control-allow-origin"] == nil)
        #expect(cors.preflight(HTTPRequest(method: "OPTIONS", target: "/")) == nil)
        var headers = HeaderFields([("Access-Control-Allow-Origin", "*"), ("A", "b")])
        cors.apply(
            to: &headers,
            HTTPRequest(method: "GET", target: "/", headers: HeaderFields([("Origin", "https://evil.example")])))
        #expect(headers.fields.map(\.name) == ["A"])
    }
}
