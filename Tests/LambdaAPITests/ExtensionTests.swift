import EventSources
import HTTPServing
import JSON
import Lambda
import Linux
import Metering
import Store
import Synchronization
import TestKit
import Testing

@testable import Functions
@testable import LambdaAPI

@Suite(.serialized) struct ExtensionTests {
    /// Sends a line every few milliseconds until it is cancelled.
    private struct Ticker: DoorExtension {
        let name = "ticks"
        let ended: Ended

        func serve(_ request: DoorRequest) {
            let (ended, way) = (ended, request.path.first)
            request.stream(contentType: "text/plain") { stream throws(LambdaFailure) in
                if way == "never" { throw .notFound("Nothing ticks here.") }
                var count = 0
                do {
                    while true {
                        try await stream.send(Array("tick\n".utf8))
                        count += 1
                        if way == "twice", count == 2 { return }
                        try await Task.sleep(for: .milliseconds(2))
                    }
                } catch {
                    ended.set()
                    throw .service("\(error)")
                }
            }
        }
    }

    private final class Ended: Sendable {
        private let value = Mutex(false)
        func set() { value.withLock { $0 = true } }
        var isSet: Bool { value.withLock { $0 } }
    }

    @Test func `a follower whose client goes ends`() async throws {
        let ended = Ended()
        try await ServedDoor.with(extensions: [Ticker(ended: ended)]) { door in
            let call = HTTPCall(to: door.socket.address!, on: door.loops.loops[0])
            do {
                let answer = try await call.stream(HTTPRequest(method: "GET", target: "/forkless/v1/ticks"))
                #expect(answer.status == 200)
                var parts = answer.makeAsyncIterator()
                _ = try await parts.next()
                #expect(!ended.isSet)
            }
            try await eventually("the end of the follower") { ended.isSet }
            #expect(try await door.call("GET", "/forkless/v1/ticks/twice").text == "tick\ntick\n")
            #expect(try await door.call("GET", "/forkless/v1/ticks/never").status == 404)
        }
    }

    /// A client that has gone, which the first write of a part tells, before it returns.
    private final class LostExchange: HTTPExchange {
        let request = HTTPRequest(method: "GET", target: "/forkless/v1/ticks")
        let loop: ServingLoop
        let peerAddress: String? = nil
        let peerCertificate: [UInt8]? = nil
        var onAbandoned: (() -> Void)?
        var onInputEnd: (() -> Void)?
        var onWritable: (() -> Void)?
        private(set) var isWritable = true

        init(_ loop: ServingLoop) { self.loop = loop }

        func send(_ bytes: [UInt8]) {
            guard isWritable else { return }
            isWritable = false
            let last = onAbandoned
            (onAbandoned, onWritable) = (nil, nil)
            last?()
        }

        func respond(_ response: HTTPResponse) {}
        func begin(_ status: Int, headers: HeaderFields) {}
        func begin(_ status: Int, headers: HeaderFields, length: Int?) {}
        func finish(trailers: HeaderFields) {}
        func upgrade(headers: HeaderFields) -> (any HTTPDuplex)? { nil }
        func abort() {}
        func pauseBody() {}
        func resumeBody() {}
    }

    @Test func `a follower ends whose client is found gone by a write`() async throws {
        let ended = Ended()
        let loops = ServingLoops(count: 1)
        let loop = loops.loops[0]
        loop.execute {
            let request = DoorRequest(
                exchange: LostExchange(loop), path: [], query: QueryItems("")!, body: [], requestID: "r")
            Ticker(ended: ended).serve(request)
        }
        try await eventually("the end of the follower") { ended.isSet }
        await loops.shutDown()
    }

    @Test func `the log of a function is read and followed`() async throws {
        let directory = try TemporaryDirectory("logs")
        let logs = try LogThread(directory: directory.path)
        try await ServedDoor.with { door in
            try await door.declare("echo")
            var parts = DoorParts(catalog: door.catalog, invoker: door.invoker) { _, _ in }
            parts.extensions = [LogsExtension(catalog: door.catalog, logs: logs)]
            let complete = parts
            let loop = door.loops.loops[0]
            let listener = try await HTTPListener.listen(on: .tcp("127.0.0.1", 0), loop: loop) {
                LambdaDoor(complete, on: $0)
            }
            let call = HTTPCall(to: listener.address!, on: loop)
            func get(_ target: String) async throws -> HTTPResponse {
                try await call.answer(to: HTTPRequest(method: "GET", target: target))
            }
            #expect(try await get("/forkless/v1/functions/nobody/logs").status == 404)
            #expect(try await get("/forkless/v1/functions/echo/logs").text == "")
            #expect(try await get("/forkless/v1/functions/echo/logs?follow=maybe").status == 400)
            let time = Timestamp(nanoseconds: 1_773_342_238_123_000_000)
            let log = logs.log(of: "echo")
            log.add([Array("one".utf8)[...], Array("two".utf8)[...]], .output, at: time)
            let stamp = "2026-03-12T19:03:58.123000000Z stdout F "
            #expect(try await get("/forkless/v1/functions/echo/logs").text == "\(stamp)one\n\(stamp)two\n")
            #expect(try await get("/forkless/v1/functions/echo/logs?lines=1").text == "\(stamp)two\n")
            let followed = try await call.stream(
                HTTPRequest(method: "GET", target: "/forkless/v1/functions/echo/logs?lines=0&follow=true"))
            var lines = followed.makeAsyncIterator()
            log.add([Array("three".utf8)[...]], .error, at: time)
            let third = String(decoding: try await lines.next() ?? [], as: UTF8.self)
            #expect(third == "2026-03-12T19:03:58.123000000Z stderr F three\n")
            await listener.close(after: .zero)
            await logs.close()
        }
    }

    @Test func `a status is one value, and takes no parameters`() async throws {
        let pools = StatusExtension(name: "pools") { () async throws(LambdaFailure) in ["InFlight": 0] }
        try await ServedDoor.with(extensions: [pools]) { door in
            let answer = try await door.call("GET", "/forkless/v1/pools")
            #expect(answer.text == #"{"InFlight":0}"#)
            #expect(try await door.call("GET", "/forkless/v1/pools?all=1").status == 400)
            #expect(try await door.call("POST", "/forkless/v1/pools").status == 404)
        }
    }

    @Test func `the queues are served at the same address, by the header that their clients send`() async throws {
        let directory = try TemporaryDirectory("queues")
        let python = try await PythonEnvironment.shared()
        try await ServedDoor.with { door in
            let database = try StateDatabase(path: directory.path("q.db"), migrations: [QueueTable.migration])
            let queues = DurableQueues(store: database, place: QueuePlace(region: "us-east-1"))
            var parts = DoorParts(catalog: door.catalog, invoker: door.invoker) { _, _ in }
            parts.queues = SQSService(queues)
            parts.keys = AccessKeys(["AKIDEXAMPLE": "secret"])
            let complete = parts
            let listener = try await HTTPListener.listen(on: .tcp("127.0.0.1", 0), loop: door.loops.loops[0]) {
                LambdaDoor(complete, on: $0)
            }
            let script = """
                import boto3, sys
                sqs = boto3.client("sqs", endpoint_url=sys.argv[1], region_name="us-east-1")
                url = sqs.create_queue(QueueName="orders")["QueueUrl"]
                sqs.send_message(QueueUrl=url, MessageBody="hello")
                print(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"])
                """
            let outcome = try await CommandRunner.run(
                [python.python, "-c", script, "http://\(listener.address!)"],
                environment: ["PATH=/usr/bin:/bin", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret"])
            #expect(outcome.text == "hello\n", "\(outcome.errorText)")
            await listener.close(after: .zero)
            await database.close()
        }
    }
}
