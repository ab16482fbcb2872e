import TestKit
import Testing

@testable import HTTPServing

@Suite(.serialized) struct HTTPMessageTests {
    private func raw(
        _ request: String, limits: HTTPLimits = HTTPLimits(), endsInput: Bool = true,
        _ script: @escaping @Sendable (any HTTPExchange) -> BodyReading = echo
    ) async throws -> String {
        try await ServedLoop.with(limits: limits, script) { served in
            let client = try await RawClient.connect(to: served.address, on: served.loop)
            client.send(request)
            if endsInput { await client.endInput() }
            try await eventually("the end of the connection") { client.isEnded }
            await client.close()
            return client.text
        }
    }

    @Test func `bodies come in chunks both ways, with trailers`() async throws {
        let text = try await raw(
            "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-End: yes\r\n\r\n"
        ) { exchange in
            var all: [UInt8] = []
            return .parts(
                onPart: { all += $0 },
                onEnd: { trailers, isComplete in
                    #expect(isComplete)
                    exchange.begin(201, headers: HeaderFields([("X-Kind", "parts")]))
                    exchange.send(all)
                    exchange.send([])
                    exchange.send(Array("!".utf8))
                    exchange.finish(trailers: HeaderFields([("X-End", trailers["x-end"] ?? "none")]))
                })
        }
        #expect(text.hasPrefix("HTTP/1.1 201 Created\r\nX-Kind: parts\r\nDate: "))
        #expect(text.hasSuffix("Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n1\r\n!\r\n0\r\nX-End: yes\r\n\r\n"))
    }

    @Test func `HEAD has the head of the answer and no body`() async throws {
        let text = try await raw("HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(text.contains("Content-Length: 8\r\n"))
        #expect(text.hasSuffix("\r\n\r\n"))
    }

    @Test func `204 has neither a body nor its length`() async throws {
        let text = try await raw("GET / HTTP/1.1\r\nHost: a\r\n\r\n") { exchange in
            exchange.respond(HTTPResponse(204, body: Array("ignored".utf8)))
            return .whole(limit: 0) { _ in }
        }
        #expect(text.hasPrefix("HTTP/1.1 204 No Content\r\n"))
        #expect(!text.lowercased().contains("content-length"))
        #expect(text.hasSuffix("\r\n\r\n"))
    }

    @Test func `a client of HTTP 1.0 gets no chunks and the end of the connection`() async throws {
        let text = try await raw("GET / HTTP/1.0\r\n\r\n", endsInput: false) { exchange in
            exchange.begin(200, headers: HeaderFields())
            exchange.send(Array("one".utf8))
            exchange.send(Array("two".utf8))
            exchange.finish(trailers: HeaderFields())
            return .whole(limit: 0) { _ in }
        }
        #expect(text.contains("Connection: close\r\n"))
        #expect(text.hasSuffix("\r\n\r\nonetwo"))
    }

    @Test func `an answer after which the connection closes arrives to its last byte`() async throws {
        let text = try await raw("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", endsInput: false) {
            exchange in
            exchange.respond(HTTPResponse(200, body: [UInt8](repeating: UInt8(ascii: "x"), count: 20 << 20)))
            return .whole(limit: 0) { _ in }
        }
        #expect(text.utf8.count > 20 << 20)
    }

    @Test func `the framing of an answer is not the service's`() async throws {
        let text = try await raw("GET / HTTP/1.1\r\nHost: a\r\n\r\n") { exchange in
            exchange.respond(
                HTTPResponse(
                    200,
                    headers: HeaderFields([
                        ("content-LENGTH", "1"), ("Transfer-Encoding", "chunked"), ("connection", "upgrade"),
                        ("X-Kept", "yes"),
                    ]), body: Array("four".utf8)))
            return .whole(limit: 0) { _ in }
        }
        #expect(text.contains("X-Kept: yes\r\n"))
        #expect(text.contains("Content-Length: 4\r\n"))
        #expect(!text.contains("chunked") && !text.contains("upgrade") && !text.contains("LENGTH"))
    }

    @Test(arguments: ["a\r\nX-Evil: 1", "a\nb", "a\u{0}b"])
    func `a header that would end its line is not sent`(value: String) async throws {
        let text = try await raw("GET / HTTP/1.1\r\nHost: a\r\n\r\n") { exchange in
            exchange.respond(HTTPResponse(200, headers: HeaderFields([("X-Value", value)]), body: Array("body".utf8)))
            return .whole(limit: 0) { _ in }
        }
        #expect(text.hasPrefix("HTTP/1.1 500 "))
        #expect(!text.contains("Evil"))
    }

    @Test func `a body over the limit is 413, whether its length is told or not`() async throws {
        let limit: @Sendable (any HTTPExchange) -> BodyReading = { exchange in
            .whole(limit: 10) { exchange.respond(HTTPResponse(200, body: $0)) }
        }
        let told = try await raw("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n12345678901", limit)
        #expect(told.hasPrefix("HTTP/1.1 413 "))
        let chunked = try await raw(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n6\r\n123456\r\n0\r\n\r\n",
            limit)
        #expect(chunked.hasPrefix("HTTP/1.1 413 "))
        let exact = try await raw("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1234567890", limit)
        #expect(exact.hasPrefix("HTTP/1.1 200 OK"))
    }

    @Test func `a client that looks at the answer only when all is sent finds it, and goes on`() async throws {
        let text = try await raw(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n" + String(repeating: "x", count: 8_000_000)
                + "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
        ) { exchange in
            if exchange.request.method == "GET" { return echo(exchange) }
            return .whole(limit: 100) { _ in }
        }
        #expect(text.hasPrefix("HTTP/1.1 413 "))
        #expect(text.hasSuffix("GET /next "))
    }

    @Test func `a client that asks first is told to continue, or the final answer at once`() async throws {
        let text = try await raw("POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi")
        #expect(text.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"))
        let long = try await raw(
            "POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n")
        #expect(long.hasPrefix("HTTP/1.1 413 "))
        let other = try await raw("POST /e HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\nContent-Length: 0\r\n\r\n")
        #expect(other.hasPrefix("HTTP/1.1 417 "))
    }

    @Test func `an answer that breaks off is seen to be incomplete`() async throws {
        let text = try await raw("GET / HTTP/1.1\r\nHost: a\r\n\r\n", endsInput: false) { exchange in
            exchange.begin(200, headers: HeaderFields())
            exchange.send(Array("half".utf8))
            let bound = LoopBound(exchange, on: exchange.loop)
            exchange.loop.schedule(after: .milliseconds(20)) { bound.value.abort() }
            return .whole(limit: 0) { _ in }
        }
        #expect(text.hasSuffix("4\r\nhalf\r\n"))
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "GET /\u{1} HTTP/1.1\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\u{0}b\r\n\r\n",
        "GET  HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ])
    func `what is no HTTP, or could be read in two ways, never reaches a service`(request: String) async throws {
        let text = try await raw(request) { exchange in
            .whole(limit: 100) { _ in
                Issue.record("\(exchange.request) was taken from \(request)")
                exchange.respond(HTTPResponse(200))
            }
        }
        #expect(text == "" || text.hasPrefix("HTTP/1.1 400 ") || text.hasPrefix("HTTP/1.1 501 "), "\(text)")
    }

    @Test func `heads are bounded in bytes and in fields`() async throws {
        var limits = HTTPLimits()
        limits.headBytes = 1000
        limits.fieldCount = 10
        let long = try await raw("GET / HTTP/1.1\r\nX: \(String(repeating: "x", count: 2000))\r\n\r\n", limits: limits)
        #expect(long.hasPrefix("HTTP/1.1 431 "))
        let many = try await raw(
            "GET / HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 20) + "\r\n", limits: limits)
        #expect(many.hasPrefix("HTTP/1.1 431 "))
        let target = try await raw("GET /\(String(repeating: "x", count: 2000)) HTTP/1.1\r\n\r\n", limits: limits)
        #expect(target.hasPrefix("HTTP/1.1 431 "))
    }

    @Test func `dates are HTTP's`() {
        #expect(HTTPDate.text(0) == "Thu, 01 Jan 1970 00:00:00 GMT")
        #expect(HTTPDate.text(1_795_413_849) == "Mon, 23 Nov 2026 06:04:09 GMT")
        #expect(HTTPDate.text(951_782_400) == "Tue, 29 Feb 2000 00:00:00 GMT")
    }

    @Test func `names and values of fields are told from what is none`() {
        #expect(
            HeaderFields.isName("X-Amz-Date") && !HeaderFields.isName("") && !HeaderFields.isName("a b")
                && !HeaderFields.isName("ä"))
        #expect(HeaderFields.isValue("a\tb ü") && !HeaderFields.isValue("a\u{7F}"))
        var fields = HeaderFields([("A", "1"), ("b", "2"), ("a", "3")])
        #expect(fields["a"] == "1")
        fields["A"] = "4"
        #expect(fields.fields.map(\.value) == ["2", "4"])
    }
}
