import ArgumentParser
import JSON
import Linux
import Observation

/// `forkless observe`
struct ObserveCommand: RunsProgram {
    static let configuration = CommandConfiguration(
        commandName: "observe",
        abstract: "Shows which programs are forked and executed, by whom, how often and at what cost.",
        discussion: """
            Without a command: the whole machine, from the kernel's process events and accounting, until Ctrl-C or the end \
            of --for. Arguments are known of processes that live long enough to be read; what is missed is counted.
            With a command: the command and everything that it starts, complete. Its standard streams, status and signals \
            are its own; the table comes on stderr at the end. It is over when the last process is; a signal after the end \
            of the command leaves the others to themselves.
            --deep adds files, sockets, environment, descriptors, terminals and shared memory to the recording, by tracing \
            system calls: the command runs slower. --import reads what strace -f has written, with any of its -t, -r and -y.
            The recording that -o writes is described in docs/recording.md; forkless plan reads it.
            """)

    @Option(
        name: [.customShort("o"), .customLong("record")], help: ArgumentHelp("Write a recording.", valueName: "file"))
    var record: String?

    @Option(name: .customLong("for"), help: ArgumentHelp("End after this time: 30s, 5m, 2h.", valueName: "time"))
    var span: String?

    @Option(help: ArgumentHelp("Show a recording instead of observing.", valueName: "file"))
    var show: String?

    @Flag(help: "With a command: trace its system calls as well.")
    var deep = false

    @Flag(
        name: .customLong("with-values"),
        help: "With --deep: keep the values of environment variables, which may be secret.")
    var keepsValues = false

    @Option(name: .customLong("import"), help: ArgumentHelp("Make a recording of strace's output.", valueName: "file"))
    var importFile: String?

    @Flag(name: .customLong("accept-cut-off"), help: "With --show: take a recording without its end as far as it goes.")
    var acceptsCutOff = false

    @Flag(help: "With a command: say nothing at the end.")
    var quiet = false

    @OptionGroup var output: OutputFlags
    @Argument(
        parsing: .captureForPassthrough, help: ArgumentHelp("The command and its arguments.", valueName: "command"))
    var command: [String] = []

    func run() async throws {
        let span = try span.map { text throws(FlagError) in try DurationFlag.parse(text, flag: "--for") }
        if let show { return try await showRecording(show) }
        if acceptsCutOff { throw FlagError("--accept-cut-off", nil, "it belongs to --show") }
        if keepsValues, !deep { throw FlagError("--with-values", nil, "it belongs to --deep") }
        if let importFile { return try await importTrace(importFile) }
        guard command.isEmpty || command == ["--"] else { return try await observe(command: command, span) }
        if quiet { throw FlagError("--quiet", nil, "it belongs to a command") }
        if deep {
            throw FlagError("--deep", nil, "it needs a command", advice: "forkless observe --deep PROGRAM ARGUMENTS")
        }
        try await observeMachine(span)
    }

    // MARK: A recording

    private func showRecording(_ path: String) async throws {
        try refuseOthers(with: "--show", [("--record", record != nil), ("--import", importFile != nil)])
        let cutOff: RecordingReader.CutOff = acceptsCutOff ? .accepted : .refused
        let recording = try await BlockingPool.shared.run { () throws(SystemError) in
            Result { try RecordingFile.read(path, cutOff: cutOff) }
        }.get()
        switch output.output {
        case .json: try StandardStreams.write(ProgramJSON.value(ProgramsBoard(recording)))
        case .text:
            try StandardStreams.write(Self.text(ProgramsBoard(recording), width: StandardStreams.width))
            let losses = recording.ending.map { LossText.lines($0.losses) } ?? ["The recording is cut off."]
            for line in losses { try StandardStreams.write(line + "\n") }
        }
    }

    static func text(_ board: ProgramsBoard, width: Int) -> String {
        board.headline + "\n\n" + board.listing(limit: .max, width: width).text(width: width)
    }

    private func refuseOthers(with flag: String, _ more: [(String, Bool)]) throws(FlagError) {
        let others =
            [("--for", span != nil), ("--quiet", quiet), ("--deep", deep), ("--with-values", keepsValues)] + more
        for (other, isGiven) in others where isGiven { throw FlagError(other, nil, "it does not go with \(flag)") }
        guard command.isEmpty else { throw FlagError(flag, nil, "it does not go with a command") }
    }

    // MARK: A trace

    private func importTrace(_ path: String) async throws {
        try refuseOthers(with: "--import", [])
        let writer = "forkless \(Version.number)"
        let record = record
        let outcome = try await BlockingPool.shared.run { () throws(SystemError) in
            let outcome = try StraceFile.read(path, now: Clock.now(), writer: writer)
            if let record { try RecordingFile.write(outcome.recording, to: record) }
            return outcome
        }
        for line in outcome.badLines {
            StandardStreams.writeError("forkless: \(path): line \(line.number) is none of strace: \(line.text)\n")
        }
        guard !outcome.recording.processes.isEmpty else {
            throw CommandFailure("import \(path): there is no process in it. It must be what strace -f has written")
        }
        let board = ProgramsBoard(outcome.recording)
        switch output.output {
        case .json: try StandardStreams.write(ProgramJSON.value(board))
        case .text: try StandardStreams.write(Self.text(board, width: StandardStreams.width))
        }
        for line in LossText.lines(outcome.recording.ending?.losses ?? RecordingLosses()) {
            StandardStreams.writeError("forkless: \(line)\n")
        }
        if let record { StandardStreams.writeError("forkless: recorded in \(record)\n") }
    }

    // MARK: The machine

    private func observeMachine(_ span: Duration?) async throws {
        let observer = try LiveObserver()
        let origins = await Self.origins()
        let start = Clock.monotonicNanoseconds()
        let header = RecordingHeader.here(.system, sources: LiveObserver.sources, writer: "forkless \(Version.number)")
        let display = ObservationDisplay(on: StandardStreams.output)
        let writesJSON = output.output == .json
        let each: (@Sendable (RecordedProcess) -> Void)? = writesJSON ? Self.writeJSON : display.each
        let session = try RecordingSession(
            header, start: start, origins: origins, to: record, each: each)
        try observer.run(from: start, origins: session.origins, session.listener)
        let reason = try await withThrowingTaskGroup(of: RecordingEnd.Reason?.self) { group in
            group.addTask { try await Self.untilSignal() }
            group.addTask {
                await session.wait()
                return .failed
            }
            if let span {
                group.addTask {
                    try await Task.sleep(for: span)
                    return .timeOver
                }
            }
            if !writesJSON {
                group.addTask {
                    await display.draw(session)
                    return nil
                }
            }
            defer { group.cancelAll() }
            while let reason = try await group.next() {
                if let reason {
                    observer.stop()
                    return reason
                }
            }
            return .interrupted
        }
        await session.wait()
        if !writesJSON { display.finish(session) }
        try report(session, reason, table: !writesJSON && !Terminal.isTerminal(StandardStreams.output))
    }

    @Sendable private static func writeJSON(_ process: RecordedProcess) {
        try? StandardStreams.write(process.lineJSON, inStream: true)
    }

    /// Ends with Ctrl-C and its like.
    private static func untilSignal() async throws -> RecordingEnd.Reason {
        let signals = try SignalStream()
        while true {
            if try await signals.next() != Signal.windowChange { return .interrupted }
        }
    }

    static func origins() async -> [ProgramOrigin] {
        (try? await BlockingPool.shared.run { () throws(SystemError) in try MachineOrigins.read(root: "/") }) ?? []
    }

    private func report(_ session: RecordingSession, _ reason: RecordingEnd.Reason, table: Bool) throws {
        let end = try session.finish(reason)
        if table {
            let board = ProgramsBoard(session, session.counts())
            try StandardStreams.write("\n" + Self.text(board, width: StandardStreams.width))
        }
        for line in LossText.lines(end.losses) { StandardStreams.writeError("forkless: \(line)\n") }
        if let record { StandardStreams.writeError("forkless: recorded in \(record)\n") }
    }

    // MARK: A command

    private func observe(command words: [String], _ span: Duration?) async throws {
        if span != nil { throw FlagError("--for", span.map { "\($0)" }, "a command is observed until it ends") }
        let words = words.first == "--" ? Array(words.dropFirst()) : words
        guard !words.isEmpty else { throw CommandFailure("observe: no command", status: ExitCodes.ownFailure) }
        let traced: TracedCommand
        do {
            traced = try TracedCommand(
                words, environment: ThisProcess.environment().split(separator: 0).map { Array($0) })
        } catch { throw CommandFailure("\(error)", status: ExitCodes.start(error)) }
        if deep, OwnProcess.effectiveUser != 0 {
            throw CommandFailure(
                "observe --deep: only root can trace system calls without changing how set-uid programs run. Become root",
                status: ExitCodes.ownFailure)
        }
        let origins = await Self.origins()
        let start = Clock.monotonicNanoseconds()
        let header = RecordingHeader.here(
            deep ? .deep : .subtree, sources: deep ? SubtreeObserver.deepSources : SubtreeObserver.sources,
            command: words,
            writer: "forkless \(Version.number)")
        let session = try RecordingSession(header, start: start, origins: origins, to: record)
        let observer = SubtreeObserver(traced, depth: deep ? .systemCalls(keepsValues: keepsValues) : .processes)
        let signals = try SignalSourceStream()
        try observer.run(from: start, origins: session.origins, session.listener)
        let passing = Task { try await Self.pass(signals, to: observer) }
        await session.wait()
        passing.cancel()
        let status = observer.status
        do { _ = try session.finish(.commandEnded) } catch {
            guard error.operation == "execute" else { throw error }
            throw CommandFailure(
                "\(error)", status: error.code == .noEntry ? ExitCodes.notFound : ExitCodes.notExecutable)
        }
        try summarize(session)
        throw ProgramStatus(code: status?.shellStatus ?? ExitCodes.ownFailure)
    }

    /// What the terminal's keys send goes to the command by itself; what was sent to us alone is passed on. Once the
    /// command has ended, a signal leaves its descendants to themselves.
    private static func pass(_ signals: SignalSourceStream, to observer: SubtreeObserver) async throws {
        while true {
            let (number, isFromKernel) = try await signals.next()
            if number == Signal.windowChange { continue }
            if observer.status != nil {
                observer.leave()
            } else if !isFromKernel {
                observer.signal(number)
            }
        }
    }

    private func summarize(_ session: RecordingSession) throws {
        if quiet { return }
        let board = ProgramsBoard(session, session.counts())
        switch output.output {
        case .json: StandardStreams.writeError(JSONWriter.text(ProgramJSON.value(board), .indented(2)) + "\n")
        case .text:
            let width = Terminal.size(of: StandardStreams.errors).map { Int($0.columns) } ?? 200
            StandardStreams.writeError(Self.text(board, width: width > 0 ? width : 200))
        }
    }
}

extension ExitCodes {
    /// What `observe` returns for a command that cannot be started.
    static func start(_ failure: TracedCommand.Failure) -> Int32 {
        switch failure {
        case .notFound: notFound
        case .notExecutable: notExecutable
        case .badArgument: ownFailure
        }
    }
}

/// Signals with their source.
final class SignalSourceStream: Sendable {
    private let source: SignalFD

    init() throws(SystemError) { source = try SignalFD(ForwardedSignals.all) }

    /// The next signal.
    ///
    /// - Throws: `SystemError`; ECANCELED when the task was cancelled.
    func next() async throws(SystemError) -> (number: Int32, isFromKernel: Bool) {
        while true {
            if let signal = try source.nextWithSource() { return signal }
            try await Readiness.shared.readable(source.fd.raw)
        }
    }
}
