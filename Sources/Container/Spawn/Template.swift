import Linux

/// A program with everything about its start, checked and compiled once and started many times, also from many
/// threads at once.
///
///     let sort = try Template("sort", arguments: ["-n"])
///     let result = try await sort.run(input: .bytes(Array("10\n9\n".utf8)))
///     print(result.text)  // "9\n10\n"
///
/// A start costs the same however large this process is, since its memory is not copied (clone3(2) with CLONE_VM and
/// CLONE_VFORK); the calling thread stands still until the program has been executed: 0.1 to 0.5 ms, or as long as
/// the file system takes that the program is read from. All that a program gets and all that constrains it is in
/// `Options`.
public struct Template: Sendable {
    public let program: Program
    public let options: Options
    /// The path that is executed; for a program by descriptor, its name.
    public let path: String

    private let arguments: StringBlock
    private let environment: StringBlock
    private let plan: Plan
    private let compiled: CompiledProgram

    /// Checks the options, looks the program up and compiles the steps of the child.
    ///
    /// - Parameter arguments: `argv` after `argv[0]`, to which each start can add.
    /// - Throws: `SpawnError` that says what is wrong; nothing has been started then.
    public init(_ program: Program, arguments: [String] = [], options: Options = Options()) throws(SpawnError) {
        try options.check()
        guard !program.name.isEmpty else {
            throw SpawnError(step: "start a program", code: .invalid, advice: "Its path or name is empty.")
        }
        self.program = program
        self.options = options
        environment = try options.environment.block { ThisProcess.environment() }
        path = try program.resolved(searching: Environment.value(of: "PATH", in: environment))
        self.arguments = StringBlock([options.argumentZero ?? program.name]) + (try Self.block(arguments))
        var executable: CInt?
        if case .descriptor(let fd, let name) = program {
            try Self.refuseScript(fd, name: name)
            executable = fd.raw
        }
        plan = Plan(options, executable: executable, parent: ThisProcess.pid)
        compiled = CompiledProgram(plan.steps)
    }

    /// Starts the program and returns when it has been executed.
    ///
    /// What is nil is as the template says.
    /// - Parameters:
    ///   - arguments: added to the template's.
    ///   - environment: replaces the template's.
    /// - Throws: `SpawnError` that names the step which failed; nothing is left running then.
    public func start(
        arguments: [String] = [], environment: Environment? = nil, directory: String? = nil, input: Input? = nil,
        output: Output? = nil, error: Output? = nil
    ) throws(SpawnError) -> RunningProgram {
        let call = try call(arguments, environment, directory)
        let connections = try Connections(
            options, input: input ?? options.standardInput, output: output ?? options.standardOutput,
            error: error ?? options.standardError)
        var filled = [
            (plan.input, connections.input), (plan.output, connections.output), (plan.error, connections.error),
        ]
        if let terminal = plan.terminal { filled.append((terminal, connections.terminal)) }
        let launched =
            options.user == nil
            ? try launch(call, filled)
            : try DumpableGuard.around { () throws(SpawnError) in
                try launch(call, filled)
            }
        return RunningProgram(launched, name: path, options: options, connections: connections)
    }

    /// The same on a thread that may block: for programs on network and FUSE file systems, whose exec can take
    /// long, in tasks of Swift's cooperative pool.
    public func startInBackground(
        arguments: [String] = [], environment: Environment? = nil, directory: String? = nil, input: Input? = nil,
        output: Output? = nil, error: Output? = nil
    ) async throws(SpawnError) -> RunningProgram {
        let started: Result<RunningProgram, SpawnError>
        do {
            started = try await BlockingPool.shared.run { () throws(SystemError) in
                Result { () throws(SpawnError) in
                    try start(
                        arguments: arguments, environment: environment, directory: directory, input: input,
                        output: output, error: error)
                }
            }
        } catch { throw SpawnError(error) }
        return try started.get()
    }

    /// Starts the program for the length of `body`: at its end, by return or by error, what still runs of the program
    /// and its tree is killed, unless `RunningProgram.detach` was called.
    public func withRunning<Value>(
        arguments: [String] = [], environment: Environment? = nil, directory: String? = nil, input: Input? = nil,
        output: Output? = nil, error: Output? = nil, isolation: isolated (any Actor)? = #isolation,
        _ body: (RunningProgram) async throws -> Value
    ) async throws -> Value {
        let running = try start(
            arguments: arguments, environment: environment, directory: directory, input: input, output: output,
            error: error)
        let result: Result<Value, any Error>
        do { result = .success(try await body(running)) } catch { result = .failure(error) }
        if !running.isDetached, try running.exitIfEnded() == nil {
            try running.killTree()
            _ = try await running.waitWhateverHappens()
        }
        return try result.get()
    }

    private func call(
        _ added: [String], _ changed: Environment?, _ directory: String?
    ) throws(SpawnError) -> ProgramCall {
        if let directory { try SpawnError.check(directory, as: "directory") }
        return ProgramCall(
            path: path, arguments: added.isEmpty ? arguments : arguments + (try Self.block(added)),
            environment: try changed?.block { ThisProcess.environment() } ?? environment,
            directory: directory ?? options.directory)
    }

    private func launch(_ call: ProgramCall, _ filled: [(Slot, CInt)]) throws(SpawnError) -> Launched {
        try compiled.start(call, filled: filled, cgroup: options.cgroup?.raw ?? -1, memory: options.memory)
    }

    private static func block(_ arguments: [String]) throws(SpawnError) -> StringBlock {
        if let block = StringBlock(checking: arguments) { return block }
        for argument in arguments { try SpawnError.check(argument, as: "argument") }
        preconditionFailure("an argument holds a NUL and none does")
    }

    private static func refuseScript(_ fd: SharedFD, name: String) throws(SpawnError) {
        // A descriptor that was opened as a place only (O_PATH) cannot be read; the exec itself tells then.
        guard let start = try? Files.read(fd.raw, from: 0, count: 2), start == Array("#!".utf8) else { return }
        throw SpawnError(
            step: "execute \(name)", code: .noEntry,
            advice: "It is a script, which cannot be started by descriptor: start it by path, or start its interpreter."
        )
    }
}
