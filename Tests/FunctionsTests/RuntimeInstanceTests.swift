import Engine
import JSON
import Keeper
import Lambda
import Linux
import Metering
import Spawn
import TestKit
import Testing

@testable import Functions

/// Instances of a real program in real sandboxes, and everything that it can do wrong.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct RuntimeInstanceTests {
    @Test func `an instance answers one call after the other`() async throws {
        try await withStage { stage in
            let staged = try await stage.ready(try stage.function())
            let first = try await staged.invoke("{\"a\":1}")
            #expect(first.text == "{\"a\":1}")
            #expect(first.functionError == nil)
            #expect(first.call.start == .cold)
            #expect(first.call.initMicroseconds ?? 0 > 0)
            #expect(first.call.billedMilliseconds * 1000 >= first.call.durationMicroseconds + (first.call.initMicroseconds ?? 0))
            #expect(first.call.peakMemoryBytes > 0)
            #expect(first.call.instance == (await staged.name()))
            let second = try await staged.invoke("2")
            #expect(second.text == "2")
            #expect(second.call.start == .warm)
            #expect(second.call.initMicroseconds == nil)
            try await eventually("two free places") { staged.told.filter { $0 == .free }.count == 2 }
            await staged.stop()
            try await staged.ended()
            #expect(staged.told.last == .ended("killed by signal 9 (SIGKILL)") || staged.told.count == 4)
        }
    }

    /// Has a place, and in it something that has ended.
    private struct DeadPlaces: InstanceStarting, RuntimePlanning {
        let planning: BootstrapPlanning

        func plan(_ function: DeployedFunction) async throws(InstanceStartFailure) -> InstanceRecipe {
            var recipe = try await planning.plan(function)
            recipe.starter = self
            return recipe
        }

        func place(for instance: String) async -> InstanceNetwork? { try? InstanceNetwork.make() }

        func start(
            _ instance: String, environment: StringBlock, descriptors: [CInt], ended: @escaping FunctionSandboxes.Ended
        ) async throws(NodeFailure) -> StartedSandbox {
            throw NodeFailure(.system, "what waited has ended")
        }

        func kill(_ instance: String) async {}
        func terminate(_ instance: String) async {}
        func forget() async {}
    }

    @Test func `an instance whose place is dead is started cold`() async throws {
        try await withStage { stage in
            let planning = BootstrapPlanning(stage.launcher.plans, zygotes: nil)
            stage.launcher.use(DeadPlaces(planning: planning), for: .bootstrap)
            let staged = try await stage.ready(try stage.function())
            let answer = try await staged.invoke("1")
            #expect(answer.text == "1" && answer.call.start == .cold)
            await staged.stop()
            try await staged.ended()
        }
    }

    @Test func `the log has the lines that the service prints`() async throws {
        try await withStage { stage in
            let staged = try await stage.ready(try stage.function("talker"))
            let id = "11111111-2222-4333-8444-555555555555"
            let answer = try await staged.invoke("say a word of mine", id: id)
            let lines = answer.log.split(separator: "\n")
            #expect(lines.first == "START RequestId: \(id) Version: $LATEST")
            #expect(lines.dropFirst().first == "a word of mine")
            #expect(lines.dropFirst(2).first == "END RequestId: \(id)")
            let report = try #require(lines.last)
            #expect(report.hasPrefix("REPORT RequestId: \(id)\tDuration: "))
            #expect(report.contains(" ms\tMemory Size: 1769 MB\tMax Memory Used: "))
            #expect(report.contains("\tInit Duration: ") && report.hasSuffix(" ms\t"))
            let kept = try stage.log("talker")
            #expect(kept.first == "INIT_START Runtime Version: provided")
            #expect(kept.dropFirst().map { Substring($0) } == lines)
            await staged.stop()
            try await staged.ended()
        }
    }

    @Test func `the environment and the files are those of the service`() async throws {
        try await withStage { stage in
            let staged = try await stage.ready(
                try stage.function("seen", environment: ["MODEL": "risk", "PATH": "/var/task:/usr/bin"]))
            let environment = try await staged.invoke("env").text.split(separator: "\n").map(String.init)
            for variable in [
                "AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001", "_HANDLER=play.handler", "LAMBDA_TASK_ROOT=/var/task",
                "LAMBDA_RUNTIME_DIR=/var/runtime", "AWS_LAMBDA_FUNCTION_NAME=seen", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1769", "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
                "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/seen", "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand", "TZ=:UTC",
                "MODEL=risk", "PATH=/var/task:/usr/bin",
            ] { #expect(environment.contains(variable), "\(variable)") }
            #expect(environment.contains { $0.hasPrefix("AWS_LAMBDA_LOG_STREAM_NAME=20") && $0.contains("/[$LATEST]") })
            #expect(try await staged.invoke("write").text == "read-only read-only read-only yes ")
            await staged.stop()
            try await staged.ended()
        }
    }

    // What goes wrong while it starts.

    @Test(arguments: [
        ("exit3", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ("exit0", "Runtime.ExitError", "Runtime exited without providing a reason"),
        ("kill", "Runtime.ExitError", "Runtime exited with error: signal: "),
        ("eat", "Runtime.OutOfMemory", "Runtime exited with error: signal: killed"),
    ])
    func `a program that ends while it starts is an error with its reason`(
        mode: String, errorType: String, message: String
    ) async throws {
        try await withStage { stage in
            let staged = await stage.launch(try stage.function("dying", environment: ["MODE": mode], memoryMB: 128))
            let failure = try await staged.failed()
            #expect(failure.errorType == errorType)
            #expect(failure.errorMessage.hasPrefix(message))
            try await staged.ended()
            #expect(staged.told.count == 2)
            #expect(try stage.log("dying").last?.contains("Phase: init\tStatus: error\tError Type: \(errorType)") == true)
        }
    }

    @Test func `a runtime that reports its failure is quoted`() async throws {
        try await withStage { stage in
            let staged = await stage.launch(try stage.function("modelless", environment: ["MODE": "initerror"]))
            let failure = try await staged.failed()
            #expect(failure.errorType == "Function.NoModel")
            #expect(failure.body(requestID: "x") == Array("{\"errorType\":\"Function.NoModel\",\"errorMessage\":\"the model is missing\"}".utf8))
            try await staged.ended()
            #expect(staged.told.count == 2)
        }
    }

    @Test func `a function that cannot be started says so and ends`() async throws {
        try await withStage { stage in
            var function = try stage.function("empty")
            try Files.remove(try #require(function.codeDirectory) + "/bootstrap")
            let missing = await stage.launch(function)
            let failure = try await missing.failed()
            #expect(failure.errorType == "Runtime.InvalidEntrypoint")
            #expect(failure.errorMessage == "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]")
            #expect(failure.isPermanent)
            try await missing.ended()
            // A script without an interpreter: there, executable, and no program.
            try stage.directory.write("no program", to: "code-empty/bootstrap", mode: 0o755)
            function.revision = "2"
            let broken = await stage.launch(function)
            #expect(try await broken.failed().errorType == "Runtime.InvalidEntrypoint")
            try await broken.ended()
        }
    }

    @Test func `an initialisation that hangs is stopped after its time`() async throws {
        try await withStage { stage in
            let staged = await stage.launch(try stage.function("stuck", environment: ["MODE": "hang"], timeout: 1))
            let failure = try await staged.failed()
            #expect(failure.errorType == "Sandbox.Timedout")
            #expect(failure.errorMessage == "Task timed out after 10.00 seconds")
            try await staged.ended()
            #expect(staged.told.count == 2)
        }
    }

    // What goes wrong in a call.

    @Test func `each failure has the error that the service has`() async throws {
        try await withStage { stage in
            let function = try stage.function("failing", memoryMB: 128)
            for (event, errorType, message) in [
                ("exit 1", "Runtime.ExitError", "Runtime exited with error: exit status 1"),
                ("exit 0", "Runtime.ExitError", "Runtime exited without providing a reason"),
                // abort(3) in the first process of a pid namespace, which no signal of its own ends, ends in a fault.
                ("crash", "Runtime.ExitError", "Runtime exited with error: signal: "),
                ("eat", "Runtime.OutOfMemory", "Runtime exited with error: signal: killed"),
            ] {
                let staged = try await stage.ready(function)
                let id = InstanceSurroundings.randomUUID()
                let answer = try await staged.invoke(event, id: id)
                #expect(answer.functionError == "Unhandled")
                #expect(answer.json?["errorType"]?.string == errorType)
                let text = answer.json?["errorMessage"]?.string ?? ""
                #expect(text.hasPrefix("RequestId: \(id) Error: \(message)"), "\(text)")
                #expect(answer.log.contains("\tStatus: error\tError Type: \(errorType)\t"))
                #expect(answer.call.outcome == (event == "eat" ? .outOfMemory : .functionError(errorType)))
                try await staged.ended()
            }
        }
    }

    @Test func `a killed instance answers its call and ends`() async throws {
        try await withStage { stage in
            let staged = try await stage.ready(try stage.function("victim"))
            let name = await staged.name()
            async let answer = staged.invoke("hang")
            try await eventually("a call under way") { try stage.log("victim").contains { $0.hasPrefix("START") } }
            let report = try #require(try await stage.link.list().first { $0.sandbox == name })
            try ProcessFD(pid: report.start.pid).signal(Signal.kill)
            #expect(try await answer.json?["errorType"]?.string == "Runtime.ExitError")
            #expect(try await answer.json?["errorMessage"]?.string?.hasSuffix("signal: killed") == true)
            try await staged.ended()
            #expect(staged.told.count == 2)
        }
    }

    @Test func `a call over its time is answered and its tree is killed`() async throws {
        try await withStage { stage in
            let staged = try await stage.ready(try stage.function("slow", timeout: 1))
            let id = InstanceSurroundings.randomUUID()
            let answer = try await staged.invoke("hang", id: id)
            #expect(
                answer.json == [
                    "errorType": "Sandbox.Timedout",
                    "errorMessage": .string("RequestId: \(id) Error: Task timed out after 1.00 seconds"),
                ])
            #expect(answer.call.outcome == .timedOut)
            #expect(answer.log.contains("\(id) Task timed out after 1.00 seconds\n"))
            #expect(answer.log.contains("\tStatus: timeout\t"))
            try await staged.ended()
            // Neither the runtime nor the child that it left in the call.
            try await eventually("an empty keeper") { try await stage.link.list().isEmpty }
        }
    }

    @Test func `a caller's deadline comes before the function's time`() async throws {
        try await withStage { stage in
            let staged = try await stage.ready(try stage.function("hurried", timeout: 60))
            var invocation = staged.invocation(Array("hang".utf8))
            invocation.deadline = Instant(nanoseconds: Clock.monotonicNanoseconds() + 200_000_000)
            #expect(try await staged.invoke(invocation).call.outcome == .timedOut)
            try await staged.ended()
        }
    }

    @Test func `an error of the function leaves the instance as it is`() async throws {
        try await withStage { stage in
            let staged = try await stage.ready(try stage.function("refusing"))
            let answer = try await staged.invoke("error")
            #expect(answer.functionError == "Unhandled")
            #expect(answer.text == "{\"errorType\":\"Function.Refused\",\"errorMessage\":\"no\"}")
            #expect(answer.call.outcome == .functionError("Function.Refused"))
            #expect(!answer.log.contains("Status:"))
            #expect(try await staged.invoke("1").text == "1")
            await staged.stop()
            try await staged.ended()
        }
    }

    @Test func `an answer of one byte too many is refused, and the longest one is taken`() async throws {
        try await withStage { stage in
            let staged = try await stage.ready(try stage.function("talkative"))
            let longest = try await staged.invoke("large \(AnswerLimits.bufferedBytes)")
            #expect(longest.functionError == nil)
            #expect(longest.payload.count == AnswerLimits.bufferedBytes)
            let more = try await staged.invoke("large \(AnswerLimits.bufferedBytes + 1)")
            #expect(more.functionError == "Unhandled")
            #expect(
                more.text
                    == "{\"errorType\":\"Function.ResponseSizeTooLarge\",\"errorMessage\":\"Response payload size exceeded maximum allowed payload size (6291556 bytes).\"}")
            // The runtime heard of it, and goes on.
            let next = try await staged.invoke("say next")
            #expect(next.functionError == nil)
            try await eventually("the runtime's line") { try stage.log("talkative").contains("large: 413") }
            await staged.stop()
            try await staged.ended()
        }
    }

    @Test func `a second answer and one to a call that never was are refused`() async throws {
        try await withStage { stage in
            let staged = try await stage.ready(try stage.function("eager"))
            #expect(try await staged.invoke("twice").text == "\"first\"")
            #expect(try await staged.invoke("wrong").text == "400")
            try await eventually("the refusal") {
                try stage.log("eager").contains { $0.hasPrefix("second answer: 403") && $0.contains("InvalidStateTransition") }
            }
            await staged.stop()
            try await staged.ended()
        }
    }

    @Test func `a flood of lines is bounded and holds up nobody`() async throws {
        try await withStage { stage in
            let staged = try await stage.ready(try stage.function("loud", timeout: 120))
            let answer = try await staged.invoke("flood 40000")
            #expect(answer.functionError == nil)
            #expect(answer.logTail.count <= InstanceOutput.tailBytes)
            #expect(answer.log.hasSuffix("ms\t\n"))
            stage.launcher.logs.flushAll()
            let directory = stage.launcher.logs.directory(of: "loud")
            let sizes = try Files.list(directory).map { try Files.status("\(directory)/\($0)").size }
            #expect(sizes.allSatisfy { $0 <= FunctionLog.fileBytesLimit })
            #expect(sizes.count == 2)
            await staged.stop()
            try await staged.ended()
        }
    }

    @Test func `children that a call leaves behind end with the instance`() async throws {
        try await withStage { stage in
            let staged = try await stage.ready(try stage.function("parent"))
            #expect(try await staged.invoke("leave").functionError == nil)
            let name = await staged.name()
            let pid = try #require(try await stage.link.list().first { $0.sandbox == name }).start.pid
            let children = try Files.readText("/proc/\(pid)/task/\(pid)/children").split(separator: " ")
            #expect(children.count == 1)
            await staged.stop()
            try await staged.ended()
            try await eventually("the child's end") { !children.contains { Files.exists("/proc/\($0)") } }
        }
    }

    @Test func `processes of an instance are bounded`() async throws {
        try await withStage { stage in
            let staged = try await stage.ready(try stage.function("breeder", timeout: 60))
            let made = try #require(Int(try await staged.invoke("fork").text))
            #expect(made > 500 && made < FunctionPlans.processLimit)
            await staged.stop()
            try await staged.ended()
        }
    }

    @Test func `several calls at once are answered each for itself`() async throws {
        try await withStage { stage in
            var function = try stage.function("many")
            function.settings.freshness = .concurrent(4)
            let staged = try await stage.ready(function)
            try await withThrowingTaskGroup(of: (Int, String).self) { group in
                for number in 0..<4 { group.addTask { (number, try await staged.invoke("\(number)").text) } }
                for try await (number, text) in group { #expect(text == "\(number)") }
            }
            await staged.stop()
            try await staged.ended()
        }
    }

    // Streams.

    @Test func `a streamed answer reaches the caller in parts, with its error at the end`() async throws {
        try await withStage { stage in
            let staged = try await stage.ready(try stage.function("streamer"))
            for (event, error) in [("stream", nil), ("stream 2", "Function.Late")] as [(String, String?)] {
                let parts = Parts()
                var invocation = staged.invocation(Array(event.utf8))
                invocation.stream = parts.stream
                let answer = try await staged.invoke(invocation)
                #expect(parts.told == ["text/plain", "hello", " world"])
                #expect(answer.call.answerBytes >= 11 || error != nil)
                if let error {
                    #expect(answer.call.outcome == .functionError(error))
                    #expect(answer.text == "{\"errorType\":\"Late\"}")
                } else {
                    #expect(answer.functionError == nil && answer.payload.isEmpty)
                }
            }
            // Wanted whole, it comes whole.
            #expect(try await staged.invoke("stream").text == "hello world")
            await staged.stop()
            try await staged.ended()
        }
    }

    @Test func `a stream that breaks off is an error`() async throws {
        try await withStage { stage in
            let staged = try await stage.ready(try stage.function("breaking"))
            let parts = Parts()
            var invocation = staged.invocation(Array("stream 1".utf8))
            invocation.stream = parts.stream
            let answer = try await staged.invoke(invocation)
            #expect(answer.functionError == "Unhandled")
            #expect(["Runtime.TruncatedResponse", "Runtime.ExitError"].contains(answer.json?["errorType"]?.string ?? ""))
            try await staged.ended()
        }
    }
}
