import Linux
import NIOConcurrencyHelpers
import TestKit
import Testing

@testable import HTTPServing

@Suite(.serialized) struct HTTPListenerTests {
    @Test func `a unix socket is its owner's alone, and goes with its listener`() async throws {
        let directory = try TemporaryDirectory("http")
        let path = directory.path("door.sock")
        let loops = ServingLoops(count: 1)
        let listener = try await HTTPListener.listen(on: .unix(path), loop: loops.loops[0]) { _ in ScriptedService(echo)
        }
        #expect(try Files.status(path).permissions & 0o777 == 0o600)
        let answer = try await HTTPCall(to: .unix(path), on: loops.loops[0]).answer(
            to: HTTPRequest(method: "POST", target: "/a?b=c"), body: Array("hello".utf8))
        #expect(answer.text == "POST /a?b=c hello")
        await listener.close(after: .zero)
        #expect(!Files.exists(path))
        await loops.shutDown()
    }

    @Test func `the socket of a listener that is gone is replaced, one that is served or no socket is not`()
        async throws
    {
        let directory = try TemporaryDirectory("http")
        let path = directory.path("door.sock")
        let loops = ServingLoops(count: 1)
        _ = try StreamSocket.listen(at: path)
        let listener = try await HTTPListener.listen(on: .unix(path), loop: loops.loops[0]) { _ in ScriptedService(echo)
        }
        let second = await #expect(throws: HTTPServingFailure.self) {
            _ = try await HTTPListener.listen(on: .unix(path), loop: loops.loops[0]) { _ in ScriptedService(echo) }
        }
        #expect(second?.kind == .addressInUse)
        let file = try directory.write("something", to: "file")
        let third = await #expect(throws: HTTPServingFailure.self) {
            _ = try await HTTPListener.listen(on: .unix(file), loop: loops.loops[0]) { _ in ScriptedService(echo) }
        }
        #expect(third?.sentence == "listen at \(file): the file is there and is no socket. Remove it.")
        #expect(try Files.readText(file) == "something")
        await listener.close(after: .zero)
        await loops.shutDown()
    }

    @Test func `a port that is taken is an error that says so`() async throws {
        try await ServedLoop.with(echo) { served in
            guard case .tcp(_, let port) = served.address else {
                Issue.record("\(served.address)")
                return
            }
            let failure = await #expect(throws: HTTPServingFailure.self) {
                _ = try await HTTPListener.listen(on: .tcp("127.0.0.1", port), loop: served.loop) { _ in
                    ScriptedService(echo)
                }
            }
            #expect(failure?.kind == .addressInUse)
            let unknown = await #expect(throws: HTTPServingFailure.self) {
                _ = try await HTTPListener.listen(on: .tcp("example.org", 1), loop: served.loop) { _ in
                    ScriptedService(echo)
                }
            }
            #expect(unknown?.kind == .address)
        }
    }

    @Test func `a socket made elsewhere is served on the loop that adopts it`() async throws {
        let loops = ServingLoops(count: 2)
        let home = loops.loops[1]
        let socket = try InternetSocket.bind(.stream, to: InternetEndpoint(IPAddress("127.0.0.1")!, 0))
        let port = try #require(try InternetSocket.local(socket.raw)).port
        let raw = socket.release()
        let listener = await home.run {
            try? HTTPListener.adopt(
                OwnedFD(adopting: raw), loop: home,
                service: ScriptedService { exchange in
                    #expect(exchange.loop === home && home.isCurrent)
                    return echo(exchange)
                })
        }
        for number in 0..<4 {
            let answer = try await HTTPCall(to: .tcp("127.0.0.1", port), on: loops.loops[0]).answer(
                to: HTTPRequest(method: "GET", target: "/\(number)"))
            #expect(answer.text == "GET /\(number) ")
        }
        await listener?.close(after: .zero)
        await #expect(throws: HTTPServingFailure.self) {
            try await HTTPCall(to: .tcp("127.0.0.1", port), on: loops.loops[0]).answer(
                to: HTTPRequest(method: "GET", target: "/"))
        }
        await loops.shutDown()
    }

    @Test func `connections are spread over the loops and each loop has a service of its own`() async throws {
        let loops = ServingLoops(count: 2)
        let listener = try await HTTPListener.listen(on: .tcp("localhost", 0), loops: loops) { loop in
            ScriptedService { exchange in
                #expect(exchange.loop === loop && loop.isCurrent)
                let index = loops.loops.firstIndex { $0 === loop }!
                exchange.respond(HTTPResponse(200, body: Array("\(index)".utf8)))
                return .whole(limit: 0) { _ in }
            }
        }
        var seen: Set<String> = []
        for _ in 0..<4 {
            seen.insert(
                try await HTTPCall(to: listener.address!, on: loops.loops[0]).answer(
                    to: HTTPRequest(method: "GET", target: "/")
                ).text)
        }
        #expect(seen == ["0", "1"])
        await listener.close(after: .zero)
        await loops.shutDown()
    }

    @Test func `a listener that closes with grace lets an answer under way be completed`() async throws {
        let loops = ServingLoops(count: 1)
        let loop = loops.loops[0]
        let held = NIOLockedValueBox<LoopBound<any HTTPExchange>?>(nil)
        let listener = try await HTTPListener.listen(on: .tcp("127.0.0.1", 0), loop: loop) { _ in
            ScriptedService { exchange in
                held.withLockedValue { $0 = LoopBound(exchange, on: loop) }
                return .whole(limit: 0) { _ in }
            }
        }
        let call = HTTPCall(to: listener.address!, on: loop)
        async let answer = call.answer(to: HTTPRequest(method: "GET", target: "/"))
        // Not the connection alone: one whose request has not come yet is idle, and is closed.
        let exchange = try await eventuallySome("the request") { held.withLockedValue { $0 } }
        let idle = try await RawClient.connect(to: listener.address!, on: loop)
        try await eventually("both connections") { await listener.connectionCount == 2 }
        async let closed: Void = listener.close(after: .seconds(30))
        // All connections are told at once: when this one has ended, the other knows that it is to.
        try await eventually("the end of the idle connection") { idle.isEnded }
        await loop.run { exchange.value.respond(HTTPResponse(200, body: Array("late".utf8))) }
        #expect(try await answer.text == "late")
        #expect(try await answer.headers["connection"] == "close")
        await closed
        await idle.close()
        await loops.shutDown()
    }
}
