import Comparison
import Deploying
import Functions
import HTTPServing
import JSON
import Lambda
import Linux
import Synchronization

/// The program as a function that was deployed through the Lambda API and is invoked through it: a fresh process for each
/// call, as `forkless.stdio` has it.
final class LambdaRung: ComparedRung {
    /// One processor, by Lambda's rule of 1,769 MB.
    private static let memoryMB = 1769

    let label = RungLabel(name: "lambda", title: "function, Lambda API")
    private let client: LambdaClient
    private let address: HTTPAddress
    private let loops = ServingLoops(count: 1)
    private let program: String
    private let arguments: [String]
    private let ownExecutable: String
    private let copies: Int
    /// A directory with a `bootstrap` that speaks the Runtime API itself, in place of a program.
    private let bootstrap: String?
    private let name = "compare-" + String(UInt64.random(in: .min ... .max), radix: 36)
    /// Connections without a call.
    private let idle = Mutex<[HTTPClientConnection]>([])

    /// - Parameter copies: how many are kept ready.
    convenience init(_ directories: NodeDirectories, _ words: ProgramWords, copies: Int, ownExecutable: String) {
        self.init(directories, words.program, words.arguments, bootstrap: nil, copies: copies, ownExecutable: ownExecutable)
    }

    /// A function that waits for its next event, as `provided` has it.
    convenience init(_ directories: NodeDirectories, bootstrap: String, copies: Int, ownExecutable: String) {
        self.init(directories, "bootstrap", [], bootstrap: bootstrap, copies: copies, ownExecutable: ownExecutable)
    }

    private init(
        _ directories: NodeDirectories, _ program: String, _ arguments: [String], bootstrap: String?, copies: Int,
        ownExecutable: String
    ) {
        client = LambdaClient(directories)
        address = .unix(directories.lambdaSocket)
        self.program = program
        self.arguments = arguments
        self.bootstrap = bootstrap
        self.copies = copies
        self.ownExecutable = ownExecutable
    }

    func prepare() async throws(ComparisonError) {
        try await deploy(name, program, arguments)
        try await ask(LambdaRequest("POST", LambdaPaths.function(name, "/versions"), json: [:]))
        try await ask(LambdaRequest("PUT", LambdaPaths.provisioned(name, "1"), json: ["ProvisionedConcurrentExecutions": .integer(Int64(copies))]))
        for _ in 0..<1000 {
            let state = try await ask(LambdaRequest("GET", LambdaPaths.provisioned(name, "1")))
            if state["Status"]?.string == "READY" { return }
            guard state["Status"]?.string != "FAILED" else {
                throw ComparisonError("the function's instances do not start: \(state["StatusReason"]?.string ?? "no reason is told")")
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
        throw ComparisonError("the function's instances do not become ready: does the program read standard input?")
    }

    /// Deploys and calls at once: the call that starts the first instance.
    func firstCall(_ input: [UInt8]) async throws(ComparisonError) -> CallSample {
        try await deploy(name, program, arguments)
        return try await call(input, LambdaPaths.function(name, "/invocations"))
    }

    func call(_ input: [UInt8]) async throws(ComparisonError) -> CallSample {
        try await call(input, LambdaPaths.function(name, "/invocations") + "?Qualifier=1")
    }

    private func call(_ input: [UInt8], _ target: String) async throws(ComparisonError) -> CallSample {
        let began = Clock.monotonicNanoseconds()
        let response = try await send(target, input)
        let ended = Clock.monotonicNanoseconds()
        let report = Self.report(response)
        // What the call took beside the program's own run with its input: the way there, the choice of an instance, the way back.
        let ran = report.durationMilliseconds.map { Int($0 * 1_000_000) } ?? 0
        var sample = CallSample(
            startNanoseconds: max(0, ended - began - ran), callNanoseconds: ended - began, cpuMicroseconds: nil,
            output: response.body)
        if response.status != 200 || response.headers["x-amz-function-error"] != nil {
            sample.failure = String(decoding: response.body.prefix(300), as: UTF8.self)
        }
        return sample
    }

    func idleBytes() async -> Reading<Int> { .unavailable("the Lambda API does not tell") }

    func busyBytes(_ input: [UInt8]) async -> Reading<Int> {
        guard let response = try? await send(LambdaPaths.function(name, "/invocations") + "?Qualifier=1", input),
            let megabytes = Self.report(response).peakMegabytes
        else { return .unavailable("the call's report does not tell") }
        return .measured(megabytes << 20)
    }

    func probe(_ environment: [String]) async throws(ComparisonError) -> [UInt8] {
        let probe = name + "-probe"
        // The limits that it tries are those that it has.
        let tried = environment.filter { !$0.hasPrefix("FORKLESS_PROBE_FORKS=") }
            + ["FORKLESS_PROBE_FORKS=\(FunctionPlans.processLimit * 2)"]
        try await deploy(
            probe, ownExecutable, ["probe", "--after-input"], environment: tried,
            memoryMB: CompareCommand.memoryBytes >> 20)
        let response = try await send(LambdaPaths.function(probe, "/invocations"), [])
        try await ask(LambdaRequest("DELETE", LambdaPaths.function(probe)))
        guard response.status == 200, response.headers["x-amz-function-error"] == nil else {
            throw ComparisonError("the probe failed: \(String(decoding: response.body.prefix(300), as: UTF8.self))")
        }
        return response.body
    }

    func close() async {
        _ = try? await ask(LambdaRequest("DELETE", LambdaPaths.function(name)))
        for connection in idle.withLock({ $0 }) { connection.close() }
        await loops.shutDown()
    }

    /// A program that is a path is the function's code; a bare name is the machine's.
    private func deploy(
        _ name: String, _ program: String, _ arguments: [String], environment: [String] = [],
        memoryMB: Int = LambdaRung.memoryMB
    ) async throws(ComparisonError) {
        var function = FunctionDeclaration(name: name)
        var word = program
        function.code = .inline(name: "README", text: "This function runs a program of the machine.\n")
        if program.contains("/") {
            let path = program.hasPrefix("/") ? program : (OwnProcess.workingDirectory() ?? "") + "/" + program
            function.code = .path(path)
            word = "/var/task/" + (program.split(separator: "/").last.map(String.init) ?? program)
        }
        function.configuration = [
            "Runtime": "forkless.stdio", "Timeout": 60, "MemorySize": .integer(Int64(memoryMB)),
            "Handler": .string(([word] + arguments).map { ShellWord.quoted($0) }.joined(separator: " ")),
        ]
        if let bootstrap {
            function.code = .path(bootstrap)
            function.configuration["Runtime"] = "provided.al2023"
            function.configuration["Handler"] = "bootstrap"
        }
        function.environment = [:]
        for line in environment {
            let name = String(line.prefix { $0 != "=" })
            function.environment?[name] = TemplateText(String(line.dropFirst(name.count + 1)))
        }
        var plan = DeploymentPlan()
        plan.functions = [function]
        var deployer = Deployer(client) { _ in }
        do throws(DeploymentFailure) { _ = try await deployer.carryOut(plan) } catch { throw ComparisonError("\(error)") }
    }

    @discardableResult
    private func ask(_ request: LambdaRequest) async throws(ComparisonError) -> JSONValue {
        do throws(LambdaFailure) { return try await client.call(request) } catch { throw ComparisonError(error.sentence) }
    }

    /// Sends an event on a connection that is free, so that callers at once do not wait for each other.
    private func send(_ target: String, _ input: [UInt8]) async throws(ComparisonError) -> HTTPResponse {
        do throws(HTTPServingFailure) {
            let free = idle.withLock { $0.popLast() }
            let connection: HTTPClientConnection
            if let free { connection = free } else { connection = try await HTTPClientConnection.connect(to: address, on: loops.loops[0]) }
            let request = HTTPRequest(method: "POST", target: target, headers: HeaderFields([("X-Amz-Log-Type", "Tail")]))
            let response = try await connection.answer(to: request, body: input)
            idle.withLock { $0.append(connection) }
            return response
        } catch { throw ComparisonError("\(error)") }
    }

    /// What the REPORT line at the end of the log says.
    private static func report(_ response: HTTPResponse) -> (durationMilliseconds: Double?, peakMegabytes: Int?) {
        guard let tail = response.headers["x-amz-log-result"].flatMap({ Base64.bytes($0) }) else { return (nil, nil) }
        let line = String(decoding: tail, as: UTF8.self).split(separator: "\n").last { $0.hasPrefix("REPORT ") } ?? ""
        func field(_ name: String) -> Substring? {
            line.split(separator: "\t").first { $0.hasPrefix(name) }?.dropFirst(name.count).split(separator: " ").first
        }
        return (field("Duration: ").flatMap { Double($0) }, field("Max Memory Used: ").flatMap { Int($0) })
    }
}
