import ArgumentParser
import Linux
import Observation
import Planning

/// `forkless plan`
struct PlanCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Proposes a rung for each program of a recording, with reasons, blockers and the predicted gain.",
        discussion: """
            The recording is what `forkless observe` has written. Predictions add what was recorded of a program to what \
            this machine takes for programs that do nothing; that is measured once, by a node of its own (about a minute, \
            as root), and kept.
            """)

    @Option(
        help: ArgumentHelp(
            "Use this calibration, wherever it was measured, or write it there with --calibrate.", valueName: "file"))
    var calibration: String?

    @Flag(help: "Measure this machine anew, also when there is a calibration. Needs no recording.")
    var calibrate = false

    @Option(help: ArgumentHelp("Write the plan as an HTML page that opens without a network.", valueName: "file"))
    var html: String?

    @Flag(help: "The plan as JSON; the same as --output json.")
    var json = false

    @Option(help: ArgumentHelp("Tell of this program only, in detail: a path or the end of one.", valueName: "program"))
    var program: String?

    @Flag(help: "Take a recording that is cut off for what it holds.")
    var acceptCutOff = false

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: ArgumentHelp("A recording.", valueName: "recording")) var recording: String?

    static func blockSignals() throws { try SignalFD.block(ForwardedSignals.all) }

    func run() async throws {
        guard recording != nil || calibrate else {
            throw FlagError(
                "plan", nil, "no recording",
                advice: "Name what `forkless observe -o FILE` has written, or measure with --calibrate.")
        }
        // The recording is read first: who misspelt its name does not wait for a minute.
        var read: Recording?
        if let recording { read = try await Self.read(recording, cutOff: acceptCutOff) }
        let figures = try await figures(EndingSignals())
        guard let read else { return try write(figures) }
        let plan = try await BlockingPool.shared.run { () throws(SystemError) in
            RecordingPlan(read, figures) { Self.file($0, recordedOn: read.header.machine, here: figures.machine.name) }
        }
        if let html { try Files.replace(html, with: Array(PlanPage(plan).html.utf8), mode: 0o644) }
        try write(plan)
    }

    private static func read(_ path: String, cutOff: Bool) async throws -> Recording {
        try await BlockingPool.shared.run { () throws(SystemError) in
            Result { try RecordingFile.read(path, cutOff: cutOff ? .accepted : .refused) }
        }.get()
    }

    /// A path means the same file only on the machine that was recorded.
    private static func file(_ identity: RecordedProgram.Identity, recordedOn machine: String, here: String)
        -> ProgramFile
    {
        guard let path = identity.path else { return .notLookedAt("its path was not seen, only the process's name") }
        let host =
            (try? Files.readText("/proc/sys/kernel/hostname"))?.split(separator: "\n").first.map(String.init) ?? here
        guard machine == host else { return .notLookedAt("it was recorded on \(machine), and this is \(host)") }
        return ProgramFile.look(at: RecordedPath.onDisk(path))
    }

    // MARK: - Calibration

    private func figures(_ signals: EndingSignals) async throws -> Calibration {
        let place = try calibration ?? node.directories().state + "/calibration.json"
        let kept = try await BlockingPool.shared.run { () throws(SystemError) in
            Result { try CalibrationFile.read(place) }
        }.get()
        if !calibrate, let kept {
            let differences = MachineFacts.ofThisMachine().differences(from: kept.machine)
            if differences.isEmpty { return kept }
            // A file that was named is meant, even on another machine; one that was found is measured again.
            let sentence =
                "the calibration at \(place) was measured elsewhere or before a change (\(differences.joined(separator: "; ")))"
            if calibration != nil {
                StandardStreams.writeError("forkless: \(sentence); it is used as it is\n")
                return kept
            }
            StandardStreams.writeError("forkless: \(sentence); measuring again\n")
        } else if !calibrate {
            guard calibration == nil else {
                throw CommandFailure(
                    "--calibration \(place): there is no such file. Measure it with --calibrate --calibration \(place)")
            }
            StandardStreams.writeError("forkless: this machine was not measured yet; measuring it (about a minute)\n")
        }
        let measured = try await CalibrationSession(signals: signals).measure()
        if let slash = place.lastIndex(of: "/"), slash > place.startIndex {
            try Files.makeDirectories(String(place[..<slash]), mode: 0o700)
        }
        try CalibrationFile.write(measured, to: place)
        return measured
    }

    // MARK: - Writing

    private var isJSON: Bool { json || output.output == .json }

    private func write(_ calibration: Calibration) throws {
        if isJSON { return try StandardStreams.write(calibration.json) }
        try StandardStreams.write(PlanText.text(calibration, width: StandardStreams.width))
    }

    private func write(_ plan: RecordingPlan) throws {
        var plan = plan
        if let program {
            plan.programs = plan.programs.filter { one in
                one.program.identity.text == program || one.program.identity.text.hasSuffix("/" + program)
            }
            guard !plan.programs.isEmpty else {
                throw CommandFailure("--program \(program): it is not in the recording")
            }
        }
        if isJSON { return try StandardStreams.write(plan.json) }
        try StandardStreams.write(PlanText.text(plan, width: StandardStreams.width, isDetailed: program != nil))
    }
}

/// The path of a recording as a file's name here.
enum RecordedPath {
    /// A path that is no text cannot be opened by one: the file then counts as gone, with its name.
    static func onDisk(_ path: String) -> String {
        String(validating: RecordedText.bytes(path), as: UTF8.self) ?? path
    }
}
