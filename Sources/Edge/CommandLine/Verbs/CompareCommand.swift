import ArgumentParser
import Comparison
import Linux
import Metering

/// `forkless compare`
struct CompareCommand: RunsProgram {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Runs the same real work on every rung and prints what each costs.",
        discussion: """
            forkless compare -- PROGRAM ARGUMENTS < INPUT
            forkless compare --workload FILE

            Every figure is measured in this run or derived from such by a formula that is shown. Results are compared byte for \
            byte, and what a program could do from inside is tried by a probe on each rung. Calls that crash, hang, need a \
            terminal or exceed their memory are told and not averaged. Without a node it runs one of its own for the time of the \
            comparison. Ctrl-C ends it with what was measured until then. docs/compare.md says how everything is measured.
            """)

    @Option(
        help: ArgumentHelp(
            "Which rungs, separated by commas: fork, process, container, service, standby, lambda, cold, zygote, warm; function stands "
                + "for the last five.", valueName: "list"))
    var rungs: String?

    @Option(
        help: ArgumentHelp(
            "Other tools side by side, where they are installed: runc, crun, docker, podman, systemd-run.",
            valueName: "list"))
    var beside: String?

    @Option(
        help: ArgumentHelp(
            "Where a service serves the same program, a connection for each call: one more rung.",
            valueName: "address:port"))
    var service: String?

    @Option(
        help: ArgumentHelp(
            "The deployment of this node whose pods serve there: replicas are added to it and taken away again, and some killed, to measure them.",
            valueName: "[namespace/]name"))
    var serviceDeployment: String?

    @Option(
        help: ArgumentHelp(
            "A mix of programs with inputs and arrivals, in YAML or JSON, in place of a program.", valueName: "file"))
    var workload: String?

    @Flag(help: "One call for each line of standard input; otherwise every call gets the whole of it.")
    var eachLine = false

    @Option(help: ArgumentHelp("How large the calling process is, resident: what fork has to copy.", valueName: "size"))
    var parentMemory: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "A row that a system measured of itself: start_us,call_us,cpu_us per line.", valueName: "name=csv"))
    var measured: [String] = []

    @Option(help: ArgumentHelp("The results of all calls, one after the other; they must be equal.", valueName: "file"))
    var expect: String?

    @Flag(help: "Measure less, in half a minute or so.")
    var quick = false

    @Flag(help: "Measure longer and more often, in a quarter of an hour or so.")
    var thorough = false

    @Option(
        help: ArgumentHelp(
            "Repetitions, which intervals are computed from; 3 by default, 5 when thorough.", valueName: "n"))
    var repetitions: Int?

    @Option(
        help: ArgumentHelp(
            "Calls one at a time in each repetition; by default what fits into its time.", valueName: "n"))
    var count: Int?

    @Option(help: ArgumentHelp("Calls at once under load, at most; 128 by default.", valueName: "n"))
    var concurrency: Int?

    @Option(
        help: ArgumentHelp("How long a call may take until it counts as hanging; 10s by default.", valueName: "time"))
    var timeout: String?

    @Option(help: ArgumentHelp("What random arrivals begin with; 1 by default.", valueName: "n"))
    var seed: Int?

    @Option(
        help: ArgumentHelp("A price book; by default that of the node's state, otherwise AWS's.", valueName: "file"))
    var prices: String?

    @OptionGroup(title: "Output") var output: ComparisonOutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(
        parsing: .captureForPassthrough, help: ArgumentHelp("The program and its arguments.", valueName: "program"))
    var command: [String] = []

    /// The limits of the isolated rungs, which the probe tries to exceed.
    static let memoryBytes = 512 << 20
    static let pidsLimit = 128

    /// A signal ends the measuring, and what there is until then is written; a second one ends the process.
    func run() async throws {
        let state = try node.directories().state
        try output.check(state)
        if output.asksForKept { return try writeKept(state) }
        let compared = try comparedWorkload()
        let settings = try settings()
        let (rungs, beside) = (try rungChoices(), try beside.map { try BesideTool.parse($0) } ?? [])
        let service = try serviceEndpoint()
        let others = try measured.map { try row($0) }
        let session = try await NodeForComparison.open(
            node, isNeeded: serviceDeployment != nil || rungs.contains(where: \.needsNode))
        let contenders = ComparisonContenders(
            workload: compared, rungs: rungs, areAsked: self.rungs != nil, beside: beside, service: service,
            deployment: serviceDeployment, parentBytes: settings.parentBytes,
            timeout: settings.timeout, session: session, node: node)
        let interrupt = try ComparisonInterrupt()
        let report: ComparisonReport
        do { report = try await measuring(contenders, settings, others, interrupt) } catch {
            await session.close()
            throw error
        }
        await session.close()
        try output.write(report, state)
        if let number = interrupt.signal { throw ProgramStatus(code: 128 + number) }
        if report.hasFaults { throw ProgramStatus(code: ExitCodes.verbFailed) }
    }

    private func writeKept(_ state: String) throws {
        guard command.isEmpty, workload == nil else {
            throw CommandFailure(
                "compare: --list and --show measure nothing; write no program besides", status: ExitCodes.ownFailure)
        }
        try output.writeKept(state)
    }

    private func measuring(
        _ contenders: ComparisonContenders, _ settings: ComparisonSettings, _ others: [RungReport],
        _ interrupt: ComparisonInterrupt
    ) async throws -> ComparisonReport {
        let surroundings = try ProbeSurroundings(memoryBytes: Self.memoryBytes, processes: Self.pidsLimit)
        defer { withExtendedLifetime(surroundings) {} }
        var settings = settings
        settings.probeEnvironment = surroundings.environment
        let (rungs, leftOut) = try await contenders.make()
        let parent = ResidentMemory(bytes: settings.parentBytes)
        defer { withExtendedLifetime(parent) {} }
        let progress = ComparisonProgress()
        defer { progress.end() }
        let run = ComparisonRun(contenders.workload, settings) { progress.show($0) }
        let task = Task { await run.measure(rungs, beside: others, now: Clock.now()) }
        let watching = interrupt.watch(task, contenders.session)
        defer { watching.cancel() }
        var report = await task.value
        report.leftOut = leftOut + report.leftOut
        return report
    }

    // What the flags mean.

    private func rungChoices() throws -> [RungChoice] {
        var rungs = try rungs.map { try RungChoice.parse($0) } ?? RungChoice.allCases.filter { $0 != .service }
        if service != nil, !rungs.contains(.service) {
            rungs = RungChoice.allCases.filter { rungs.contains($0) || $0 == .service }
        }
        return rungs
    }

    private func comparedWorkload() throws -> ComparedWorkload {
        if let workload {
            guard command.isEmpty else {
                throw CommandFailure(
                    "compare: --workload names the programs; write no program besides", status: ExitCodes.ownFailure)
            }
            if eachLine {
                throw FlagError(
                    "--each-line", nil, "a workload says itself what a call gets", advice: "Write each: line.")
            }
            return try WorkloadFile.read(workload)
        }
        let words = try ProgramWords(command, verb: "compare")
        if Terminal.isTerminal(StandardStreams.input) {
            StandardStreams.writeError("forkless: reading the program's input from the terminal; end it with ctrl-D\n")
        }
        let bytes = try Files.readAll(StandardStreams.input, limit: 1 << 30, name: "standard input")
        let input = try WorkloadInput(standardInput: bytes, division: eachLine ? .lines : .whole)
        let name = words.program.split(separator: "/").last.map(String.init) ?? words.program
        return ComparedWorkload(
            name: name,
            streams: [WorkloadStream(name: name, program: words.program, arguments: words.arguments, input: input)])
    }

    private func settings() throws -> ComparisonSettings {
        if quick, thorough { throw FlagError("--thorough", nil, "it contradicts --quick") }
        var settings = ComparisonSettings(quick ? .quick : thorough ? .thorough : .standard)
        settings.repetitions = try Self.number(repetitions, "--repetitions", 1...100) ?? settings.repetitions
        settings.count = try Self.number(count, "--count", 1...10_000_000)
        settings.inFlight = try Self.number(concurrency, "--concurrency", 1...1000) ?? settings.inFlight
        settings.seed = try Self.number(seed, "--seed", 0...Int(Int32.max)) ?? settings.seed
        if let timeout { settings.timeout = try ComparisonLimits.timeout(timeout) }
        settings.expected = try expect.map { try Files.read($0, limit: 1 << 30) }
        if let parentMemory {
            settings.parentBytes = try ComparisonLimits.parentBytes(
                parentMemory, available: MachineReading.availableBytes())
        }
        let book = try PriceBook.chosen(prices, state: try node.directories().state)
        settings.prices = CostEstimate.Prices(book)
        settings.pricesName = "\(book.name) (\(book.source))"
        return settings
    }

    private static func number(_ value: Int?, _ flag: String, _ range: ClosedRange<Int>) throws(FlagError) -> Int? {
        guard let value else { return nil }
        guard range.contains(value) else {
            throw FlagError(flag, "\(value)", "it is a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private func serviceEndpoint() throws -> InternetEndpoint? {
        if let serviceDeployment {
            if service == nil {
                throw FlagError("--service-deployment", serviceDeployment, "it is of use only with --service")
            }
            let parts = serviceDeployment.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count <= 2, parts.allSatisfy(Self.isName) else {
                throw FlagError(
                    "--service-deployment", serviceDeployment, "not a name, or a namespace and a name",
                    advice: "Write default/pricer.")
            }
        }
        guard let service else { return nil }
        guard let mark = service.lastIndex(of: ":"), let address = IPAddress(service[..<mark]),
            let port = UInt16(service[service.index(after: mark)...]), port > 0
        else { throw FlagError("--service", service, "not an address with a port", advice: "Write 10.96.0.7:80.") }
        return InternetEndpoint(address, port)
    }

    /// A name of DNS, as those of deployments and namespaces are.
    private static func isName(_ text: Substring) -> Bool {
        let isInner = { (byte: UInt8) in (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) }
        guard let first = text.utf8.first, let last = text.utf8.last, isInner(first), isInner(last) else { return false }
        return text.utf8.allSatisfy { isInner($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
    }

    private func row(_ text: String) throws -> RungReport {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw FlagError("--measured", text, "it is no NAME=FILE") }
        let csv = String(decoding: try Files.read(parts[1], limit: 1 << 30), as: UTF8.self)
        return try MeasuredElsewhere(name: parts[0], csv: csv, isReference: expect != nil).report
    }
}

extension CostEstimate.Prices {
    /// The prices of a book, as far as an estimate needs them.
    fileprivate init(_ book: PriceBook) {
        func units(_ price: Price) -> Double { Double(price.picos) / 1e12 }
        self.init(
            currency: book.currency, perRequest: units(book.perRequest), perGBSecond: units(book.perGBSecond),
            perReadyGBSecond: units(book.perProvisionedGBSecond),
            perReadyUseGBSecond: units(book.perProvisionedDurationGBSecond),
            source: book.name)
    }
}
