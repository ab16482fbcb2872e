import Comparison
import Deploying
import JSON
import Lambda
import Linux
import Synchronization

// How the program becomes a function: as it is, or behind a handler of a managed runtime.
extension LambdaRung {
    /// A program that is a path is the function's code; a bare name is the machine's.
    func deploy(
        _ name: String, _ program: String, _ arguments: [String], environment: [String] = [],
        memoryMB: Int = LambdaRung.memoryMB
    ) async throws(ComparisonError) {
        guard form.isHandler else {
            return try await deploy(name, try declaration(program, arguments), environment, memoryMB)
        }
        // Which versions of Python a node has only it knows.
        var refusal: ComparisonError?
        let candidates = pythons.withLock { $0 }
        for (index, runtime) in candidates.enumerated() {
            do throws(ComparisonError) {
                try await deploy(name, try handler(runtime, program, arguments), environment, memoryMB)
                return pythons.withLock { $0 = Array(candidates[index...]) }
            } catch { refusal = refusal ?? error }
        }
        throw ComparisonError(
            "deploy a handler in Python that runs the program: \(refusal.map { "\($0)" } ?? "no runtime")")
    }

    private func declaration(_ program: String, _ arguments: [String]) throws(ComparisonError) -> FunctionDeclaration {
        var function = FunctionDeclaration(name: "")
        var word = program
        function.code = .inline(name: "README", text: "This function runs a program of the machine.\n")
        if program.contains("/") {
            function.code = .path(Self.absolute(program))
            word = "/var/task/" + (program.split(separator: "/").last.map(String.init) ?? program)
        }
        function.configuration = [
            "Runtime": "forkless.stdio",
            "Handler": .string(([word] + arguments).map { ShellWord.quoted($0) }.joined(separator: " ")),
        ]
        if case .bootstrap(let directory) = form, program == "bootstrap" {
            function.code = .path(directory)
            function.configuration["Runtime"] = "provided.al2023"
            function.configuration["Handler"] = "bootstrap"
        }
        return function
    }

    /// What somebody writes who lifts the program as it is into a function of a managed runtime.
    private func handler(
        _ runtime: String, _ program: String, _ arguments: [String]
    ) throws(ComparisonError) -> FunctionDeclaration {
        let directory = "/tmp/forkless-handler-\(OwnProcess.pid)-" + String(UInt64.random(in: .min ... .max), radix: 36)
        var function = FunctionDeclaration(name: "")
        var word = program
        do {
            try Files.makeDirectories(directory, mode: 0o755)
            handlerDirectories.withLock { $0.append(directory) }
            if program.contains("/") {
                let name = program.split(separator: "/").last.map(String.init) ?? program
                try Files.replace(
                    "\(directory)/\(name)", with: try Files.read(Self.absolute(program), limit: 1 << 30), mode: 0o755)
                word = "/var/task/\(name)"
            }
            let command = JSONWriter.text(.array(([word] + arguments).map { .string($0) }))
            try Files.replace(
                "\(directory)/app.py", with: Array("COMMAND = \(command)\n\(Self.handlerText)".utf8), mode: 0o644)
        } catch { throw ComparisonError("write a handler: \(error)") }
        function.code = .path(directory)
        function.configuration = ["Runtime": .string(runtime), "Handler": "app.handler"]
        function.tags = [
            "forkless:freshness": form == .zygote ? "fresh" : "reuse",
            "forkless:start": form == .zygote ? "zygote" : "cold",
        ]
        return function
    }

    private static let handlerText = """
        import base64
        import subprocess

        def handler(event, context):
            done = subprocess.run(COMMAND, input=base64.b64decode(event), capture_output=True)
            if done.returncode != 0:
                lines = done.stderr.decode(errors="replace").strip().splitlines() or [""]
                raise RuntimeError("exited with status %d: %s" % (done.returncode, lines[-1]))
            return base64.b64encode(done.stdout).decode()

        """

    private static func absolute(_ program: String) -> String {
        program.hasPrefix("/") ? program : (OwnProcess.workingDirectory() ?? "") + "/" + program
    }

    func deploy(
        _ name: String, _ declared: FunctionDeclaration, _ environment: [String], _ memoryMB: Int
    ) async throws(ComparisonError) {
        var function = declared
        function.name = name
        function.configuration["Timeout"] = .integer(Int64(timeoutSeconds))
        function.configuration["MemorySize"] = .integer(Int64(memoryMB))
        function.environment = [:]
        for line in environment {
            let name = String(line.prefix { $0 != "=" })
            function.environment?[name] = TemplateText(String(line.dropFirst(name.count + 1)))
        }
        var plan = DeploymentPlan()
        plan.functions = [function]
        var deployer = Deployer(client) { _ in }
        do throws(DeploymentFailure) { _ = try await deployer.carryOut(plan) } catch {
            throw ComparisonError("\(error)")
        }
    }

    // MARK: - Keeping instances ready

    /// Deploys the handler in the newest runtime of which the node has everything: one that lacks AWS's client says so when
    /// it is called.
    func deployHandler() async throws(ComparisonError) {
        var lacking: ComparisonError?
        while true {
            do throws(ComparisonError) { try await deploy(name, program, arguments) } catch { throw lacking ?? error }
            guard let fault = try await faultOfFirstCalls() else { return }
            lacking = lacking ?? ComparisonError(fault)
            try await ask(LambdaRequest("DELETE", LambdaPaths.function(name)))
            pythons.withLock { _ = $0.removeFirst() }
        }
    }

    /// The first instance is started cold, and the zygote beside it.
    ///
    /// - Returns: what the node lacks for this runtime; nil when nothing.
    private func faultOfFirstCalls() async throws(ComparisonError) -> String? {
        for _ in 0..<5 {
            let sample = try await invoke([], LambdaPaths.function(name, "/invocations"), Self.usualLimit)
            if let failure = sample.failure, failure.kind == .unreachable || failure.reason.contains("runtime client") {
                return failure.reason
            }
            if form == .warm { break }
            try? await Task.sleep(for: .milliseconds(200))
        }
        return nil
    }

    /// Publishes the function's first version, and returns when so many instances of it are kept ready.
    func publish(_ name: String, _ count: Int) async throws(ComparisonError) {
        try await ask(LambdaRequest("POST", LambdaPaths.function(name, "/versions"), json: [:]))
        try await ask(
            LambdaRequest(
                "PUT", LambdaPaths.provisioned(name, "1"),
                json: ["ProvisionedConcurrentExecutions": .integer(Int64(count))]))
        let limit = Clock.monotonicNanoseconds() + Self.readyNanoseconds
        while Clock.monotonicNanoseconds() < limit {
            let state = try await ask(LambdaRequest("GET", LambdaPaths.provisioned(name, "1")))
            if state["Status"]?.string == "READY" { return }
            guard state["Status"]?.string != "FAILED" else {
                throw ComparisonError(
                    "the function's instances do not start: \(state["StatusReason"]?.string ?? "no reason is told")")
            }
            do { try await Task.sleep(for: .milliseconds(2)) } catch { throw ComparisonError("waiting was taken back") }
        }
        throw ComparisonError(
            "\(count) instances of the function are not ready after \(Self.readyNanoseconds / 1_000_000_000) s: does the program read "
                + "standard input, and does the node have the memory?")
    }

    /// How long instances may take until they are ready.
    private static let readyNanoseconds = 15_000_000_000
}
