public import Linux

/// How a program that was run to its end did, and what it wrote.
public struct RunResult: Hashable, Sendable {
    public var status: ExitStatus
    public var usage: ResourceUsage
    /// What it wrote to standard output, if that was a pipe or a terminal.
    public var output: [UInt8]
    /// What it wrote to standard error, if that was a pipe.
    public var errorOutput: [UInt8]
    /// Whether it was stopped because its time was over.
    public var timedOut: Bool

    /// The output as text; what is not UTF-8 is replaced.
    public var text: String { String(decoding: output, as: UTF8.self) }
    public var errorText: String { String(decoding: errorOutput, as: UTF8.self) }
}

extension Template {
    /// How much `run` collects of each stream unless the caller says otherwise, bytes. More than a program writes
    /// for a person or a parser to read; a flood is to be streamed.
    public static let outputBytesLimit = 64 << 20

    /// Starts the program, collects what it writes, and returns when it has ended.
    ///
    /// It is over when the program itself has ended: what its descendants write after that is not waited for, though
    /// they go on. A cancelled task kills the program with its tree.
    /// - Parameters:
    ///   - input: nil: as the template says.
    ///   - output, error: nil: collected, through a pipe or the template's terminal.
    ///   - timeout: after this time the program is stopped as `RunningProgram.stop` does it, with `gracePeriod`.
    ///   - outputBytesLimit: for each stream; a program that writes more is killed with its tree.
    /// - Throws: `SpawnError`; EMSGSIZE when it wrote too much, ECANCELED when the task was cancelled. A program that
    ///   fails is no error: see `RunResult.status`.
    public func run(
        arguments: [String] = [], environment: Environment? = nil, directory: String? = nil, input: Input? = nil,
        output: Output? = nil, error: Output? = nil, timeout: Duration? = nil,
        gracePeriod: Duration = RunningProgram.gracePeriod, outputBytesLimit: Int = Template.outputBytesLimit
    ) async throws(SpawnError) -> RunResult {
        let program = try start(
            arguments: arguments, environment: environment, directory: directory, input: input,
            output: output ?? (options.standardOutput == .terminal ? .terminal : .pipe),
            error: error ?? (options.standardError == .terminal ? .terminal : .pipe))
        var run = Run(program: program, limit: outputBytesLimit, timeout: timeout, gracePeriod: gracePeriod)
        return try await run.toTheEnd()
    }
}

/// One run under way: the program's end, its streams and its time each have a task, whose words arrive here one by one.
private struct Run {
    let program: RunningProgram
    let limit: Int
    let timeout: Duration?
    let gracePeriod: Duration

    private var exit: ExitRecord?
    private var output: [UInt8] = []
    private var errorOutput: [UInt8] = []
    private var timedOut = false
    private var failure: SpawnError?

    private typealias Events = TaskGroup<Event>

    private enum Event: Sendable {
        case ended(Result<ExitRecord, SpawnError>)
        case output(Result<[UInt8], SpawnError>)
        case errorOutput(Result<[UInt8], SpawnError>)
        case timeIsOver
        case nothing
    }

    init(program: RunningProgram, limit: Int, timeout: Duration?, gracePeriod: Duration) {
        self.program = program
        self.limit = limit
        self.timeout = timeout
        self.gracePeriod = gracePeriod
    }

    mutating func toTheEnd() async throws(SpawnError) -> RunResult {
        self = await withTaskGroup(of: Event.self) { [self] group in
            var run = self
            run.watch(&group)
            for await event in group { run.take(event, &group) }
            return run
        }
        guard let exit else {
            // Cancelled, or the wait itself failed: the program is still there, and must not be.
            try? program.killTree()
            try program.signal(Signal.kill)
            _ = try await program.waitWhateverHappens()
            throw failure ?? SpawnError(step: "run \(program.name)", code: .canceled)
        }
        if let failure { throw failure }
        return RunResult(
            status: exit.status, usage: exit.usage, output: output, errorOutput: errorOutput, timedOut: timedOut)
    }

    private func watch(_ group: inout Events) {
        let (program, limit) = (program, limit)
        group.addTask { .ended(await Result { () async throws(SpawnError) in try await program.wait() }) }
        if let stream = program.standardOutput {
            group.addTask {
                .output(await Result { () async throws(SpawnError) in try await stream.collect(limit: limit) })
            }
        }
        if let stream = program.standardError {
            group.addTask {
                .errorOutput(await Result { () async throws(SpawnError) in try await stream.collect(limit: limit) })
            }
        }
        guard let timeout else { return }
        group.addTask {
            do { try await Task.sleep(for: timeout, clock: .continuous) } catch { return .nothing }
            return .timeIsOver
        }
    }

    private mutating func take(_ event: Event, _ group: inout Events) {
        switch event {
        case .ended(.success(let record)):
            exit = record
            // Who collects takes what is in the pipes already, and is done.
            group.cancelAll()
        case .ended(.failure(let error)):
            if error.code != .canceled { failure = failure ?? error }
            group.cancelAll()
        case .output(.success(let bytes)): output = bytes
        case .errorOutput(.success(let bytes)): errorOutput = bytes
        case .output(.failure(let error)), .errorOutput(.failure(let error)):
            failure = failure ?? error
            do { try program.killTree() } catch { group.cancelAll() }
        case .timeIsOver:
            timedOut = true
            let (program, gracePeriod) = (program, gracePeriod)
            group.addTask {
                .ended(await Result { () async throws(SpawnError) in try await program.stop(gracePeriod: gracePeriod) })
            }
        case .nothing: break
        }
    }
}

extension ProgramOutput {
    /// Everything up to the end of the stream or, once the task is cancelled, what it holds by then.
    fileprivate func collect(limit: Int) async throws(SpawnError) -> [UInt8] {
        var iterator = makeAsyncIterator()
        let bytes = try await OutputCollection.collect(limit: limit, hasEnded: { Task.isCancelled }) {
            () throws(SpawnError) in try iterator.readNow()
        } wait: { () async throws(SpawnError) in
            do throws(SpawnError) { try await waitForMore() } catch  where error.code == .canceled {}
        }
        guard let bytes else { throw tooLong(limit) }
        return bytes
    }

    private func tooLong(_ limit: Int) -> SpawnError {
        SpawnError(
            step: "collect the \(name)", code: .messageTooLong,
            advice: "It is longer than \(limit) bytes, so the program was killed: raise outputBytesLimit, or stream it."
        )
    }
}
