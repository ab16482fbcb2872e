import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// `forkless fn` against a node that was started as a user starts it.
@Suite(.serialized, .enabled(if: isRoot)) struct FunctionIntegrationTests {
    private static let quiet = ["FORKLESS_LAMBDA_LISTEN=off", "FORKLESS_HTTP_LISTEN=127.0.0.1:0"]

    private func withNode(_ body: (TestForkless) async throws -> Void) async throws {
        let forkless = try TestForkless()
        try await forkless.withNode(environment: Self.quiet) { try await body(forkless) }
    }

    @Test func `a verb of functions needs a node and says how to start one`() async throws {
        let forkless = try TestForkless()
        for arguments in [["list"], ["invoke", "x"], ["deploy", "x", "--", "wc"], ["rm", "x"], ["scale", "x"], ["url", "x"], ["logs", "x"]] {
            let outcome = try await forkless.call(["fn"] + arguments)
            #expect(outcome.status == .exited(1))
            #expect(outcome.errorText.contains("no node serves functions at \(forkless.run)/lambda.sock. Start one: \"forkless node\""), "\(outcome.errorText)")
            #expect(outcome.text.isEmpty)
        }
    }

    @Test func `an unchanged program is deployed, invoked, listed and removed`() async throws {
        try await withNode { forkless in
            #expect(try await forkless("fn", "deploy", "count", "--", "wc", "-w").text == "created function count\n")
            #expect(try await forkless("fn", "deploy", "count", "--", "wc", "-w").text == "unchanged function count\n")
            let changed = try await forkless("fn", "deploy", "count", "--timeout", "9")
            #expect(changed.text == "updated function count (Timeout)\n", "\(changed.errorText)")

            let answer = try await forkless("fn", "invoke", "count", "--payload", "\"one two three\"")
            #expect(answer.text == "3\n", "\(answer.errorText)")
            let piped = try await forkless("fn", "invoke", "count", "--payload", "-", "--tail", input: "\"four more words here\"")
            #expect(piped.text == "4\n")
            #expect(piped.errorText.contains("REPORT RequestId: "), "\(piped.errorText)")

            let list = try await forkless("fn", "list", "--output", "json")
            let functions = try JSONParser.parse(list.text)["Functions"]
            #expect(functions?[0]?["FunctionName"] == "count")
            #expect(functions?[0]?["Timeout"] == 9)
            #expect(try await forkless("fn", "list").text.contains("forkless.stdio"))

            #expect(try await forkless("fn", "rm", "count").text == "count\n")
            let gone = try await forkless("fn", "invoke", "count")
            #expect(gone.status == .exited(1))
            #expect(gone.errorText.contains("(ResourceNotFoundException)"), "\(gone.errorText)")
        }
    }

    @Test func `an error of the function goes to stderr with status 1`() async throws {
        try await withNode { forkless in
            _ = try await forkless("fn", "deploy", "broken", "--", "sh", "-c", "cat >/dev/null; echo oops >&2; exit 3")
            let outcome = try await forkless("fn", "invoke", "broken", "--payload", "{}")
            #expect(outcome.status == .exited(1))
            #expect(outcome.text.isEmpty)
            #expect(outcome.errorText.hasPrefix("forkless: the function broken failed (Unhandled): "), "\(outcome.errorText)")
        }
    }

    @Test func `versions and aliases are led from the command line`() async throws {
        try await withNode { forkless in
            _ = try await forkless("fn", "deploy", "f", "--", "cat")
            #expect(try await forkless("fn", "publish", "f").text == "1\n")
            #expect(try await forkless("fn", "alias", "f", "live", "1").text == "live: version 1\n")
            #expect(try await forkless("fn", "alias", "f", "live").text == "live: version 1\n")
            let answer = try await forkless("fn", "invoke", "f", "--qualifier", "live", "--payload", "[1]")
            #expect(answer.text == "[1]\n", "\(answer.errorText)")
            #expect(try await forkless("fn", "scale", "f", "--reserved", "2").text == "reserved: 2\n")
            #expect(try await forkless("fn", "scale", "f", "--reserved", "none").text == "reserved: none\n")
        }
    }

    @Test func `a URL is given, shown and taken away`() async throws {
        try await withNode { forkless in
            _ = try await forkless("fn", "deploy", "f", "--", "cat")
            let url = try await forkless("fn", "url", "f")
            #expect(url.text.hasPrefix("http://") && url.text.contains(".lambda-url.localhost:"), "\(url.text)\(url.errorText)")
            #expect(try await forkless("fn", "url", "f").text == url.text)
            #expect(try await forkless("fn", "url", "f", "--rm").text == "f\n")
        }
    }

    @Test func `a mistake in a template changes nothing and names its place`() async throws {
        try await withNode { forkless in
            try Files.makeDirectories(forkless.path("app"))
            let template = forkless.path("app/template.yaml")
            let text = """
                Transform: AWS::Serverless-2016-10-31
                Resources:
                  Queue: {Type: AWS::SQS::Queue}
                  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Runtime: forkless.stdio, Handler: cat, Memory: 1}}

                """
            try Files.replace(template, with: Array(text.utf8))
            let outcome = try await forkless("fn", "deploy", "-t", template)
            #expect(outcome.status == .exited(1))
            #expect(outcome.errorText.contains("the template: line 4: Resources.F.Properties.Memory: not supported here"), "\(outcome.errorText)")
            #expect(try await forkless("fn", "list", "-q").text == "")
        }
    }

    /// The whole example: files and messages, some of them twice, through four functions, beside the legacy chain.
    @Test func `the payments example keeps its promises`() async throws {
        let forkless = try TestForkless()
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let outcome = try await CommandRunner.run(
            ["sh", "\(root)/Examples/payments/run.sh"],
            environment: forkless.environment.filter { !$0.hasPrefix("FORKLESS_") } + [
                "FORKLESS=\(forkless.executable)", "COUNT=16", "OUT=/var/cache/forkless-tests/payments",
            ], within: .seconds(400))
        #expect(outcome.status.isSuccess, "\(outcome.text)\n\(outcome.errorText)")
        #expect(outcome.text.contains("ok   5 came a second time and were not booked again"), "\(outcome.text)")
        #expect(!outcome.text.contains("FAIL"), "\(outcome.text)")
    }
}
