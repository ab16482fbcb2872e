import Daemon
import HTTPServing
import JSON
import Linux
import Spawn
import TestKit
import Testing

/// AWS's own clients against a node as it is started by a user: real instances, real events.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct FunctionClientTests {
    private static func script(_ name: String) -> String {
        #filePath.replacing("DaemonTests/FunctionClientTests.swift", with: "Clients/\(name)")
    }

    private func withNode(_ body: (FunctionNode, PythonEnvironment, String) async throws -> Void) async throws {
        let python = try await PythonEnvironment.shared()
        let node = try FunctionNode()
        let result = await Result.of {
            let program = try await node.launch([
                "--lambda-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--python-runtimes", python.runtimes,
            ])
            let played = await Result.of { try await body(node, python, try await node.endpoint()) }
            try await node.end(program)
            try played.get()
        }
        try await node.close()
        try result.get()
    }

    private func run(_ words: [String], on node: FunctionNode) async throws -> CommandRunner.Outcome {
        try await CommandRunner.run(
            words, environment: ["PATH=/usr/bin:/bin:/usr/sbin:/sbin", "HOME=\(node.test.directory.path)"],
            within: .seconds(400))
    }

    @Test func `boto3 plays versions, limits, streams, events, queues and URLs on a node`() async throws {
        try await withNode { node, python, endpoint in
            let outcome = try await run(
                [python.python, Self.script("whole_node.py"), endpoint, python.runtime, node.test.directory.path],
                on: node)
            #expect(outcome.text.hasSuffix("ok\n"), "\(outcome.text)\(outcome.errorText)")
        }
    }

    @Test(arguments: ["boto3", "cli"]) func `every operation of the service is driven on a node`(client: String)
        async throws
    {
        try await withNode { node, python, endpoint in
            let outcome = try await run(
                [python.python, Self.script("lambda_operations.py"), client, endpoint, python.runtime], on: node)
            #expect(outcome.text.hasSuffix("ok\n"), "\(outcome.text)\(outcome.errorText)")
        }
    }

    @Test func `telemetry is delivered, logs are served, images run, and what is not offered is refused`() async throws
    {
        try await withNode { node, python, endpoint in
            let image = try await self.image(on: node)
            let outcome = try await run(
                [
                    python.python, Self.script("node_features.py"), endpoint, python.runtime, node.test.directory.path,
                    image, "/usr/bin/python3",
                ], on: node)
            #expect(outcome.text.hasSuffix("ok\n"), "\(outcome.text)\(outcome.errorText)")
        }
    }

    /// Builds an image on the node whose entry point is a program that speaks the Runtime API.
    private func image(on node: FunctionNode) async throws -> String {
        let context = node.test.directory.path("context")
        try Files.makeDirectories(context)
        let source = #filePath.replacing("DaemonTests/FunctionClientTests.swift", with: "Fixtures/bootstrap.c")
        let compiled = try await run(["cc", "-O1", "-static", "-o", context + "/bootstrap", source], on: node)
        try #require(compiled.status.isSuccess, "\(compiled.errorText)")
        try Files.replace(
            context + "/Dockerfile",
            with: Array("FROM scratch\nCOPY bootstrap /bin/play\nENTRYPOINT [\"/bin/play\"]\n".utf8))
        let places = ["--state", node.test.settings.state, "--run", node.test.settings.run]
        let built = try await run([try TestNode.forkless(), "build"] + places + ["-t", "play:1", context], on: node)
        try #require(built.status.isSuccess, "\(built.text)\(built.errorText)")
        return "play:1"
    }
}

extension Result where Failure == any Error, Success: Sendable {
    /// What a work came to, so that something can be done in between.
    static func of(_ work: () async throws -> Success) async -> Self {
        do { return .success(try await work()) } catch { return .failure(error) }
    }
}
