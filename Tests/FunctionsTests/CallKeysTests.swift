import Lambda
import Linux
import Testing

@testable import Functions

@Suite struct CallKeysTests {
    static func call(_ payload: String = "{}", headers: [String: String] = [:]) -> FunctionCall {
        let function = DeployedFunction(
            name: "f", version: "$LATEST", arn: "arn:aws:lambda:us-east-1:000000000000:function:f", revision: "1",
            codeDigest: "", runtime: .bootstrap)
        var call = FunctionCall(
            requestID: "r", function: function, invokedARN: function.arn, payload: Array(payload.utf8),
            source: "invoke",
            trace: "", arrivedAt: Clock.now())
        call.headers = headers
        return call
    }

    static func find(_ source: FunctionSettings.KeySource, _ call: FunctionCall) throws(LambdaFailure) -> String? {
        var keys = CallKeys()
        return try keys.find(source, "key", in: call)
    }

    @Test func `a key is found in a header, a path, the message and the SDK's id`() throws {
        var call = Self.call(#"{"order": {"id": "A 1", "lines": [{"n": 7}, {"n": 1.50}]}}"#, headers: ["x-key": "k"])
        call.sdkInvocationID = "sdk"
        call.messageID = "message"
        #expect(try Self.find(.header("X-Key"), call) == "k")
        #expect(try Self.find(.path("$.order.id"), call) == "A 1")
        #expect(try Self.find(.path("$.order.lines[0].n"), call) == "7")
        #expect(try Self.find(.path("$['order'].lines[1]['n']"), call) == "1.50", "decimals stay as they were written")
        #expect(try Self.find(.message, call) == "message")
        #expect(try Self.find(.sdk, call) == "sdk")
    }

    @Test func `a call without the header or value that its function names is refused`() {
        let call = Self.call(#"{"a": {}, "b": null, "c": ""}"#, headers: ["host": "h"])
        let sources: [FunctionSettings.KeySource] = [
            .header("X-Key"), .path("$.a"), .path("$.b"), .path("$.c"), .path("$.d"), .path("$.a.b[0]"),
            .path("nonsense"),
        ]
        for source in sources {
            let failure = #expect(throws: LambdaFailure.self) { try Self.find(source, call) }
            #expect(failure?.name == "InvalidParameterValueException" && failure?.status == 400, "\(source)")
        }
        #expect(throws: LambdaFailure.self) { try Self.find(.path("$.a"), Self.call("no json")) }
        let long = Self.call(headers: ["x-key": String(repeating: "k", count: 1025)])
        #expect(throws: LambdaFailure.self) { try Self.find(.header("X-Key"), long) }
    }

    @Test func `a call that cannot have a key has none`() throws {
        #expect(try Self.find(.message, Self.call()) == nil)
        #expect(try Self.find(.sdk, Self.call()) == nil)
        #expect(try Self.find(.header("X-Key"), Self.call()) == nil, "an event has no header fields at all")
    }

    @Test func `a deadline is milliseconds since 1970, in the header that the function names`() throws {
        let now = Instant(nanoseconds: 5_000_000_000)
        let time = Timestamp(nanoseconds: 1_700_000_000_000_000_000)
        func find(_ text: String?) throws(LambdaFailure) -> Instant? {
            var call = Self.call(headers: text.map { ["x-deadline": $0] } ?? [:])
            call.function.settings.deadlineHeader = "X-Deadline"
            return try CallerDeadline.find(in: call, now: now, time)
        }
        #expect(try find(nil) == nil)
        #expect(try find("1700000000250") == now + .milliseconds(250))
        #expect(try find("1699999999000")! < now)
        #expect(try find("0")! < now)
        #expect(try find("999999999999999")! > now)
        for text in ["", " 1", "-1", "1.5", "0x10", "1000000000000000", "soon"] {
            let failure = #expect(throws: LambdaFailure.self) { try find(text) }
            #expect(failure?.name == "InvalidParameterValueException", "\(text)")
        }
    }
}
