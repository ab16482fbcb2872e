import HTTPServing
import JSON
import Lambda
import Linux
import TestKit
import Testing

@testable import Functions

/// A stage on which Python functions play.
struct PythonStage {
    let stage: InstanceStage
    let python: PythonEnvironment
    let zygotes: ZygoteShelf

    /// A function of these lines, whose handler is `app.handler`.
    func function(
        _ name: String, _ code: String, start: FunctionSettings.Start, environment: [String: String] = [:],
        memoryMB: Int = 1769, timeout: Int = 20
    ) throws -> DeployedFunction {
        let directory = stage.directory.path("code-\(name)")
        try Files.makeDirectories(directory)
        try stage.directory.write(code, to: "code-\(name)/app.py")
        var function = DeployedFunction(
            name: name, version: "$LATEST", arn: "arn:aws:lambda:us-east-1:000000000000:function:\(name)", revision: "1",
            codeDigest: "digest", runtime: .python(python.runtime), handler: "app.handler", codeDirectory: directory,
            environment: environment, memoryMB: memoryMB, timeoutSeconds: timeout)
        function.settings.start = start
        return function
    }

    /// Has the zygote of a function ready: the first instance starts cold, beside it.
    func warm(_ function: DeployedFunction, in shelf: ZygoteShelf? = nil) async throws {
        let first = try await stage.ready(function)
        await first.stop()
        try await first.ended()
        let shelf = shelf ?? zygotes
        // As much time as it gets itself, and more: it imports what the first instance does, beside it.
        try await eventually(within: .seconds(60), "a zygote of \(function.name)") {
            await shelf.worker(of: function)?.isReady == true
        }
    }

    /// Ends an instance, and what was prepared for others of it.
    func leave(_ instances: [StagedInstance]) async throws {
        for staged in instances {
            await staged.stop()
            try await staged.ended()
        }
        for function in Set(instances.map(\.function)) { stage.launcher.forget(function) }
    }
}

/// Runs a test on a stage with Python, and looks for what it leaves behind.
func withPython(_ body: (PythonStage) async throws -> Void) async throws {
    let python = try await PythonEnvironment.shared()
    try await withStage { stage in
        let runtimes = PythonRuntimes(directories: [python.runtimes], path: "", home: "/root")
        let zygotes = ZygoteShelf(stage.launcher, patience: .zero)
        stage.launcher.use(PythonPlanning(stage.launcher, runtimes: runtimes, zygotes: zygotes), for: .python)
        stage.launcher.use(BootstrapPlanning(stage.launcher.plans, zygotes: zygotes), for: .bootstrap)
        try await body(PythonStage(stage: stage, python: python, zygotes: zygotes))
    }
}
