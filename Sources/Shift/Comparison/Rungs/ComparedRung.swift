import Linux

/// One way of running the program, as a comparison drives it.
package protocol ComparedRung: Sendable {
    var label: RungLabel { get }
    /// Gets ready: what a user of this rung would have set up before the first call.
    func prepare() async throws(ComparisonError)
    /// Runs the program once with this input, from the request to the complete result.
    func call(_ input: [UInt8]) async throws(ComparisonError) -> CallSample
    /// Starts an instance that is given no input yet, and says what it costs while it waits.
    func idleBytes() async -> Reading<Int>
    /// Runs the program once and watches how much memory it holds at most.
    func busyBytes(_ input: [UInt8]) async -> Reading<Int>
    /// Runs the probe in the place where the program runs.
    func probe(_ environment: [String]) async throws(ComparisonError) -> [UInt8]
    /// Ends what `prepare` began.
    func close() async
}

/// What one call took and gave.
package struct CallSample: Sendable {
    /// From the request to start until the program could run with its input.
    package var startNanoseconds: Int
    /// From the request until the result was complete and the end known.
    package var callNanoseconds: Int
    /// User and system time; nil where nobody counted.
    package var cpuMicroseconds: Int?
    package var output: [UInt8]
    /// How it failed; nil for exit status 0.
    package var failure: String?

    package init(
        startNanoseconds: Int, callNanoseconds: Int, cpuMicroseconds: Int?, output: [UInt8], failure: String? = nil
    ) {
        self.startNanoseconds = startNanoseconds
        self.callNanoseconds = callNanoseconds
        self.cpuMicroseconds = cpuMicroseconds
        self.output = output
        self.failure = failure
    }
}

/// A comparison that cannot go on.
package struct ComparisonError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}

/// The files through which every rung gets its input and gives its output: memory files, so that nobody has to carry
/// bytes while time is taken, and all rungs are alike.
struct CallFiles {
    let input: SharedFD
    let output: SharedFD
    let errors: SharedFD

    init(_ bytes: [UInt8]) throws(ComparisonError) {
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
    init(start: Int, call: Int, cpu: Int?, status: Int32?, how: String, files: CallFiles) throws(ComparisonError) {
        startNanoseconds = start
        callNanoseconds = call
        cpuMicroseconds = cpu
        output = try files.result()
        guard status != 0 else { return }
        let complaint = files.complaint()
        failure = complaint.isEmpty ? how : "\(how): \(complaint)"
    }
}
