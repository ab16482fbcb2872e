import Linux
import NIOConcurrencyHelpers
import TestKit
import Testing

@testable import HTTPServing

/// Waits with its answers until it is told.
private final class Desk: Sendable {
    private let held = NIOLockedValueBox<[LoopBound<any HTTPExchange>]>([])

    @Sendable func hold(_ exchange: any HTTPExchange) -> BodyReading {
        let bound = LoopBound(exchange, on: exchange.loop)
        return .whole(limit: 1 << 20) { _ in self.held.withLockedValue { $0.append(bound) } }
    }

    var targets: [String] { get async { await with { $0.map(\.request.target) } ?? [] } }

    func with<Value: Sendable>(_ body: @escaping @Sendable ([any HTTPExchange]) -> Value) async -> Value? {
        let all = held.withLockedValue { $0 }
        return await all.first?.loop.run { body(all.map(\.value)) }
    }

    func answer(_ index: Int) async {
        _ = await with { $0[index].respond(HTTPResponse(200, body: Array($0[index].request.target.utf8))) }
    }
}

@Suite(.serialized) struct HTTPConnectionTests {
    private func bodies(_ text: String) -> [String] {
        text.split(separator: "HTTP/1.1 ").map {
            String($0.split(separator: "\r\n", omittingEmptySubsequences: false).last!)
        }
    }

    @Test func `answers come in the order of the requests`() async throws {
        let desk = Desk()
        try await ServedLoop.with(desk.hold) { served in
            let client = try await RawClient.connect(to: served.address, on: served.loop)
            client.send(
                "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhiGET /3 HTTP/1.1\r\nHost: a\r\n\r\n"
            )
            try await eventually("the first request") { await desk.targets == ["/1"] }
            await desk.answer(0)
            try await eventually("the second request") { await desk.targets == ["/1", "/2"] }
            await desk.answer(1)
            try await eventually("the third request") { await desk.targets == ["/1", "/2", "/3"] }
            await desk.answer(2)
            try await eventually("three answers") { bodies(client.text) == ["/1", "/2", "/3"] }
            await client.close()
        }
    }

    @Test func `an upgrade whose write finds the client gone is none`() async throws {
        let desk = Desk()
        try await ServedLoop.with(desk.hold) { served in
            guard case .tcp(_, let port) = served.address else { preconditionFailure("it listens at a port") }
            let endpoint = InternetEndpoint(IPAddress(bytes: [127, 0, 0, 1]), UInt16(port))
            let client = try InternetSocket.connect(.stream, to: endpoint).release()
            try await eventually("a connection") { try Descriptors.isWritable(client, withinMilliseconds: 0) }
            let head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\nExpect: 100-continue\r\n\r\n"
            try Files.writeAll(Array(head.utf8), to: client)
            try await eventually("the request") { await desk.targets == ["/"] }
            // What nobody has read makes the end of a connection a reset, of which the next write hears.
            try await eventually("the interim answer") { try Descriptors.isReadable(client, withinMilliseconds: 0) }
            let isUpgraded = await desk.with { exchanges in
                OwnedFD(adopting: client).close()
                return exchanges[0].upgrade(headers: HeaderFields([("Upgrade", "echo")])) != nil
            }
            #expect(isUpgraded == false)
        }
    }

    @Test func `a body that could be read in two ways is refused`() async throws {
        let chunked = "Transfer-Encoding: chunked\r\n"
        try await ServedLoop.with(echo) { served in
            for (name, text, status) in [
                ("both lengths", "POST / HTTP/1.1\r\nContent-Length: 4\r\n\(chunked)\r\n0\r\n\r\n", "400"),
                ("two lengths", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"),
                ("a list", "POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\na", "400"),
                ("a sign", "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\na", "400"),
                ("a length without end", "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\na", "400"),
                ("another coding", "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501"),
                ("two codings", "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"),
                ("a coding twice", "POST / HTTP/1.1\r\n\(chunked)\(chunked)\r\n0\r\n\r\n", "400"),
                ("a space before the colon", "POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "400"),
                ("a coding that is too old", "POST / HTTP/1.0\r\n\(chunked)\r\n0\r\n\r\n", "400"),
                ("a folded field", "GET / HTTP/1.1\r\nX-A: b\r\n c: d\r\n\r\n", "400"),
                ("a NUL", "GET / HTTP/1.1\r\nX-A: b\0c\r\n\r\n", "400"),
                ("a bad chunk", "POST / HTTP/1.1\r\n\(chunked)\r\nzz\r\nabc\r\n0\r\n\r\n", "400"),
                ("a chunk that is longer", "POST / HTTP/1.1\r\n\(chunked)\r\n3\r\nabcX0\r\n\r\n", "400"),
                ("a chunk's length without CR", "POST / HTTP/1.1\r\n\(chunked)\r\n3\nabc\r\n0\r\n\r\n", "400"),
            ] {
                let client = try await RawClient.connect(to: served.address, on: served.loop)
                // What follows must not be taken for a request.
                client.send(text + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
                try await eventually("\(name): the end") { client.isEnded }
                #expect(client.text.hasPrefix("HTTP/1.1 \(status) "), "\(name): \(client.text)")
                #expect(!client.text.contains("smuggled") && !client.text.contains("200 OK"), "\(name): \(client.text)")
                await client.close()
            }
        }
    }

    @Test func `a whole answer is one write`() async throws {
        try await ServedLoop.with(echo) { served in
            let client = try await RawClient.connect(to: served.address, on: served.loop)
            for number in 1...50 {
                client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
                try await eventually("answer \(number)") { client.text.split(separator: "POST / body").count == number }
            }
            #expect(client.reads == 50)
            await client.close()
        }
    }

    @Test func `an answer that may wait is sent with the one behind it`() async throws {
        let desk = Desk()
        let script: @Sendable (any HTTPExchange) -> BodyReading = { exchange in
            guard exchange.request.method == "POST" else { return desk.hold(exchange) }
            return .whole(limit: 1 << 20) { body in exchange.respond(HTTPResponse(202, body: body, mayWait: true)) }
        }
        try await ServedLoop.with(script) { served in
            let client = try await RawClient.connect(to: served.address, on: served.loop)
            let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
            client.send(post + "GET /poll HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually("the poll") { await desk.targets == ["/poll"] }
            #expect(client.text == "")
            await desk.answer(0)
            try await eventually("both answers") { bodies(client.text) == ["body", "/poll"] }
            #expect(client.reads == 1)
            client.send(post)
            try await eventually("an answer with none behind it") { bodies(client.text) == ["body", "/poll", "body"] }
            await client.close()
        }
    }

    @Test func `a long poll outlives the time-out of heads`() async throws {
        let desk = Desk()
        var limits = HTTPLimits()
        limits.headTimeout = .milliseconds(300)
        try await ServedLoop.with(limits: limits, desk.hold) { served in
            // Sent by the loop with the connection: the time for a head begins there, and this test may be held up.
            let client = try await RawClient.connect(
                to: served.address, on: served.loop, sending: "GET /poll HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually("the poll") { await desk.targets == ["/poll"] }
            // Each begins after the poll: when its time is over, that of the poll would have been, too.
            for _ in 0..<2 {
                let slow = try await RawClient.connect(
                    to: served.address, on: served.loop, sending: "GET /slow HTTP/1.1\r\nHo")
                try await eventually("the slow head's end") { slow.isEnded }
                #expect(slow.text == "")
                await slow.close()
            }
            #expect(!client.isEnded)
            await desk.answer(0)
            try await eventually("the answer, and then the end of the idle connection") { client.isEnded }
            #expect(bodies(client.text) == ["/poll"])
            await client.close()
        }
    }

    @Test func `a body that stops in the middle is given up`() async throws {
        var limits = HTTPLimits()
        limits.bodyTimeout = .milliseconds(40)
        try await ServedLoop.with(limits: limits, echo) { served in
            let client = try await RawClient.connect(to: served.address, on: served.loop)
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
            try await eventually("the end") { client.isEnded }
            await client.close()
        }
    }

    @Test func `a client that sends without end is not read without end`() async throws {
        let desk = Desk()
        try await ServedLoop.with(desk.hold) { served in
            let client = try await RawClient.connect(to: served.address, on: served.loop)
            client.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually("the first request") { await desk.targets == ["/first"] }
            let more =
                "POST /more HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"
                + String(repeating: "x", count: 60_000)
            for _ in 0..<400 { client.send(more) }
            try await Task.sleep(for: .milliseconds(200))
            #expect(try await !client.isTaken)
            for index in 0...400 {
                try await eventually("request \(index)") { await desk.targets.count == index + 1 }
                await desk.answer(index)
            }
            try await eventually("all answers") { bodies(client.text).count == 401 }
            await client.close()
        }
    }

    @Test func `a client that takes nothing is cut off`() async throws {
        var limits = HTTPLimits()
        limits.unsentBytes = 1 << 20
        let abandoned = NIOLockedValueBox(0)
        let flood: @Sendable (any HTTPExchange) -> BodyReading = { exchange in
            exchange.onAbandoned = { abandoned.withLockedValue { $0 += 1 } }
            exchange.begin(200, headers: HeaderFields())
            #expect(exchange.isWritable)
            for _ in 0..<1000 { exchange.send([UInt8](repeating: 7, count: 64 << 10)) }
            return .whole(limit: 0) { _ in }
        }
        try await ServedLoop.with(limits: limits, flood) { served in
            let client = try await RawClient.connect(to: served.address, on: served.loop, reads: false)
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually("the break") { abandoned.withLockedValue { $0 } == 1 }
            await client.close()
        }
    }

    @Test func `a sender that heeds the client's pace sends everything`() async throws {
        var limits = HTTPLimits()
        limits.unsentBytes = 1 << 20
        let heedful: @Sendable (any HTTPExchange) -> BodyReading = { exchange in
            var left = 200
            exchange.begin(200, headers: HeaderFields())
            func go() {
                while left > 0, exchange.isWritable {
                    exchange.send([UInt8](repeating: 7, count: 64 << 10))
                    left -= 1
                }
                if left == 0 {
                    exchange.onWritable = nil
                    exchange.finish(trailers: HeaderFields())
                }
            }
            exchange.onWritable = go
            go()
            return .whole(limit: 0) { _ in }
        }
        try await ServedLoop.with(limits: limits, heedful) { served in
            let answer = try await HTTPCall(to: served.address, on: served.loop).answer(
                to: HTTPRequest(method: "GET", target: "/"))
            #expect(answer.body.count == 200 * 64 << 10)
        }
    }

    @Test func `garbage behind a request is answered after it`() async throws {
        let desk = Desk()
        try await ServedLoop.with(desk.hold) { served in
            let client = try await RawClient.connect(to: served.address, on: served.loop)
            client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\u{1}\u{2}garbage\r\n\r\n")
            try await eventually("the first request") { await desk.targets == ["/1"] }
            await desk.answer(0)
            try await eventually("the end") { client.isEnded }
            #expect(client.text.hasPrefix("HTTP/1.1 200 OK"))
            #expect(client.text.contains("HTTP/1.1 400 Bad Request"))
            await client.close()
        }
    }

    @Test func `a client that has said all still gets its answer`() async throws {
        let desk = Desk()
        try await ServedLoop.with(desk.hold) { served in
            let client = try await RawClient.connect(to: served.address, on: served.loop)
            client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
            await client.endInput()
            try await eventually("the request") { await desk.targets == ["/1"] }
            try await Task.sleep(for: .milliseconds(20))
            await desk.answer(0)
            try await eventually("the answer and the end") { client.isEnded }
            #expect(bodies(client.text) == ["/1"])
            await client.close()
        }
    }

    @Test func `a client that goes is told once, and answers to it do nothing`() async throws {
        let told = NIOLockedValueBox(0)
        let held = NIOLockedValueBox<LoopBound<any HTTPExchange>?>(nil)
        let hold: @Sendable (any HTTPExchange) -> BodyReading = { exchange in
            exchange.onAbandoned = { told.withLockedValue { $0 += 1 } }
            held.withLockedValue { $0 = LoopBound(exchange, on: exchange.loop) }
            return .parts(
                onPart: { _ in }, onEnd: { _, isComplete in if !isComplete { told.withLockedValue { $0 += 100 } } })
        }
        try await ServedLoop.with(hold) { served in
            let connection = try await HTTPClientConnection.connect(to: served.address, on: served.loop)
            try await connection.send(HTTPRequest(method: "GET", target: "/"), body: [])
            // Its time begins when the request is there: one that had not come would have nobody to be told.
            let bound = try await eventuallySome("the request") { held.withLockedValue { $0 } }
            let failure = await #expect(throws: HTTPServingFailure.self) {
                _ = try await connection.head(timeout: .milliseconds(50))
            }
            #expect(failure?.kind == .timedOut)
            // The end of a TCP connection is seen as one of its halves: that nobody is there shows when something is sent.
            await served.loop.run { bound.value.begin(200, headers: HeaderFields()) }
            try await eventually("the break") {
                await served.loop.run { bound.value.send([1]) }
                return told.withLockedValue { $0 } == 1
            }
            await served.loop.run {
                bound.value.send([1])
                bound.value.finish(trailers: HeaderFields())
                bound.value.abort()
            }
            #expect(told.withLockedValue { $0 } == 1)
            let half = try await RawClient.connect(to: served.address, on: served.loop)
            half.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
            try await Task.sleep(for: .milliseconds(20))
            await half.close()
            try await eventually("the half request's end") { told.withLockedValue { $0 } == 102 }
        }
    }
}
