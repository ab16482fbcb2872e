import Engine
import Linux
import OCI
import Observation
import Packing
import Spawn

/// One call that is made twice: here and in the image.
struct ProofCase: Hashable {
    var arguments: [String]
    var directory: String
    /// The file that is its standard input; nil: nothing.
    var input: String?
    /// Files of this machine that its arguments name.
    var files: [String]
}

/// The calls that a proof makes.
struct ProofCases {
    var all: [ProofCase] = []

    /// Recorded arguments, or those that were given; each with each input.
    init(_ recorded: RecordedProgram?, arguments: [String], inputs: [String], workingDirectory: String) throws {
        var calls = (recorded?.examples ?? []).map {
            (Array($0.arguments.dropFirst()), $0.directory.map { RecordedPath.onDisk($0) } ?? workingDirectory)
        }
        // Relative names of arguments mean ours.
        if !arguments.isEmpty || calls.isEmpty { calls = [(arguments, OwnProcess.workingDirectory() ?? "/")] }
        let files = try inputs.map { try PackCommand.absolute($0) }
        for file in files where (try? Files.status(file).kind) != .regular {
            throw FlagError("--input", file, "there is no such file")
        }
        for (arguments, directory) in calls {
            // A call in a directory that is gone cannot be made again.
            guard (try? Files.status(directory).kind) == .directory else { continue }
            let named = Self.named(arguments, in: directory)
            for input in files.isEmpty ? [nil] : files.map(Optional.some) {
                all.append(ProofCase(arguments: arguments, directory: directory, input: input, files: named))
            }
        }
    }

    /// What belongs to the calls and not to the program.
    var inputFiles: Set<String> { Set(all.flatMap { $0.files + [$0.input].compactMap(\.self) }) }

    /// Regular files that arguments name, as "FILE" or "--flag=FILE".
    private static func named(_ arguments: [String], in directory: String) -> [String] {
        var files: [String] = []
        for argument in arguments {
            let word =
                argument.hasPrefix("-")
                ? argument.split(separator: "=", maxSplits: 1).dropFirst().first.map(String.init) ?? "" : argument
            guard !word.isEmpty, !word.contains("\n") else { continue }
            let path = word.hasPrefix("/") ? word : directory + "/" + word
            guard (try? Files.status(path).kind) == .regular, let plain = try? PackCommand.absolute(path) else {
                continue
            }
            if !files.contains(plain) { files.append(plain) }
        }
        return files
    }
}

/// Runs calls here and in the image, and compares all that a caller sees: status, standard output, standard error.
struct PackProof {
    struct Outcome {
        var call: ProofCase
        /// "exited with status 0".
        var status: String
        var outputBytes: Int
        /// Empty: both did the same.
        var differences: [String]
    }

    private struct Seen: Hashable {
        var status: String
        var output: [UInt8]
        var errors: [UInt8]
    }

    private let client: NodeClient
    private let image: PackedImage
    private let program: PackedProgram
    /// More of an output is not kept: a proof is of calls, not of streams.
    private static let outputBytesLimit = 256 << 20

    init(_ client: NodeClient, image: PackedImage, program: PackedProgram) {
        self.client = client
        self.image = image
        self.program = program
    }

    func run(_ call: ProofCase) async throws -> Outcome {
        let here = try await runHere(call)
        let there = try await runInImage(call)
        var differences: [String] = []
        if here.status != there.status {
            differences.append("status: \(here.status) here, \(there.status) in the image")
        }
        if let text = Self.difference(here.output, there.output) { differences.append("standard output: " + text) }
        if let text = Self.difference(here.errors, there.errors) { differences.append("standard error: " + text) }
        return Outcome(call: call, status: here.status, outputBytes: here.output.count, differences: differences)
    }

    private var environment: [String] { program.environment + ["HOME=/", "LANG=C.UTF-8"] }

    private func runHere(_ call: ProofCase) async throws -> Seen {
        var options = Options()
        options.environment = .exactly(
            Dictionary(
                uniqueKeysWithValues: environment.map { entry in
                    let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                        String.init)
                    return (parts[0], parts[1])
                }))
        options.directory = call.directory
        if let uid = program.uid, OwnProcess.effectiveUser == 0 {
            options.user = try Users.ofMachine().identity(of: "\(uid)")
        }
        let template = try Template(.path(program.program), arguments: call.arguments, options: options)
        let streams = try Streams(call.input)
        let running = try template.start(
            input: .descriptor(streams.input.raw), output: .descriptor(streams.output.raw),
            error: .descriptor(streams.errors.raw))
        let end = try await running.wait()
        let code = end.status.shellStatus
        return Seen(
            status: Self.status(code), output: try streams.read(streams.output),
            errors: try streams.read(streams.errors))
    }

    private func runInImage(_ call: ProofCase) async throws -> Seen {
        var spec = ContainerSpec(program: call.arguments.first ?? "", arguments: Array(call.arguments.dropFirst()))
        spec.image = ContainerImage(image.id.description)
        // Our arguments replace the image's, also when there are none.
        spec.entrypoint = [program.program]
        spec.environment = environment
        spec.directory = call.directory
        spec.isInteractive = true
        spec.removesOnExit = true
        spec.mounts = call.files.map { ContainerMount.bind(source: $0, target: $0, isReadOnly: true) }
        let streams = try Streams(call.input)
        let answer = try await client.stream(
            RunContainer(spec, attachment: .passed, waits: true),
            descriptors: [streams.input.raw, streams.output.raw, streams.errors.raw]
        ) { _, _ in }
        guard let code = answer.end?.exitStatus else {
            throw CommandFailure("pack: the node did not say how the program in the image ended")
        }
        return Seen(
            status: Self.status(code), output: try streams.read(streams.output),
            errors: try streams.read(streams.errors))
    }

    private static func status(_ code: Int32) -> String {
        code > 128 ? "killed by \(Signal.name(of: code - 128))" : "exited with status \(code)"
    }

    /// The first line that differs, of both; nil when nothing does.
    private static func difference(_ here: [UInt8], _ there: [UInt8]) -> String? {
        guard here != there else { return nil }
        let (one, two) = (lines(here), lines(there))
        let at = zip(one, two).prefix { $0 == $1 }.count
        func shown(_ lines: [ArraySlice<UInt8>]) -> String {
            at < lines.count ? "\"" + String(decoding: lines[at].prefix(120), as: UTF8.self) + "\"" : "nothing"
        }
        return
            "line \(at + 1) is \(shown(one)) here and \(shown(two)) in the image (\(here.count) and \(there.count) bytes)"
    }

    private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    }

    private struct Streams {
        let input: SharedFD
        let output: SharedFD
        let errors: SharedFD

        init(_ file: String?) throws {
            input = SharedFD(try Files.open(file ?? "/dev/null", 0))
            output = SharedFD(try Files.memory(named: "output"))
            errors = SharedFD(try Files.memory(named: "errors"))
        }

        func read(_ stream: SharedFD) throws -> [UInt8] {
            try Files.readAll(from: stream.raw, limit: PackProof.outputBytesLimit)
        }
    }
}
