import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// `forkless recommend` against a real node: what it advises, and that it does it.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(4))) struct RecommendIntegrationTests {
    private static let quiet = ["FORKLESS_LAMBDA_LISTEN=off", "FORKLESS_HTTP_LISTEN=off", "FORKLESS_KUBERNETES_LISTEN=off"]

    private func recommend(_ forkless: TestForkless, _ words: String...) async throws -> JSONValue {
        let outcome = try await forkless.call(["recommend", "--output", "json"] + words)
        try #require(outcome.status.isSuccess, "\(outcome.errorText)")
        return try JSONParser.parse(outcome.output)
    }

    private func change(_ quantity: String, of workload: String, _ json: JSONValue) -> JSONValue? {
        let found = (json["workloads"]?.array ?? []).first { $0["workload"]?.string == workload }
        return found?["changes"]?.array?.first { $0["quantity"]?.string == quantity }
    }

    private func memory(_ forkless: TestForkless) async throws -> Int64? {
        let list = try JSONParser.parse(try await forkless("fn", "list", "--output", "json").output)
        return list["Functions"]?.array?.first?["MemorySize"]?.integer
    }

    @Test func `a function and a container are measured, advised and made smaller`() async throws {
        let forkless = try TestForkless()
        try await forkless.withNode(environment: Self.quiet) {
            let deployed = try await forkless("fn", "deploy", "sum", "--memory", "1024", "--", "wc", "-w")
            try #require(deployed.status.isSuccess, "\(deployed.errorText)")
            for number in 0..<6 {
                _ = try await forkless("fn", "invoke", "sum", "--payload", "\"\(number) words\"")
                // Apart, so that calls do not take each other's share of the processor.
                try await Task.sleep(for: .milliseconds(120))
            }
            _ = try await forkless("run", "-d", "--name", "big", "--memory", "512m", "sleep", "600")
            // Too few calls, and too short a time, are answers.
            let few = try await recommend(forkless)
            let remarks = (few["workloads"]?.array ?? []).flatMap { $0["remarks"]?.array ?? [] }.compactMap(\.string)
            #expect(remarks.contains("too few calls: 6 of the 100 that advice needs"), "\(remarks)")
            #expect(remarks.contains { $0.hasPrefix("too short: it has run for ") }, "\(remarks)")

            try await eventually("the container has run for a second") {
                change("memory", of: "big", try await recommend(forkless, "--min-time", "1s", "big")) != nil
            }
            let flags = ["--min-calls", "5", "--min-time", "1s"]
            let table = try await forkless.call(["recommend", "--apply", "--dry-run"] + flags)
            #expect(table.text.contains("would do: aws lambda update-function-configuration --function-name sum --memory-size "), "\(table.text)")
            #expect(table.text.contains("0 of 6 calls that would have exceeded it; with 95 % confidence at most 39 %."), "\(table.text)")
            #expect(try await memory(forkless) == 1024)
            // Only what is named.
            let done = try await recommend(forkless, "--apply", "--min-calls", "5", "--min-time", "1s", "sum", "container/big")
            #expect(done["applied"]?.array?.allSatisfy { $0["problem"] == nil } == true, "\(done)")
            let advised = try #require(change("memory", of: "sum", done)?["after"]?.string)
            let after = try #require(try await memory(forkless))
            #expect(advised == "\(after) MB" && after < 1024)
            let inspected = try JSONParser.parse(try await forkless("inspect", "big").output)
            #expect("\(inspected)".contains("16777216"), "\(inspected)")
            let stranger = try await forkless("recommend", "nobody")
            #expect(stranger.status == .exited(1) && stranger.errorText.contains("no function, shift, running container or deployment"))
            #expect(try await forkless("recommend", "--dry-run").status == .exited(125))
            #expect(try await forkless("recommend", "--watch", "500ms").status == .exited(125))
            _ = try await forkless("rm", "-f", "big")
        }
    }
}
