import ArgumentParser
import Comparison
import Engine
import JSON
import Linux
import OCI
import Observation
import Packing
import Planning

/// `forkless pack`
struct PackCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "pack",
        abstract: "Builds an image with what a program needs, and proves that it does the same there.",
        discussion: """
            forkless pack --recording FILE -t NAME:TAG -o DIR PROGRAM -- ARGUMENTS

            Files that belong to packages come with their packages, one layer for each, so that packed programs share \
            them; all others come as they are. The program is then run here and in its image, with the recorded \
            arguments or those given, and with each --input on standard input: the status is 1 when they differ.
            Without a node the image is written with -o only, and run by a node of its own.
            """)

    @Option(
        help: ArgumentHelp(
            "What was recorded of it; what was traced decides which files come along.", valueName: "file"))
    var recording: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Standard input of a run that proves; can be given again.", valueName: "file"))
    var input: [String] = []

    @Option(
        name: [.customShort("t"), .customLong("tag")],
        help: ArgumentHelp("The image's name (default: the program's).", valueName: "name[:tag]"))
    var tag: String?

    @Option(
        name: [.customShort("o"), .customLong("directory")],
        help: ArgumentHelp(
            "Write the image, a Dockerfile, a Kubernetes manifest and a function's template here.", valueName: "dir"))
    var directory: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("A file or directory that it needs as well; can be given again.", valueName: "path"))
    var include: [String] = []

    @Flag(help: "Do not run it.")
    var noProof = false

    @Flag(help: "Run it also when it was seen to change files or to talk to others: twice for each call, once here.")
    var allowChanges = false

    @Flag(help: "Take a recording that is cut off for what it holds.")
    var acceptCutOff = false

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: ArgumentHelp("The program: a path, or a name in PATH.", valueName: "program")) var program: String
    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp(
            "Its arguments: those of the proof, and what the image starts it with.", valueName: "arguments"))
    var arguments: [String] = []

    static func blockSignals() throws { try SignalFD.block(ForwardedSignals.all) }

    func run() async throws {
        let recorded = try await PackedRecording.read(recording, cutOff: acceptCutOff)
        let path = try absolutePath()
        let found = try recorded?.program(path)
        var packed = PackedProgram(program: path, image: "")
        let name = try ImageWord.reference(tag ?? packed.plainName).tagged
        packed.image = name.description
        if let recorded, let found { packed.take(found, origins: recorded.origins(of: found)) }
        if let found { packed.plan = Planner(.none).plan(found, file: ProgramFile.look(at: path)) }
        let cases = try ProofCases(
            found, arguments: arguments, inputs: input, workingDirectory: packed.workingDirectory)
        // Who says the arguments means the calls to come.
        if !arguments.isEmpty { packed.arguments = arguments }
        let request = PackRequest(
            program: path, recorded: found, children: found.map { recorded?.children(of: $0) ?? [] } ?? [],
            included: try include.map { try Self.absolute($0) }, inputs: cases.inputFiles)
        try checkDirectory()
        let signals = try EndingSignals()
        let session = try await PackSession.open(node, needsOwn: directory != nil, runs: !noProof)
        signals.clear { await session.close() }
        do {
            try await pack(request, packed, name, cases, session)
            await session.close()
        } catch {
            await session.close()
            try await signals.rethrow(error)
        }
    }

    private func pack(
        _ request: PackRequest, _ packed: PackedProgram, _ name: Reference, _ cases: ProofCases, _ session: PackSession
    ) async throws {
        let progress = ProgressLine()
        defer { progress.end() }
        let result = try await Packer.pack(request, as: packed, name: name, directory: session.workDirectory) {
            progress.show("packing: \($0)")
        }
        let archive = try await session.archive(of: result.image)
        if let client = session.client {
            progress.show("packing: loading the image")
            _ = try await client.call(LoadImages(platform: nil), descriptors: [archive.raw])
        }
        if let directory { try await PackFiles(result, archive: archive, directory: directory).write() }
        progress.end()
        var report = PackReport(result, isListed: session.isUsersNode, directory: directory)
        if !noProof {
            let refusal = allowChanges ? nil : Self.reasonNotToRun(result, request.recorded)
            if let refusal {
                report.notProved = refusal
            } else {
                let proof = PackProof(session.client!, image: result.image, program: result.program)
                for one in cases.all { report.outcomes.append(try await proof.run(one)) }
            }
        }
        try write(report)
        if report.outcomes.contains(where: { !$0.differences.isEmpty }) {
            throw ProgramStatus(code: ExitCodes.verbFailed)
        }
    }

    /// Running it to compare must do no harm.
    private static func reasonNotToRun(_ result: Packer.Result, _ recorded: RecordedProgram?) -> String? {
        if let path = result.needs.state.first {
            return "it changes files, such as \(path), and a proof would change them again"
        }
        guard let deep = recorded?.deep else { return nil }
        if let socket = deep.sockets.first(where: { [.connect, .send].contains($0.action) && !$0.address.isEmpty }) {
            return "it talks to \(socket.address), and a proof would do so again"
        }
        if let signal = deep.signalsSent.first { return "it sends signals (\(signal)), and a proof would do so again" }
        return nil
    }

    private func write(_ report: PackReport) throws {
        switch output.output {
        case .json: try StandardStreams.write(report.json)
        case .text: try StandardStreams.write(report.text(width: StandardStreams.width))
        }
    }

    // MARK: - Paths

    private func absolutePath() throws -> String {
        if program.contains("/") { return try Self.absolute(program) }
        let directories = (OwnProcess.variable("PATH") ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        guard let found = directories.lazy.map({ "\($0)/\(program)" }).first(where: { Files.isExecutableFile($0) })
        else {
            throw CommandFailure("pack \(program): no directory of PATH has such a program", status: ExitCodes.notFound)
        }
        return found
    }

    /// Below the working directory when it is relative; links stay, "." and ".." go.
    static func absolute(_ path: String) throws -> String {
        guard !path.isEmpty else { throw CommandFailure("pack: an empty path") }
        let whole = path.hasPrefix("/") ? path : (OwnProcess.workingDirectory() ?? "/") + "/" + path
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    private func checkDirectory() throws {
        guard let directory, Files.exists(directory) else { return }
        guard try Files.status(directory).kind == .directory, try Files.list(directory).isEmpty else {
            throw FlagError(
                "--directory", directory, "there is something already", advice: "Name a directory that is new or empty."
            )
        }
    }
}

/// The recording that a program is packed from.
struct PackedRecording {
    private let recording: Recording
    private let programs: [RecordedProgram]
    private let path: String

    static func read(_ path: String?, cutOff: Bool) async throws -> PackedRecording? {
        guard let path else { return nil }
        return try await BlockingPool.shared.run { () throws(SystemError) in
            Result {
                let recording = try RecordingFile.read(path, cutOff: cutOff ? .accepted : .refused)
                return PackedRecording(recording: recording, programs: recording.programs, path: path)
            }
        }.get()
    }

    /// By its path, or by where links lead from it.
    func program(_ path: String) throws -> RecordedProgram {
        let exact = programs.first { $0.identity.path == path }
        let real = try LinkWalk.follow(path, in: MachineTree())?.path
        let same =
            exact
            ?? programs.first { one in
                guard let other = one.identity.path, other.hasPrefix("/") else { return false }
                return other == real
                    || ((try? LinkWalk.follow(other, in: MachineTree())) ?? nil)?.path == real && real != nil
            }
        guard let same else {
            let some = programs.prefix(6).map(\.identity.text).joined(separator: ", ")
            throw CommandFailure(
                "pack \(path): \(self.path) has no call of it; it has \(some.isEmpty ? "no program at all" : some)")
        }
        return same
    }

    func origins(of program: RecordedProgram) -> [ProgramOrigin] {
        program.origins.keys.sorted().compactMap {
            recording.origins.indices.contains($0) ? recording.origins[$0] : nil
        }
    }

    /// Everything that it started, and what that started.
    func children(of program: RecordedProgram) -> [RecordedProgram] {
        var found: [RecordedProgram] = []
        var seen: Set<String> = [program.identity.text]
        var waiting = Array(program.children.keys)
        while let name = waiting.popLast() {
            guard seen.insert(name).inserted, let child = programs.first(where: { $0.identity.path == name }) else {
                continue
            }
            found.append(child)
            waiting += child.children.keys
        }
        return found.sorted { $0.identity < $1.identity }
    }
}

extension Calibration {
    /// For plans whose predictions nobody looks at: what stands against a rung needs no figures.
    fileprivate static let none = Calibration(
        machine: MachineFacts(name: "", kernel: "", processor: "", processors: 1, memoryBytes: 0, hugePages: ""),
        at: Timestamp(nanoseconds: 0), spawn: .init(nanoseconds: 0, samples: 0), emptyLifeNanoseconds: 0, forks: [],
        container: .unavailable("not measured"), standby: .unavailable("not measured"),
        standbyIdleBytes: .unavailable("not measured"), runtime: .unavailable("not measured"),
        runtimeFirst: .unavailable("not measured"), interpreters: [])
}
