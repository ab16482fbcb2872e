import Linux
import TestKit
import Testing

@testable import LambdaAPI

/// AWS's own clients against the door, over a real catalogue.
@Suite(.serialized) struct ClientTests {
    private static let script = #filePath.replacing(
        "LambdaAPITests/ClientTests.swift", with: "Clients/lambda_operations.py")

    private func drive(_ mode: String, keys: AccessKeys? = nil) async throws {
        let python = try await PythonEnvironment.shared()
        try await ServedDoor.with(keys: keys) { door in
            let outcome = try await CommandRunner.run(
                [python.python, Self.script, mode, door.endpoint, python.runtime],
                environment: [
                    "PATH=/usr/bin:/bin", "HOME=\(door.directory.path)", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE",
                    "AWS_SECRET_ACCESS_KEY=secret",
                ],
                within: .seconds(240))
            #expect(outcome.text.hasSuffix("ok\n"), "\(outcome.text)\(outcome.errorText)")
        }
    }

    @Test func `boto3 drives every operation`() async throws { try await drive("boto3") }

    @Test func `boto3 drives every operation with signatures that are verified`() async throws {
        try await drive("boto3", keys: AccessKeys(["AKIDEXAMPLE": "secret"]))
    }

    @Test func `the aws command line drives every operation`() async throws { try await drive("cli") }

    @Test func `the aws command as it is typed invokes a function and waits for one`() async throws {
        let python = try await PythonEnvironment.shared()
        try await ServedDoor.with { door in
            try await door.declare("echo")
            let file = door.directory.path("out.json")
            func aws(_ words: [String]) async throws -> CommandRunner.Outcome {
                try await CommandRunner.run(
                    [python.aws] + words + ["--endpoint-url", door.endpoint],
                    environment: [
                        "PATH=/usr/bin:/bin", "HOME=\(door.directory.path)", "AWS_ACCESS_KEY_ID=A",
                        "AWS_SECRET_ACCESS_KEY=b",
                        "AWS_DEFAULT_REGION=us-east-1",
                    ])
            }
            let waited = try await aws(["lambda", "wait", "function-active-v2", "--function-name", "echo"])
            #expect(waited.status.isSuccess, "\(waited.errorText)")
            let invoked = try await aws([
                "lambda", "invoke", "--function-name", "echo", "--payload", #"{"a":1}"#, "--log-type", "Tail", file,
            ])
            #expect(
                invoked.status.isSuccess && invoked.text.contains("\"ExecutedVersion\": \"$LATEST\""),
                "\(invoked.text)\(invoked.errorText)")
            #expect(try Files.readText(file) == #"{"a":1}"#)
        }
    }
}
