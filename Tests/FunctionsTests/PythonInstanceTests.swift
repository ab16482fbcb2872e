import JSON
import Lambda
import Linux
import Metering
import TestKit
import Testing

@testable import Functions

/// Python functions with AWS's own runtime client, started cold.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct PythonInstanceTests {
    @Test func `a Python function runs with AWS's own runtime client`() async throws {
        try await withPython { python in
            let function = try python.function(
                "cold",
                """
                import os, sys
                import awslambdaric
                def handler(event, context):
                    return {"event": event, "name": context.function_name, "memory": context.memory_limit_in_mb,
                            "left": context.get_remaining_time_in_millis() > 0, "path": sys.path[:5], "cwd": os.getcwd(),
                            "client": awslambdaric.__file__, "log": context.log_stream_name, "arn": context.invoked_function_arn}
                """, start: .cold)
            let staged = try await python.stage.ready(function)
            let answer = try await staged.invoke("{\"a\":1}")
            #expect(answer.functionError == nil, "\(answer.text)")
            let json = try #require(answer.json)
            #expect(json["event"]?["a"] == 1)
            #expect(json["name"] == "cold")
            #expect(json["left"] == true)
            #expect(json["cwd"] == "/var/task")
            #expect(json["client"]?.string?.hasPrefix("/var/runtime/") == true, "\(answer.text)")
            #expect(json["log"]?.string?.contains("/[$LATEST]") == true)
            let paths = json["path"]?.array?.compactMap(\.string) ?? []
            #expect(paths.contains("/opt/python") && paths.first == "/var/task", "\(paths)")
            #expect(answer.call.start == .cold)
            try await python.leave([staged])
        }
    }

    @Test func `a module that is missing is the error that AWS's client reports`() async throws {
        for start in [FunctionSettings.Start.cold, .zygote] {
            try await withPython { python in
                let function = try python.function("broken", "import nothing_of_this_name\n", start: start)
                let staged = await python.stage.launch(function)
                let failure = try await staged.failed()
                #expect(failure.errorType == "Runtime.ImportModuleError", "\(start)")
                #expect(failure.errorMessage.contains("nothing_of_this_name"))
                try await staged.ended()
                python.stage.launcher.forget(function)
            }
        }
    }

    @Test func `an exception is answered as AWS's client puts it`() async throws {
        for start in [FunctionSettings.Start.cold, .zygote] {
            try await withPython { python in
                let function = try python.function(
                    "raises", "def handler(event, context):\n    raise ValueError('not today')\n", start: start)
                if start == .zygote { try await python.warm(function) }
                let staged = try await python.stage.ready(function)
                let answer = try await staged.invoke("{}")
                #expect(answer.functionError == "Unhandled")
                #expect(answer.json?["errorType"] == "ValueError")
                #expect(answer.json?["errorMessage"] == "not today")
                #expect(answer.json?["stackTrace"]?.array?.first?.string?.contains("/var/task/app.py") == true, "\(answer.text)")
                #expect(answer.call.start == (start == .cold ? .cold : .zygote))
                try await python.leave([staged])
            }
        }
    }
}
