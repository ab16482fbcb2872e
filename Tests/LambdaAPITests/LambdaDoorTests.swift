import Catalog
import Functions
import HTTPServing
import JSON
import Lambda
import Linux
import Metering
import Synchronization
import TestKit
import Testing

@testable import LambdaAPI

@Suite(.serialized) struct LambdaDoorTests {
    private static let invocations = "/2015-03-31/functions/echo/invocations"

    @Test func `every answer has a request id, every error a name`() async throws {
        try await ServedDoor.with { door in
            try await door.declare("echo")
            let answers = [
                try await door.call("GET", "/2015-03-31/functions"),
                try await door.call("POST", Self.invocations, Array("{}".utf8)),
                try await door.call("GET", "/nothing"), try await door.call("POST", Self.invocations, Array("{".utf8)),
                try await door.call("GET", "/2020-04-22/code-signing-configs"),
                try await door.call("GET", "/forkless/v1/nothing"),
                try await door.call("POST", "/2015-03-31/functions", Array("{".utf8)),
                try await door.call("POST", Self.invocations, Array("{}".utf8), [("X-Amz-Invocation-Type", "Never")]),
            ]
            for answer in answers {
                #expect(answer.headers["x-amzn-requestid"]?.utf8.count == 36)
                if answer.status >= 400 {
                    #expect(answer.headers["x-amzn-errortype"]?.isEmpty == false)
                    #expect(answer.json["Message"]?.string?.isEmpty == false && answer.json["Type"]?.string == "User")
                }
            }
            #expect(answers.map(\.status) == [200, 200, 404, 400, 404, 404, 400, 400])
            #expect(
                answers[4].json["Message"]?.string?.hasPrefix("ListCodeSigningConfigs is not supported by Forkless")
                    == true)
        }
    }

    @Test func `an invocation hands on what the caller said`() async throws {
        try await ServedDoor.with { door in
            try await door.declare(
                "echo", tags: ["forkless:key": "header:Idempotency-Key", "forkless:deadline-header": "X-Deadline"])
            let answer = try await door.call(
                "POST", Self.invocations + "?Qualifier=%24LATEST", Array(#"{"a":1}"#.utf8),
                [
                    ("X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793"), ("amz-sdk-invocation-id", "sdk-7"),
                    ("X-Amz-Client-Context", "eyJjdXN0b20iOjF9"), ("idempotency-key", "k1"), ("x-deadline", "99"),
                    ("X-Other", "no"),
                ])
            let call = try #require(door.invoker.calls.first)
            #expect(call.payload == Array(#"{"a":1}"#.utf8) && call.source == "invoke" && call.attempt == 1)
            #expect(call.invokedARN.hasSuffix(":function:echo:$LATEST"))
            // The caller's trace, one hop further.
            #expect(
                call.trace.wholeMatch(of: /Root=1-5759e988-bd862e3fe1be46a994272793;Parent=[0-9a-f]{16};Sampled=0/) != nil, "\(call.trace)")
            #expect(call.sdkInvocationID == "sdk-7")
            #expect(call.clientContext == #"{"custom":1}"#)
            #expect(call.headers == ["idempotency-key": "k1", "x-deadline": "99"])
            #expect(answer.headers["x-amzn-requestid"] == call.requestID)
            #expect(answer.headers["x-amzn-trace-id"] == call.trace)
            #expect(answer.headers["x-amz-executed-version"] == "$LATEST")
            #expect(answer.headers["x-amz-log-result"] == nil)
        }
    }

    @Test func `an answer that a key brought back says so, whole and streamed, and at a function URL`() async throws {
        let invoker = ScriptedInvoker { call in
            let isAgain = call.sdkInvocationID == "again" || call.payload.count > 20
            guard case .answered(var answer) = ScriptedInvoker.answered(call, Array("1".utf8)) else { return .failed(.service("no")) }
            answer.isReplayed = isAgain
            if let stream = call.stream {
                stream.begin("application/json", isReplayed: isAgain)
                stream.part(answer.payload)
                answer.payload = []
            }
            return .answered(answer)
        }
        try await ServedDoor.with(invoker: invoker) { door in
            try await door.declare("echo")
            let streaming = "/2021-11-15/functions/echo/response-streaming-invocations"
            for target in [Self.invocations, streaming] {
                let first = try await door.call("POST", target, Array("1".utf8))
                #expect(first.status == 200 && first.headers["x-forkless-replayed"] == nil)
                let again = try await door.call("POST", target, Array("1".utf8), [("amz-sdk-invocation-id", "again")])
                #expect(again.status == 200 && again.headers["x-forkless-replayed"] == "true", "\(target)")
            }
            for mode in ["BUFFERED", "RESPONSE_STREAM"] {
                try await door.declare("url-\(mode.prefix(3))")
                let id = try await door.makeURL("url-\(mode.prefix(3))", mode: mode)
                #expect(try await door.callURL(id, "GET", "/").headers["x-forkless-replayed"] == "true", "\(mode)")
            }
        }
    }

    @Test func `an invocation stays on its loop`() async throws {
        let here = LoopSeen()
        let invoker = ScriptedInvoker { call in
            here.note()
            return ScriptedInvoker.echo(call)
        }
        try await ServedDoor.with(invoker: invoker) { door in
            here.loop.withLock { $0 = door.loops.loops[0] }
            try await door.declare("echo")
            for _ in 0..<10 { _ = try await door.call("POST", Self.invocations, Array("{}".utf8)) }
            #expect(here.isAlways)
        }
    }

    @Test func `a program of stdio takes any bytes, other functions JSON only`() async throws {
        try await ServedDoor.with { door in
            try await door.declare("program", runtime: "forkless.stdio")
            try await door.declare("echo")
            let any = try await door.call("POST", "/2015-03-31/functions/program/invocations", [0xFF, 0])
            #expect(any.status == 200 && any.body == [0xFF, 0])
            let refused = try await door.call("POST", Self.invocations, [0xFF, 0])
            #expect(refused.status == 400 && refused.headers["x-amzn-errortype"] == "InvalidRequestContentException")
            #expect(refused.json["Message"]?.string?.contains("line 1, column 1") == true)
            #expect(try await door.call("POST", Self.invocations).body == Array("{}".utf8))
        }
    }

    @Test func `errors of the invoker are the caller's with their name, reason and when to come back`() async throws {
        let invoker = ScriptedInvoker { _ in
            .failed(
                .tooManyRequests(
                    "Rate Exceeded.", reason: "ReservedFunctionConcurrentInvocationLimitExceeded", retryAfter: 3))
        }
        try await ServedDoor.with(invoker: invoker) { door in
            try await door.declare("echo")
            let answer = try await door.call("POST", Self.invocations, Array("{}".utf8))
            #expect(answer.status == 429 && answer.headers["retry-after"] == "3")
            #expect(answer.headers["x-amzn-errortype"] == "TooManyRequestsException")
            #expect(answer.json["Reason"]?.string == "ReservedFunctionConcurrentInvocationLimitExceeded")
            let streamed = try await door.call(
                "POST", "/2021-11-15/functions/echo/response-streaming-invocations", Array("{}".utf8))
            #expect(streamed.status == 429)
        }
    }

    @Test(arguments: [
        ("X-Amz-Invocation-Type", "event"), ("X-Amz-Log-Type", "tail"), ("X-Amz-Client-Context", "!!"),
        ("X-Amz-Client-Context", "bm90IGpzb24="), ("X-Amz-Client-Context", String(repeating: "A", count: 3584)),
        ("X-Amz-Tenant-Id", "t"), ("X-Amz-Durable-Execution-Name", "n"),
    ])
    func `what an invocation cannot mean is refused and not run`(name: String, value: String) async throws {
        try await ServedDoor.with { door in
            try await door.declare("echo")
            let answer = try await door.call("POST", Self.invocations, Array("{}".utf8), [(name, value)])
            #expect(answer.status == 400, "\(answer.text)")
            #expect(door.invoker.calls.isEmpty)
        }
    }

    @Test func `an unsigned request reaches nothing`() async throws {
        let keys = AccessKeys(["AKIDEXAMPLE": "secret"])
        try await ServedDoor.with(keys: keys, extensions: [Notes()]) { door in
            try await door.declare("echo")
            for (method, target) in [
                ("POST", Self.invocations), ("GET", "/2015-03-31/functions"), ("GET", "/forkless/v1/notes"),
                ("POST", "/"),
                ("DELETE", "/2015-03-31/functions/echo"), ("GET", "/2020-04-22/code-signing-configs"),
            ] {
                let answer = try await door.callTCP(method, target, Array("{}".utf8))
                #expect(
                    answer.status == 403 && answer.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException",
                    "\(target)")
            }
            #expect(door.invoker.calls.isEmpty)
            #expect(try await door.call("GET", "/2015-03-31/functions/echo").status == 200)
        }
    }

    @Test func `an extension serves its part of the tree`() async throws {
        try await ServedDoor.with(extensions: [Notes()]) { door in
            let answer = try await door.call("GET", "/forkless/v1/notes/a%20b/c?lines=7")
            #expect(answer.text == #"["a b","c",7]"#)
            #expect(try await door.call("GET", "/forkless/v1/notes?lines=x").status == 400)
            #expect(
                try await door.call("GET", "/forkless/v1/notes?other=1").json["Message"]?.string
                    == "There is no parameter 'other' here, only lines.")
            #expect(try await door.call("GET", "/forkless/v1/").status == 404)
        }
    }

    @Test func `a client that goes before its answer harms nobody`() async throws {
        let held = HeldInvoker()
        try await ServedDoor.with { door in
            try await door.declare("echo")
            let parts = DoorParts(catalog: door.catalog, invoker: held) { _, _ in }
            let listener = try await HTTPListener.listen(on: .tcp("127.0.0.1", 0), loop: door.loops.loops[0]) {
                LambdaDoor(parts, on: $0)
            }
            let call = HTTPCall(to: listener.address!, on: door.loops.loops[0], timeout: .milliseconds(30))
            await #expect(throws: HTTPServingFailure.self) {
                try await call.answer(to: HTTPRequest(method: "POST", target: Self.invocations), body: Array("{}".utf8))
            }
            await listener.close(after: .zero)
            held.release()
            #expect(try await door.call("GET", "/2015-03-31/functions/echo").status == 200)
        }
    }

    @Test func `spoilt requests are answered with an error of the service and change nothing`() async throws {
        try await ServedDoor.with { door in
            try await door.declare("echo")
            var chance = SeededChance(seed: .random(in: .min ... .max))
            let bodies = [
                #"{"FunctionName":"x","Runtime":"provided","Role":"r","Code":{"ZipFile":"UEsDBA=="}}"#,
                #"{"Name":"live","FunctionVersion":"9"}"#, "{}",
            ]
            let targets = RouteTable.routes.filter { !["DELETE"].contains($0.method) }
            for _ in 0..<600 {
                let route = targets.randomElement(using: &chance)!
                var target = Array(route.pattern.replacing("{FunctionName}", with: "ech0").utf8)
                var body = Array(bodies.randomElement(using: &chance)!.utf8)
                for _ in 0..<Int.random(in: 0...2, using: &chance) {
                    target[Int.random(in: 1..<target.count, using: &chance)] = UInt8.random(
                        in: 33...126, using: &chance)
                    body[Int.random(in: 0..<body.count, using: &chance)] = .random(in: .min ... .max, using: &chance)
                }
                let answer = try await door.call(route.method, String(decoding: target, as: UTF8.self), body)
                #expect(
                    (200..<500).contains(answer.status),
                    "\(route.method) \(String(decoding: target, as: UTF8.self)): \(answer.text), \(chance)")
                if answer.status >= 400, answer.headers["server"] == nil, answer.text.hasPrefix("{") {
                    #expect(answer.headers["x-amzn-errortype"] != nil, "\(chance)")
                }
            }
            #expect(door.catalog.functions().map(\.name) == ["echo"], "\(chance)")
        }
    }
}

/// Answers with the path and a number.
private struct Notes: DoorExtension {
    var name: String { "notes" }

    func serve(_ request: DoorRequest) {
        do throws(LambdaFailure) {
            try request.allowQuery("lines")
            let lines = try request.number("lines", 1...100)
            request.respond(
                .success(.array(request.path.map { .string($0) } + (lines.map { [.integer(Int64($0))] } ?? []))))
        } catch { request.respond(.failure(error)) }
    }
}
