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

    @Test func `recorded calls run again against another version, and the status says whether their answers are the same`() async throws {
        try await withNode { forkless in
            _ = try await forkless("fn", "deploy", "f", "--record", "--order", "path:$.account", "--", "sed", "s/x/y/")
            _ = try await forkless("fn", "publish", "f")
            for number in 1...3 {
                let event = "{\"account\":\"\(number % 2)\",\"n\":\(number),\"v\":\"\(number == 2 ? "x" : "-")\"}"
                let answer = try await forkless("fn", "invoke", "f", "--qualifier", "1", "--payload", event)
                #expect(answer.status.isSuccess, "\(answer.errorText)")
            }
            let same = try await forkless("ledger", "replay", "f", "--against", "1", "--concurrency", "2")
            #expect(same.status.isSuccess, "\(same.errorText)")
            #expect(same.text.contains("3  the same, byte for byte"), "\(same.text)")

            _ = try await forkless("fn", "deploy", "f", "--", "sed", "s/x/z/")
            _ = try await forkless("fn", "publish", "f")
            _ = try await forkless("fn", "alias", "f", "next", "2")
            let other = try await forkless("ledger", "replay", "f", "--against", "next")
            #expect(other.status == .exited(1))
            #expect(other.errorText == "forkless: 1 of 3 recorded calls of f were answered differently.\n")
            #expect(other.text.contains("$.v"), "\(other.text)")
            let json = try await forkless("ledger", "replay", "f", "--against", "2", "--order", "0", "--output", "json")
            #expect(json.status == .exited(1))
            let report = try JSONParser.parse(json.text)
            #expect(report["clean"] == false && report["counts", "different"] == 1 && report["counts", "identical"] == 0)
            #expect(report["differences"]?[0]?["answered"] == .string(#"{"account":"0","n":2,"v":"z"}"#))

            let earlier = try await forkless("ledger", "replay", "f", "--against", "2", "--to", "2020-01-01")
            #expect(earlier.status == .exited(1) && earlier.errorText.contains("nothing was compared"), "\(earlier.errorText)")
            for (flags, sentence) in [
                (["--against", "9"], "(ResourceNotFoundException)"), (["--against", "2", "--from", "soon"], "expected a day such as"),
                (["--against", "2", "--concurrency", "65"], "expected 1 to 64"),
            ] {
                let refused = try await forkless.call(["ledger", "replay", "f"] + flags)
                #expect(refused.status == .exited(1) && refused.errorText.contains(sentence), "\(refused.errorText)")
            }
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

    @Test func `a template is deployed, deployed again without a change, and changed`() async throws {
        try await withNode { forkless in
            try Files.makeDirectories(forkless.path("app/src"))
            try Files.replace(forkless.path("app/src/words"), with: Array("#!/bin/sh\nwc -w\n".utf8), mode: 0o755)
            func write(_ timeout: Int) throws {
                let text = """
                    Transform: AWS::Serverless-2016-10-31
                    Parameters:
                      Size: {Type: Number, Default: 256}
                    Resources:
                      Jobs: {Type: AWS::SQS::Queue}
                      Count:
                        Type: AWS::Serverless::Function
                        Properties:
                          FunctionName: count
                          CodeUri: src
                          Runtime: forkless.stdio
                          Handler: /var/task/words
                          MemorySize: !Ref Size
                          Timeout: \(timeout)
                          FunctionUrlConfig: {AuthType: NONE}
                          Events:
                            Job: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn, BatchSize: 1}}
                            Often: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
                    Outputs:
                      Queue: {Value: !Ref Jobs}

                    """
                try Files.replace(forkless.path("app/template.yaml"), with: Array(text.utf8))
            }
            func deploy(_ more: [String] = []) async throws -> CommandRunner.Outcome {
                try await forkless.call(["fn", "deploy", "--template", forkless.path("app/template.yaml")] + more)
            }
            try write(9)
            let made = try await deploy(["--parameter-overrides", "Size=512"])
            #expect(made.status.isSuccess && made.text.contains("created function count\n"), "\(made.text)\(made.errorText)")
            #expect(made.text.contains("Queue: http"), "\(made.text)")
            let functions = try JSONParser.parse(try await forkless("fn", "list", "--output", "json").text)["Functions"]
            #expect(functions?[0]?["MemorySize"] == 512 && functions?[0]?["Timeout"] == 9)
            #expect(try await forkless("fn", "invoke", "count", "--payload", "\"one two\"").text == "2\n")
            #expect(try await forkless("fn", "url", "count").text.hasPrefix("http://"))

            let same = try await deploy(["--parameter-overrides", "Size=512"])
            #expect(same.status.isSuccess && !same.text.contains("created ") && !same.text.contains("updated "), "\(same.text)")
            try write(11)
            let changed = try await deploy(["--parameter-overrides", "Size=512"])
            #expect(changed.text.contains("updated function count (Timeout)\n"), "\(changed.text)\(changed.errorText)")
            #expect(try await forkless("fn", "rm", "count").text == "count\n")
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
