import Comparison
import Deploying
import Functions
import HTTPServing
import JSON
import Lambda
import Linux
import Synchronization

/// The program as a function that was deployed through the Lambda API and is invoked through it.
final class LambdaRung: ComparedRung {
    /// How the program becomes a function, and what is kept ready.
    enum Form: Hashable {
        /// A fresh process for each call, as `forkless.stdio` has it; copies of it wait.
        case kept
        /// The same without a copy that waits: each call is the first one of a function that was just deployed.
        case cold
        /// A handler in Python that runs the program for each event, in an instance that is forked from a zygote for the call.
        case zygote
        /// The same handler in instances that stay and take one event after the other.
        case warm
        /// A directory with a `bootstrap` that speaks the Runtime API itself, in place of a program.
        case bootstrap(String)

        var label: RungLabel {
            switch self {
            case .kept, .bootstrap: RungLabel(name: "lambda", title: "function, Lambda API")
            case .cold: RungLabel(name: "cold", title: "function, cold")
            case .zygote: RungLabel(name: "zygote", title: "function, zygote")
            case .warm: RungLabel(name: "warm", title: "function, warm")
            }
        }

        var isHandler: Bool { self == .zygote || self == .warm }
    }

    /// One processor, by Lambda's rule of 1,769 MB.
    static let memoryMB = 1769
    /// Runtimes of Python that may do, the newest first: those that the node turns out to lack are taken out.
    let pythons = Mutex(["python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python3.9"])

    let label: RungLabel
    let billing: CostEstimate.Billing
    let form: Form
    let client: LambdaClient
    let address: HTTPAddress
    let loops = ServingLoops(count: 1)
    let program: String
    let arguments: [String]
    private let ownExecutable: String
    private let copies: Int
    let timeoutSeconds: Int
    let name = "compare-" + String(UInt64.random(in: .min ... .max), radix: 36)
    private let number = Mutex(0)
    /// Directories with the code of handlers, to be removed in the end.
    let handlerDirectories = Mutex<[String]>([])
    /// What a call so far took at most, in MB, as their reports say.
    let largestPeak = Mutex(0)
    /// Connections without a call.
    let idle = Mutex<[HTTPClientConnection]>([])

    /// - Parameters:
    ///   - copies: how many are kept ready.
    ///   - timeoutSeconds: after which the node ends a call.
    init(
        _ directories: NodeDirectories, _ program: String, _ arguments: [String], _ form: Form, copies: Int,
        timeoutSeconds: Int = 60, ownExecutable: String
    ) {
        self.form = form
        label = form.label
        billing = form == .cold || form == .zygote ? .perCall(isFunction: true) : .keptReady(instances: copies)
        client = LambdaClient(directories)
        address = .unix(directories.lambdaSocket)
        self.program = program
        self.arguments = arguments
        self.copies = copies
        self.timeoutSeconds = timeoutSeconds
        self.ownExecutable = ownExecutable
    }

    /// A function that waits for its next event, as `provided` has it.
    convenience init(_ directories: NodeDirectories, bootstrap: String, copies: Int, ownExecutable: String) {
        self.init(directories, "bootstrap", [], .bootstrap(bootstrap), copies: copies, ownExecutable: ownExecutable)
    }

    var setUp: String {
        switch form {
        case .kept, .bootstrap: "\(copies) copies kept ready (provisioned), a fresh process for each call, over HTTP"
        case .cold: "nothing kept ready: each call is the first one after a deployment, over HTTP"
        case .zygote: "a handler in Python runs the program; for each call an instance is forked from a zygote"
        case .warm: "a handler in Python runs the program; \(copies) instances stay and take one event after the other"
        }
    }

    var steps: DeploymentSteps {
        let words = ([program] + arguments).map { ShellWord.quoted($0) }.joined(separator: " ")
        var deploy = ["forkless node --detach"]
        switch form {
        case .kept, .cold, .bootstrap: deploy.append("forkless fn deploy NAME -- \(words)")
        case .zygote, .warm:
            deploy.append("forkless fn deploy NAME --code DIRECTORY --runtime python3.11 --handler app.handler")
        }
        deploy += ["forkless fn publish NAME", "forkless fn alias NAME live 2"]
        if form == .kept || form == .warm { deploy.append("forkless fn scale NAME:live --provisioned \(copies)") }
        return DeploymentSteps(deploy: deploy, rollBack: ["forkless fn alias NAME live 1"])
    }

    func prepare() async throws(ComparisonError) {
        switch form {
        case .cold: return
        case .zygote, .warm:
            try await deployHandler()
            if form == .warm { try await publish(name, copies) }
        case .kept, .bootstrap:
            try await deploy(name, program, arguments)
            try await publish(name, copies)
        }
    }

    /// Deploys and calls at once: the call that starts the first instance.
    func firstCall(_ input: [UInt8]) async throws(ComparisonError) -> CallSample {
        try await deploy(name, program, arguments)
        return try await invoke(input, LambdaPaths.function(name, "/invocations"), Self.usualLimit)
    }

    func call(_ input: [UInt8], limit: Int) async throws(ComparisonError) -> CallSample {
        switch form {
        case .cold:
            // A function of its own for each call, so that nothing of it is there before.
            let one = "\(name)-\(nextNumber())"
            return try await once(one, input, limit) { [self] () async throws(ComparisonError) in
                try await deploy(one, program, arguments)
            }
        case .zygote: return try await invoke(input, LambdaPaths.function(name, "/invocations"), limit)
        case .kept, .warm, .bootstrap:
            return try await invoke(input, LambdaPaths.function(name, "/invocations") + "?Qualifier=1", limit)
        }
    }

    func nextNumber() -> Int {
        number.withLock { number in
            number += 1
            return number
        }
    }

    func busyBytes(_ input: [UInt8]) async -> Reading<Int> {
        guard form != .cold else {
            // Each call is of a function of its own, which is gone by now.
            let peak = largestPeak.withLock { $0 }
            return peak > 0 ? .measured(peak << 20) : .unavailable("the calls' reports do not tell")
        }
        let target = LambdaPaths.function(name, "/invocations") + (form == .zygote ? "" : "?Qualifier=1")
        let event = form.isHandler ? Array("\"\(Base64.text(input))\"".utf8) : input
        guard let response = try? await send(target, event), let megabytes = Self.report(response).peakMegabytes else {
            return .unavailable("the call's report does not tell")
        }
        return .measured(megabytes << 20)
    }

    /// Whether calls of this function are those that are measured: cold ones are each of a function of its own.
    private func isMeasured(_ function: String) -> Bool {
        guard form == .cold else { return function == name }
        return function.hasPrefix(name + "-") && function.dropFirst(name.count + 1).allSatisfy(\.isNumber)
    }

    /// Processor time of the calls so far, as the node's ledger has it.
    func meanCPUMicroseconds() async -> Reading<Double> {
        do throws(ComparisonError) {
            let report = try await ask(.page("report", [("by", "function"), ("format", "json")]))
            let rows = (report["rows"]?.array ?? []).filter { isMeasured($0["function"]?.string ?? "") }
            let seconds = rows.compactMap { $0["cpuSeconds"]?.string.flatMap(Double.init) }
            let runs = rows.compactMap { $0["runs"]?.integer }.reduce(0, +)
            guard runs > 0, seconds.count == rows.count else { return .unavailable("the node's ledger does not tell") }
            return .measured(seconds.reduce(0, +) * 1e6 / Double(runs))
        } catch { return .unavailable("the node's ledger does not tell: \(error)") }
    }

    func probe(_ environment: [String]) async throws(ComparisonError) -> [UInt8] {
        let probe = name + "-probe"
        // The limits that it tries are those that it has.
        let tried =
            environment.filter { !$0.hasPrefix("FORKLESS_PROBE_FORKS=") }
            + ["FORKLESS_PROBE_FORKS=\(FunctionPlans.processLimit * 2)"]
        let sample = try await once(probe, [], Self.usualLimit) { [self] () async throws(ComparisonError) in
            try await deploy(
                probe, ownExecutable, form.isHandler ? ["probe"] : ["probe", "--after-input"], environment: tried,
                memoryMB: CompareCommand.memoryBytes >> 20)
        }
        if let failure = sample.failure { throw ComparisonError("the probe failed: \(failure)") }
        return sample.output
    }

    func close() async {
        if form != .cold { _ = try? await ask(LambdaRequest("DELETE", LambdaPaths.function(name))) }
        for directory in handlerDirectories.withLock({ $0 }) { try? Files.removeTree(directory) }
        for connection in idle.withLock({ $0 }) { connection.close() }
        await loops.shutDown()
    }
}
