package import Linux

/// One way of running the program, as a comparison drives it.
package protocol ComparedRung: Sendable {
    var label: RungLabel { get }
    /// How it is set up, in a sentence without its end: "a copy waits for each of 4 calls".
    var setUp: String { get }
    /// How a call of it is billed.
    var billing: CostEstimate.Billing { get }
    /// What a person types to put the program there, and to go back.
    var steps: DeploymentSteps { get }
    /// Gets ready: what a user of this rung would have set up before the first call.
    func prepare() async throws(ComparisonError)
    /// Runs the program once with this input, from the request to the complete result.
    ///
    /// A call that has not ended after `limit` nanoseconds is ended, and its sample has a failure of kind `hang`.
    func call(_ input: [UInt8], limit: Int) async throws(ComparisonError) -> CallSample
    /// Processor time of a call, mean of those made so far, microseconds: where it is not told call by call.
    func meanCPUMicroseconds() async -> Reading<Double>
    /// Starts an instance that is given no input yet, and says what it costs while it waits.
    func idleBytes() async -> Reading<Int>
    /// Runs the program once and watches how much memory it holds at most.
    func busyBytes(_ input: [UInt8]) async -> Reading<Int>
    /// Starts so many instances more and returns when all of them wait for a call.
    ///
    /// - Throws: `ComparisonError` with the reason where the rung has no such instances.
    func hold(_ count: Int) async throws(ComparisonError) -> any HeldInstances
    /// Kills, with SIGKILL, an instance that waits for calls, and returns the time at which it did.
    ///
    /// - Throws: `ComparisonError` with the reason where there is none, or none that may be killed.
    func killInstance() async throws(ComparisonError) -> Int
    /// Runs the probe in the place where the program runs.
    func probe(_ environment: [String]) async throws(ComparisonError) -> [UInt8]
    /// Ends what `prepare` began.
    func close() async
}

extension ComparedRung {
    /// How long a call may take that says nothing about it, nanoseconds.
    package static var usualLimit: Int { 60_000_000_000 }

    package func call(_ input: [UInt8]) async throws(ComparisonError) -> CallSample {
        try await call(input, limit: Self.usualLimit)
    }

    package func meanCPUMicroseconds() async -> Reading<Double> {
        .unavailable("this rung does not count the processor time of each call")
    }

    package func killInstance() async throws(ComparisonError) -> Int {
        let held = try await hold(1)
        return try await held.released { () async throws(ComparisonError) in try await held.killOne() }
    }
}

/// Clears up in a task of its own: one that was cancelled would not wait for what it asks.
func evenWhenCancelled(_ body: @escaping @Sendable () async -> Void) async { await Task { await body() }.value }

/// Instances that were started to wait, until they are let go.
package protocol HeldInstances: Sendable {
    /// What all of them take together, bytes.
    func memoryBytes() async -> Reading<Int>
    /// How `memoryBytes` counts.
    var method: String { get }
    /// Kills one with SIGKILL; returns the time at which it did, when the one who started it knows of its end.
    func killOne() async throws(ComparisonError) -> Int
    func release() async
}

extension HeldInstances {
    /// Lets them go after `use`, however that ends, also when the task is cancelled.
    func released<Value>(
        after use: () async throws(ComparisonError) -> Value
    ) async throws(ComparisonError) -> Value {
        let result: Result<Value, ComparisonError>
        do throws(ComparisonError) { result = .success(try await use()) } catch { result = .failure(error) }
        await evenWhenCancelled { await release() }
        return try result.get()
    }
}

/// Shell commands, one for each step that a person takes.
package struct DeploymentSteps: Hashable, Sendable {
    package var deploy: [String]
    package var rollBack: [String]

    package init(deploy: [String], rollBack: [String]) {
        self.deploy = deploy
        self.rollBack = rollBack
    }
}

/// What one call took and gave.
package struct CallSample: Sendable {
    /// From the request to start until the program could run with its input; nil where nobody tells.
    package var startNanoseconds: Int?
    /// From the request until the result was complete and the end known.
    package var callNanoseconds: Int
    /// User and system time; nil where nobody counted.
    package var cpuMicroseconds: Int?
    package var output: [UInt8]
    /// How it failed; nil for exit status 0.
    package var failure: CallFault?

    package init(
        startNanoseconds: Int?, callNanoseconds: Int, cpuMicroseconds: Int?, output: [UInt8], failure: CallFault? = nil
    ) {
        self.startNanoseconds = startNanoseconds
        self.callNanoseconds = callNanoseconds
        self.cpuMicroseconds = cpuMicroseconds
        self.output = output
        self.failure = failure
    }

    /// A call that was ended because its time was up.
    package static func hanging(limit: Int) -> CallSample {
        CallSample(
            startNanoseconds: nil, callNanoseconds: limit, cpuMicroseconds: nil, output: [],
            failure: FailureDiagnosis.hang(limitNanoseconds: limit))
    }
}

/// A comparison that cannot go on.
package struct ComparisonError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}

/// The files through which every rung gets its input and gives its output: memory files, so that nobody has to carry
/// bytes while time is taken, and all rungs are alike.
package struct CallFiles: Sendable {
    package let input: SharedFD
    package let output: SharedFD
    package let errors: SharedFD

    package init(_ bytes: [UInt8]) throws(ComparisonError) {
        do {
            input = SharedFD(try Files.sealedMemory(named: "input", bytes))
            try Files.rewind(input.raw)
            output = SharedFD(try Files.memory(named: "output"))
            errors = SharedFD(try Files.memory(named: "errors"))
        } catch { throw ComparisonError("prepare a call: \(error)") }
    }

    var descriptors: [CInt] { [input.raw, output.raw, errors.raw] }

    func result() throws(ComparisonError) -> [UInt8] { try bytes(of: output) }

    /// The last line of what it complained, for a failure.
    func complaint() -> String {
        guard let bytes = try? bytes(of: errors) else { return "" }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").last.map(String.init) ?? ""
    }

    private func bytes(of file: SharedFD) throws(ComparisonError) -> [UInt8] {
        do { return try Files.readAll(from: file.raw, limit: Self.resultBytesLimit) } catch {
            throw ComparisonError("read a result: \(error)")
        }
    }

    /// Longest result that is compared.
    private static let resultBytesLimit = 256 << 20
}

extension CallSample {
    /// Completes a sample with what its files hold.
    package init(
        start: Int, call: Int, cpu: Int?, status: Int32?, how: String, outOfMemory: Bool = false, files: CallFiles
    ) throws(ComparisonError) {
        startNanoseconds = start
        callNanoseconds = call
        cpuMicroseconds = cpu
        output = try files.result()
        guard status != 0 else { return }
        failure = FailureDiagnosis.fault(how: how, outOfMemory: outOfMemory, complaint: files.complaint())
    }
}
