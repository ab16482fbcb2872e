import JSON
import Lambda
import Linux
import Metering
import TestKit
import Testing

@testable import Functions

/// Unchanged programs as functions, in real sandboxes.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct StdioInstanceTests {
    @Test func `every call gets a process of its own`() async throws {
        try await withStage { stage in
            let function = try stage.program("sh -c 'read line; echo \"$line from $$\"; echo said >&2'")
            for number in 0..<2 {
                let staged = try await stage.ready(function)
                let answer = try await staged.invoke("call \(number)\n")
                #expect(answer.text == "call \(number) from 1\n")
                #expect(answer.functionError == nil)
                #expect(answer.call.cpuMicroseconds > 0 && answer.call.peakMemoryBytes > 0)
                let lines = answer.log.split(separator: "\n")
                #expect(lines.count == 4 && lines[1] == "said" && lines[0].hasPrefix("START") && lines[3].hasPrefix("REPORT"))
                try await staged.ended()
                #expect(!staged.told.contains(.free))
            }
        }
    }

    @Test func `a copy that is kept ahead is ready when it waits`() async throws {
        try await withStage { stage in
            let staged = try await stage.ready(try stage.program("cat"), isProvisioned: true)
            let answer = try await staged.invoke("through")
            #expect(answer.text == "through")
            #expect(answer.call.start == .standby)
            #expect(answer.call.initMicroseconds == nil)
            try await staged.ended()
            let leaver = await stage.launch(try stage.program("sh -c 'echo why >&2; exit 3'", name: "leaver"), isProvisioned: true)
            let failure = try await leaver.failed()
            #expect(failure.errorType == "Runtime.ExitError")
            #expect(failure.errorMessage.hasPrefix("Runtime exited with error: exit status 3, before it read its standard input"))
            try await leaver.ended()
        }
    }

    @Test func `a program that fails is an error with its last words`() async throws {
        try await withStage { stage in
            let staged = try await stage.ready(try stage.program("sh -c 'cat; echo no such account >&2; exit 4'"))
            let id = InstanceSurroundings.randomUUID()
            let answer = try await staged.invoke(staged.invocation(Array("x".utf8), id: id))
            #expect(answer.functionError == "Unhandled")
            #expect(answer.json?["errorType"]?.string == "Runtime.ExitError")
            #expect(answer.json?["errorMessage"]?.string == "RequestId: \(id) Error: Runtime exited with error: exit status 4")
            #expect(answer.json?["stderr"]?.array?.first?.string == "no such account")
            try await staged.ended()
        }
    }

    @Test func `a program over its time, or with too long an answer, is stopped`() async throws {
        try await withStage { stage in
            let slow = try await stage.ready(try stage.program("sh -c 'cat; sleep 1000'", name: "slow", timeout: 1))
            #expect(try await slow.invoke("x").call.outcome == .timedOut)
            try await slow.ended()
            let long = try await stage.ready(try stage.program("head -c 6291557 /dev/zero", name: "long"))
            #expect(try await long.invoke("x").json?["errorType"]?.string == "Function.ResponseSizeTooLarge")
            try await long.ended()
        }
    }

    @Test func `a large input goes through while the answer comes`() async throws {
        try await withStage { stage in
            let staged = try await stage.ready(try stage.program("cat", timeout: 60))
            let payload = [UInt8](repeating: UInt8(ascii: "x"), count: 6_000_000)
            let answer = try await staged.invoke(staged.invocation(payload))
            #expect(answer.payload == payload)
            try await staged.ended()
        }
    }

    @Test func `the input can be the file that has arrived, and only then`() async throws {
        try await withStage { stage in
            try stage.directory.write("<Document/>", to: "arrived/a b.xml")
            var function = try stage.program("cat")
            function.settings.input = .file
            let event =
                "{\"Records\":[{\"s3\":{\"bucket\":{\"arn\":\"arn:forkless:directory:us-east-1:000000000000:\(stage.directory.path("arrived"))\"},\"object\":{\"key\":\"a+b.xml\"}}}]}"
            let staged = try await stage.ready(function)
            var invocation = staged.invocation(Array(event.utf8))
            invocation.source = "directory"
            #expect(try await staged.invoke(invocation).text == "<Document/>")
            try await staged.ended()
            let other = try await stage.ready(function)
            #expect(try await other.invoke(event).json?["errorType"]?.string == "Function.InvalidInput")
            try await other.ended()
        }
    }

    @Test func `a handler that names no program is refused`() async throws {
        try await withStage { stage in
            for handler in ["", "no-such-program-anywhere", "a | b", "./missing"] {
                let staged = await stage.launch(try stage.program(handler, name: "nameless\(handler.count)"))
                let failure = try await staged.failed()
                #expect(failure.errorType == "Runtime.InvalidEntrypoint" && failure.isPermanent)
                try await staged.ended()
            }
        }
    }
}
