import JSON
import Lambda
import Linux
import Metering
import TestKit
import Testing

@testable import Functions

/// Instances that are forked from a zygote, in real sandboxes with AWS's own runtime client.
@Suite(.serialized, .enabled(if: isRoot)) struct ZygoteTests {
    @Test func `an instance is forked from what was imported once`() async throws {
        try await withPython { python in
            let function = try python.function(
                "forked",
                """
                import os, time
                imported = time.time_ns()
                def handler(event, context):
                    return {"imported": imported, "pid": os.getpid(), "log": os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
                            "kind": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], "cwd": os.getcwd(), "event": event}
                """, start: .zygote)
            var instances: [StagedInstance] = []
            var answers: [JSONValue] = []
            for number in 0..<3 {
                let staged = try await python.stage.ready(function, isProvisioned: number == 2)
                let answer = try await staged.invoke("\(number)")
                #expect(answer.functionError == nil, "\(answer.text)")
                #expect(answer.call.start == (number == 2 ? .provisioned : .zygote))
                #expect(try await staged.invoke("7").call.start == .warm)
                answers.append(try #require(answer.json))
                instances.append(staged)
            }
            #expect(Set(answers.compactMap { $0["imported"]?.description }).count == 1, "\(answers)")
            #expect(Set(answers.compactMap { $0["log"]?.string }).count == 3)
            #expect(answers.map { $0["event"] } == [0, 1, 2])
            #expect(answers.map { $0["kind"]?.string } == ["on-demand", "on-demand", "provisioned-concurrency"])
            try await python.leave(instances)
        }
    }
}
