import ArgumentParser
import Comparison
import Engine
import Linux
import Synchronization

/// `forkless compare`
struct CompareCommand: RunsProgram {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Runs the same real work on every rung and prints what each costs.",
        discussion: """
            forkless compare -- PROGRAM ARGUMENTS < INPUT

            Every figure is measured in this run. Results are compared byte for byte, and what a program could do from \
            inside is tried by a probe on each rung. Without a node it runs one of its own for the time of the comparison.
            """)

    enum RungName: String, CaseIterable, ExpressibleByArgument {
        case fork, process, container, function, lambda
    }

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case table, json, markdown
    }

    @Option(help: ArgumentHelp("Calls to measure one by one; by default as many as there are inputs, at least 50.", valueName: "n"))
    var count: Int?

    @Option(help: ArgumentHelp("Calls at once when throughput is measured; by default one for each processor.", valueName: "n"))
    var concurrency: Int?

    @Flag(help: "One call for each line of standard input; otherwise every call gets the whole of it.")
    var eachLine = false

    @Option(help: ArgumentHelp("How large the calling process is, resident: what fork has to copy.", valueName: "size"))
    var parentMemory: String?

    @Option(help: ArgumentHelp("Which rungs, separated by commas: fork, process, container, function, lambda.", valueName: "list"))
    var rungs: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("A row that a system measured of itself: start_us,call_us,cpu_us per line.", valueName: "name=csv"))
    var measured: [String] = []

    @Option(help: ArgumentHelp("The results of all calls, one after the other; they must be equal.", valueName: "file"))
    var expect: String?

    @Option(
        help: ArgumentHelp(
            "Where a service serves the same program, a connection for each call: one more rung.", valueName: "address:port"))
    var service: String?

    @Option(help: ArgumentHelp("How to write the answer.", valueName: "format"))
    var output = Format.table

    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(parsing: .captureForPassthrough, help: ArgumentHelp("The program and its arguments.", valueName: "program"))
    var command: [String] = []

    /// What a signal ends is the comparison itself, which clears up before it goes.
    func run() async throws {
        let words = try ProgramWords(command, verb: "compare")
        let names = try rungNames()
        let workload = try workload()
        let settings = try settings(workload)
        let others = try measured.map { try row($0) }
        let parentBytes = try parentMemory.map { try ByteAmount.parse($0, flag: "--parent-memory") } ?? 0
        let session = try await NodeForComparison.open(node, isNeeded: !names.isDisjoint(with: [.container, .function, .lambda]))
        let signals = try SignalStream()
        let isInterrupted = Mutex(false)
        let watching = Task {
            let ending = [Signal.terminate, Signal.interrupt, Signal.hangUp, Signal.quit]
            while let number = try? await signals.next() {
                guard ending.contains(number) else { continue }
                isInterrupted.withLock { $0 = true }
                await session.close()
                OwnProcess.exit(128 + number)
            }
        }
        defer { watching.cancel() }
        do {
            let measurements = try await measure(words, names, workload, settings, others, parentBytes, session)
            await session.close()
            try write(measurements)
            if measurements.contains(where: { !$0.failures.isEmpty || $0.results.isDifferent }) {
                throw ProgramStatus(code: ExitCodes.verbFailed)
            }
        } catch {
            await session.close()
            // After a signal what failed is the consequence; who took the signal ends the process.
            while isInterrupted.withLock({ $0 }) { try await Task.sleep(for: .seconds(1)) }
            throw error
        }
    }

    private func measure(
        _ words: ProgramWords, _ names: Set<RungName>, _ workload: WorkloadInput, _ settings: ComparisonRun.Settings,
        _ others: [Measurement], _ parentBytes: Int, _ session: NodeForComparison
    ) async throws -> [Measurement] {
        let surroundings = try await ProbeSurroundings()
        defer { withExtendedLifetime(surroundings) {} }
        var settings = settings
        settings.probeEnvironment = surroundings.environment
        let rungs = try makeRungs(words, names, settings, session)
        let progress = ProgressLine()
        let parent = ResidentMemory(bytes: parentBytes)
        defer { withExtendedLifetime(parent) {} }
        defer { progress.end() }
        return try await ComparisonRun(workload, settings) { progress.show($0) }.measure(rungs, beside: others)
    }

    private func makeRungs(
        _ words: ProgramWords, _ names: Set<RungName>, _ settings: ComparisonRun.Settings, _ session: NodeForComparison
    ) throws -> [any ComparedRung] {
        let own = try OwnProcess.executable()
        var spec = words.spec()
        spec.environment = OwnProcess.environment().filter { $0.hasPrefix("PATH=") || $0.hasPrefix("LANG=") }
        spec.removesOnExit = true
        spec.memoryBytes = Self.memoryBytes
        spec.pidsLimit = Self.pidsLimit
        spec.isInteractive = true
        var rungs: [any ComparedRung] = []
        for name in RungName.allCases where names.contains(name) {
            switch name {
            case .fork, .process:
                rungs.append(
                    try SpawnedRung(words.program, words.arguments, copiesMemory: name == .fork, ownExecutable: own))
            case .container:
                rungs.append(ContainerRung(try session.client(), spec, ownExecutable: own))
            case .function:
                rungs.append(
                    FunctionRung(try session.client(), spec, copies: max(4, settings.concurrency * 2), ownExecutable: own))
            case .lambda:
                rungs.append(
                    LambdaRung(try session.directories(node), words, copies: settings.concurrency, ownExecutable: own))
            }
        }
        if let service { rungs.append(try Self.serviceRung(service)) }
        return rungs
    }

    private static func serviceRung(_ text: String) throws(FlagError) -> ServiceRung {
        guard let mark = text.lastIndex(of: ":"), let address = IPAddress(text[..<mark]),
            let port = UInt16(text[text.index(after: mark)...]), port > 0
        else { throw FlagError("--service", text, "not an address with a port", advice: "Write 10.96.0.7:80.") }
        return ServiceRung(InternetEndpoint(address, port))
    }

    /// The limits of the isolated rungs, which the probe tries to exceed.
    static let memoryBytes = 512 << 20
    static let pidsLimit = 128

    // What the flags mean.

    private func rungNames() throws -> Set<RungName> {
        guard let rungs else { return Set(RungName.allCases) }
        return Set(
            try rungs.split(separator: ",").map { word in
                guard let name = RungName(rawValue: String(word)) else {
                    throw FlagError("--rungs", String(word), "no rung has this name", advice: "Write fork, process, container, function or lambda.")
                }
                return name
            })
    }

    private func workload() throws -> WorkloadInput {
        if Terminal.isTerminal(StandardStreams.input) {
            StandardStreams.writeError("forkless: reading the program's input from the terminal; end it with ctrl-D\n")
        }
        let bytes = try Files.readAll(StandardStreams.input, limit: 1 << 30, name: "standard input")
        return try WorkloadInput(standardInput: bytes, division: eachLine ? .lines : .whole)
    }

    private func settings(_ workload: WorkloadInput) throws -> ComparisonRun.Settings {
        let count = count ?? max(workload.inputs.count, eachLine ? 1 : 50)
        guard count > 0 else { throw FlagError("--count", "\(count)", "nothing would be measured") }
        let concurrency = concurrency ?? OwnProcess.processors()
        guard (1...256).contains(concurrency) else { throw FlagError("--concurrency", "\(concurrency)", "it is a number from 1 to 256") }
        return ComparisonRun.Settings(
            count: count, concurrency: concurrency, expected: try expect.map { try Files.read($0, limit: 1 << 30) })
    }

    private func row(_ text: String) throws -> Measurement {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw FlagError("--measured", text, "it is no NAME=FILE") }
        let csv = String(decoding: try Files.read(parts[1], limit: 1 << 30), as: UTF8.self)
        return try MeasuredElsewhere(name: parts[0], csv: csv, isReference: expect != nil).measurement
    }

    private func write(_ measurements: [Measurement]) throws {
        let table = ComparisonTable(measurements)
        switch output {
        case .table: try StandardStreams.write(table.text(width: StandardStreams.width))
        case .json: try StandardStreams.write(table.json)
        case .markdown: try StandardStreams.write(table.markdown())
        }
    }
}

extension ResultAgreement {
    fileprivate var isDifferent: Bool {
        if case .different = self { return true }
        return false
    }
}
