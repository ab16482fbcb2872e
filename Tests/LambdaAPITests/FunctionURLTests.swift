import Catalog
import Functions
import HTTPServing
import JSON
import Lambda
import Linux
import Metering
import TestKit
import Testing

@testable import LambdaAPI

@Suite(.serialized) struct FunctionURLTests {
    private static var page: ScriptedInvoker {
        ScriptedInvoker { call in
            ScriptedInvoker.answered(
                call,
                Array(
                    #"{"statusCode":201,"headers":{"X-A":"b","Content-Type":"text/plain"},"cookies":["c=1","d=2"],"body":"made"}"#
                        .utf8))
        }
    }

    @Test func `a request to a URL runs its function and gets its response`() async throws {
        try await ServedDoor.with(invoker: Self.page) { door in
            try await door.declare("page")
            let id = try await door.makeURL("page")
            let answer = try await door.callURL(
                id, "POST", "/orders?a=1", Array("{}".utf8), [("Content-Type", "application/json")])
            #expect(answer.status == 201 && answer.text == "made" && answer.headers["x-a"] == "b")
            #expect(answer.headers.fields.filter { $0.name == "Set-Cookie" }.map(\.value) == ["c=1", "d=2"])
            let call = try #require(door.invoker.calls.first)
            let event = try JSONParser.parse(call.payload)
            #expect(call.source == "url" && event["rawPath"]?.string == "/orders" && event["body"]?.string == "{}")
            #expect(event["requestContext", "requestId"]?.string == call.requestID)
            #expect(answer.headers["x-amzn-requestid"] == call.requestID)
            let byPath = try await HTTPCall(to: door.urls.address!, on: door.loops.loops[0]).answer(
                to: HTTPRequest(method: "GET", target: "/lambda-url/\(id)/x"))
            #expect(byPath.status == 201)
            #expect(try await door.callURL("nobody", "GET", "/").status == 404)
            #expect(
                try await HTTPCall(to: door.urls.address!, on: door.loops.loops[0]).answer(
                    to: HTTPRequest(method: "GET", target: "/")
                ).status == 404)
        }
    }

    @Test func `a URL lets in whom its type and policy let in`() async throws {
        try await ServedDoor.with(invoker: Self.page) { door in
            try await door.declare("closed")
            try await door.declare("signed")
            let closed = try await door.makeURL("closed", isPublic: false)
            let signed = try await door.makeURL("signed", "AWS_IAM")
            for id in [closed, signed] {
                let answer = try await door.callURL(id, "GET", "/")
                #expect(answer.status == 403 && answer.headers["x-amzn-errortype"] == "AccessDeniedException")
            }
            #expect(door.invoker.calls.isEmpty)
        }
        try await ServedDoor.with(invoker: Self.page, keys: AccessKeys(["A": "b"])) { door in
            try await door.declare("signed")
            let signed = try await door.makeURL("signed", "AWS_IAM")
            #expect(
                try await door.callURL(signed, "GET", "/").headers["x-amzn-errortype"]
                    == "MissingAuthenticationTokenException")
            #expect(door.invoker.calls.isEmpty)
        }
    }

    @Test func `a signed request to a URL runs, and the event names its key`() async throws {
        let keys = AccessKeys(["AKIDEXAMPLE": "secret"])
        let invoker = ScriptedInvoker { call in ScriptedInvoker.answered(call, call.payload) }
        try await ServedDoor.with(invoker: invoker, keys: keys) { door in
            try await door.declare("signed")
            let id = try await door.makeURL("signed", "AWS_IAM", isPublic: false)
            let python = try await PythonEnvironment.shared()
            let script = """
                import sys, urllib.request, json
                import botocore.auth, botocore.awsrequest, botocore.credentials
                url = sys.argv[1]
                request = botocore.awsrequest.AWSRequest("POST", url, data=b'{"a": 1}', headers={"Host": sys.argv[2], "Content-Type": "application/json"})
                keys = botocore.credentials.Credentials("AKIDEXAMPLE", "secret")
                botocore.auth.SigV4Auth(keys, "lambda", "us-east-1").add_auth(request)
                sent = urllib.request.Request(url, data=b'{"a": 1}', headers=dict(request.headers.items()), method="POST")
                print(json.loads(urllib.request.urlopen(sent).read())["requestContext"]["authorizer"]["iam"]["accessKey"])
                """
            let outcome = try await CommandRunner.run(
                [python.python, "-c", script, "http://\(door.urls.address!)/a%20b?x=1", "\(id).lambda-url.localhost"])
            #expect(outcome.text == "AKIDEXAMPLE\n", "\(outcome.errorText)")
        }
    }

    @Test func `failures of a function are 502 and 504, refusals are 429`() async throws {
        let invoker = ScriptedInvoker { call in
            switch (try? JSONParser.parse(call.payload))?["rawPath"]?.string {
            case "/fails": ScriptedInvoker.failed(call, "secret reason")
            case "/late": ScriptedInvoker.failed(call, "late", .timedOut)
            case "/many": .failed(.tooManyRequests("Rate Exceeded.", reason: "ConcurrentInvocationLimitExceeded"))
            default: ScriptedInvoker.answered(call, Array(#"{"statusCode":"none"}"#.utf8))
            }
        }
        try await ServedDoor.with(invoker: invoker) { door in
            try await door.declare("page")
            let id = try await door.makeURL("page")
            let failed = try await door.callURL(id, "GET", "/fails")
            #expect(
                failed.status == 502 && failed.json["Message"]?.string == "Internal Server Error"
                    && !failed.text.contains("secret"))
            #expect(try await door.callURL(id, "GET", "/late").status == 504)
            let many = try await door.callURL(id, "GET", "/many")
            #expect(many.status == 429 && many.headers["retry-after"] == "1")
            let odd = try await door.callURL(id, "GET", "/odd")
            #expect(odd.status == 502 && odd.json["Message"]?.string?.contains("its statusCode is \"none\"") == true)
        }
    }

    @Test func `a streamed answer begins with its prelude's head, and breaks off when its function fails`() async throws
    {
        let invoker = ScriptedInvoker { call in
            let path = (try? JSONParser.parse(call.payload))?["rawPath"]?.string
            let stream = call.stream!
            if path == "/plain" {
                stream.begin("text/event-stream")
            } else {
                stream.begin(URLPrelude.contentType)
                stream.part(Array(#"{"statusCode":206,"headers":{"x-a":"b"}}"#.utf8) + [0, 0, 0])
                stream.part([0, 0, 0, 0, 0] + Array("one ".utf8))
            }
            stream.part(Array("two".utf8))
            return path == "/breaks" ? ScriptedInvoker.failed(call, "no") : ScriptedInvoker.answered(call, [])
        }
        try await ServedDoor.with(invoker: invoker) { door in
            try await door.declare("page")
            let id = try await door.makeURL("page", mode: "RESPONSE_STREAM")
            let whole = try await door.callURL(id, "GET", "/")
            #expect(whole.status == 206 && whole.text == "one two" && whole.headers["x-a"] == "b")
            let plain = try await door.callURL(id, "GET", "/plain")
            #expect(plain.status == 200 && plain.text == "two" && plain.headers["content-type"] == "text/event-stream")
            let failure = await #expect(throws: HTTPServingFailure.self) {
                try await door.callURL(id, "GET", "/breaks")
            }
            #expect(failure?.kind == .broken)
        }
    }

    @Test func `a program whose input is the body answers with its output`() async throws {
        let invoker = ScriptedInvoker { call in ScriptedInvoker.answered(call, Array("<ok/>".utf8)) }
        try await ServedDoor.with(invoker: invoker) { door in
            try await door.declare("program", runtime: "forkless.stdio", tags: ["forkless:input": "body"])
            let id = try await door.makeURL("program")
            let answer = try await door.callURL(
                id, "POST", "/", Array("<a/>".utf8), [("Content-Type", "application/xml")])
            #expect(answer.status == 200 && answer.text == "<ok/>")
        }
    }

    @Test func `the rules for other origins are applied, and their question does not run the function`() async throws {
        try await ServedDoor.with(invoker: Self.page) { door in
            try await door.declare("page")
            let id = try await door.makeURL(
                "page", cors: ["AllowOrigins": ["https://desk.example"], "AllowMethods": ["GET"]])
            let question = try await door.callURL(
                id, "OPTIONS", "/", [], [("Origin", "https://desk.example"), ("Access-Control-Request-Method", "GET")])
            #expect(question.status == 200 && question.headers["access-control-allow-methods"] == "GET")
            #expect(door.invoker.calls.isEmpty)
            let answer = try await door.callURL(id, "GET", "/", [], [("Origin", "https://desk.example")])
            #expect(answer.headers["access-control-allow-origin"] == "https://desk.example" && answer.status == 201)
        }
    }
}
