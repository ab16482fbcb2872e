import Lambda
import Linux
import TestKit
import Testing

@testable import Functions

/// The examples that are a bootstrap of their own, as functions. (The zygote in C is in ZygoteTests.)
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct ExampleFunctionTests {
    @Test func `the example in Swift counts words, and reports an event that it cannot read`() async throws {
        try await withStage { stage in
            let function = try await example("bootstrap-swift", on: stage)
            let staged = try await stage.ready(function)
            let answer = try await staged.invoke("{\"text\":\"three short words\"}")
            #expect(answer.functionError == nil, "\(answer.text)")
            #expect(answer.text.contains("3"), "\(answer.text)")
            let failed = try await staged.invoke("{}")
            #expect(failed.functionError != nil, "\(failed.text)")
            #expect(try await staged.invoke("{\"text\":\"one\"}").text.contains("1"))
            await staged.stop()
            try await staged.ended()
            stage.launcher.forget(function)
        }
    }

    /// A function whose bootstrap the examples' own Makefile has built.
    private func example(_ name: String, on stage: InstanceStage) async throws -> DeployedFunction {
        let examples = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/Examples/functions"
        let build = stage.directory.path("build")
        // An optimised Swift program with all of its libraries in it: minutes on a slow machine.
        let built = try await CommandRunner.run(
            ["make", "-C", examples, "OUT=\(build)", "\(build)/\(name)"], within: .seconds(600))
        try #require(built.status.isSuccess, "\(built.errorText)")
        let code = stage.directory.path("code-\(name)")
        try Files.makeDirectories(code)
        try Files.replace(code + "/bootstrap", with: try Files.read(build + "/" + name, limit: 64 << 20), mode: 0o755)
        return DeployedFunction(
            name: name, version: "$LATEST", arn: "arn:aws:lambda:us-east-1:000000000000:function:\(name)", revision: "1",
            codeDigest: "digest", runtime: .bootstrap, codeDirectory: code, memoryMB: 256, timeoutSeconds: 10)
    }
}
