import JSON
import Lambda
import Linux
import Metering
import TestKit
import Testing

@testable import Functions

/// Extensions in real sandboxes: the fixture as a file of a layer.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct ExtensionTests {
    /// A function with a layer that has these extensions, which write what they are told to a directory of the machine.
    private func function(
        _ stage: InstanceStage, _ names: [String], mode: String = "", out: String
    ) throws -> DeployedFunction {
        var function = try stage.function("extended", environment: ["EXTENSION": mode], timeout: 20)
        let layer = stage.directory.path("layer")
        try Files.makeDirectories(layer + "/extensions")
        for name in names { try Fixture.shared.get().copy(to: "\(layer)/extensions/\(name)") }
        try Files.makeDirectories(out)
        function.layerDirectories = [layer]
        function.fileSystems = [FileSystem(source: out, target: "/mnt/out")]
        return function
    }

    private func lines(_ path: String) -> [JSONValue] {
        ((try? Files.readText(path)) ?? "").split(separator: "\n").compactMap { try? JSONParser.parse(String($0)) }
    }

    @Test func `an extension hears of calls and of the end, and has time for it`() async throws {
        try await withStage { stage in
            let out = stage.directory.path("out")
            let staged = try await stage.ready(try function(stage, ["watcher"], out: out))
            let id = InstanceSurroundings.randomUUID()
            #expect(try await staged.invoke("1", id: id).text == "1")
            try await eventually("a free place") { staged.told.contains(.free) }
            await staged.stop()
            try await staged.ended()
            let events = lines(out + "/events")
            try #require(events.map { $0["eventType"]?.string } == ["INVOKE", "SHUTDOWN"])
            #expect(events[0]["requestId"]?.string == id)
            #expect(events[0]["invokedFunctionArn"]?.string == staged.function.arn)
            #expect(events[1]["shutdownReason"]?.string == "spindown")
            #expect(
                try stage.log("extended").contains {
                    $0.hasPrefix("extension watcher registered: {\"functionName\":\"extended\",\"functionVersion\":\"$LATEST\",\"handler\":\"play.handler\"}")
                })
        }
    }

    @Test func `an extension is told why it ends`() async throws {
        try await withStage { stage in
            let out = stage.directory.path("out")
            var function = try function(stage, ["watcher"], out: out)
            function.timeoutSeconds = 1
            let staged = try await stage.ready(function)
            #expect(try await staged.invoke("hang").call.outcome == .timedOut)
            try await staged.ended()
            #expect(lines(out + "/events").last?["shutdownReason"]?.string == "timeout")
        }
    }

    @Test func `an extension that ends is the end of the instance`() async throws {
        try await withStage { stage in
            let staged = await stage.launch(try function(stage, ["leaver"], mode: "exit", out: stage.directory.path("out")))
            let failure = try await staged.failed()
            #expect(failure.errorType == "Extension.Crash")
            #expect(failure.errorMessage == "extension leaver ended: exit status 7")
            try await staged.ended()
        }
    }

    @Test func `more extensions than are allowed are refused`() async throws {
        try await withStage { stage in
            let names = (0..<11).map { "extension\($0)" }
            let staged = await stage.launch(try function(stage, names, out: stage.directory.path("out")))
            #expect(try await staged.failed().errorType == "Extension.LaunchError")
            try await staged.ended()
        }
    }

    @Test func `telemetry comes to a listener inside the instance`() async throws {
        try await withStage { stage in
            let out = stage.directory.path("out")
            let staged = try await stage.ready(try function(stage, ["watcher"], mode: "telemetry", out: out))
            let id = InstanceSurroundings.randomUUID()
            _ = try await staged.invoke("say of mine", id: id)
            // A line comes after the report where the end of the call has read it, and then maybe in the next batch.
            let events = try await eventuallySome("the report and the function's line") {
                let found = lines(out + "/telemetry")
                let types = Set(found.compactMap { $0["type"]?.string })
                return types.isSuperset(of: ["platform.report", "function"]) ? found : nil
            }
            let types = events.compactMap { $0["type"]?.string }
            #expect(types.contains("platform.telemetrySubscription"))
            #expect(types.contains("platform.initRuntimeDone") && types.contains("platform.initReport"))
            #expect(events.contains { $0["type"]?.string == "function" && $0["record"]?.string == "of mine" })
            let report = try #require(events.first { $0["type"]?.string == "platform.report" })
            #expect(report["record", "requestId"]?.string == id)
            #expect(report["record", "metrics", "memorySizeMB"]?.integer == 1769)
            #expect(report["record", "status"]?.string == "success")
            await staged.stop()
            try await staged.ended()
        }
    }

    @Test func `layers are stacked, and a later one hides an earlier`() async throws {
        try await withStage { stage in
            var function = try stage.function("layered")
            try Files.remove(try #require(function.codeDirectory) + "/bootstrap")
            try stage.directory.write("not this", to: "first/bootstrap", mode: 0o755)
            try stage.directory.write("kept", to: "first/lib/a")
            try Fixture.shared.get().copy(to: {
                try? Files.makeDirectories(stage.directory.path("second/lib"))
                return stage.directory.path("second/bootstrap")
            }())
            try stage.directory.write("added", to: "second/lib/b")
            function.layerDirectories = [stage.directory.path("first"), stage.directory.path("second")]
            let staged = try await stage.ready(function)
            #expect(try await staged.invoke("1").text == "1")
            let opt = try await stage.launcher.plans.opt(function)
            #expect(try Files.list(opt + "/lib").sorted() == ["a", "b"])
            await staged.stop()
            try await staged.ended()
        }
    }
}
