import Daemon
import JSON
import Linux
import Spawn
import TestKit

/// A node in a mount namespace of its own, in which copies of programs are shifted: the machine's own are never touched.
struct ShiftedMachine: Sendable {
    let test: TestNode
    private let holder: RunningProgram
    private let place: TemporaryDirectory

    init() async throws {
        test = try TestNode()
        // Programs of other users are shifted, too: they find their way, and can list nothing.
        try Files.setPermissions(test.directory.path, 0o711)
        place = try TemporaryDirectory("shifted")
        try Files.setPermissions(place.path, 0o755)
        holder = try Template(
            .path("/usr/bin/unshare"),
            arguments: ["--mount", "--propagation", "private", "sh", "-c", "exec sleep 100000"], options: Self.quiet
        ).start()
        let own = try Files.link("/proc/self/ns/mnt")
        let pid = holder.pid
        try await eventually("the namespace is there") { try Files.link("/proc/\(pid)/ns/mnt") != own }
    }

    private static var quiet: Options {
        var options = Options()
        options.standardInput = .null
        options.standardOutput = .null
        options.standardError = .null
        options.group = .own
        return options
    }

    /// What runs something in the namespace, with no descriptors but the standard streams: a caller has no more, whatever
    /// this process was started with.
    private var into: [String] {
        let closing = "import os,sys; os.closerange(3,4096); os.execvp(sys.argv[1],sys.argv[1:])"
        return ["nsenter", "--mount=/proc/\(holder.pid)/ns/mnt", "python3", "-c", closing]
    }

    func path(_ name: String) -> String { place.path(name) }

    /// A copy of one of the machine's programs.
    func copy(of program: String, as name: String) async throws -> String {
        let path = place.path(name)
        let copied = try await CommandRunner.run(["cp", "-L", program, path])
        guard copied.status.isSuccess else { throw Problem(description: copied.errorText) }
        try Files.setPermissions(path, 0o755)
        return path
    }

    struct Problem: Error, CustomStringConvertible { var description: String }

    /// The shim that `make shim` has built.
    static func shim() throws -> String {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(3)
        let path = parts.joined(separator: "/") + "/.build/shim/forkless-shim"
        guard Files.exists(path) else { throw Problem(description: "\(path) is missing: make shim") }
        return path
    }

    func launch(_ flags: [String] = []) async throws -> RunningProgram {
        var options = Self.quiet
        let log = SharedFD(try Files.open(test.directory.path("log"), 0o2101, mode: 0o600))
        options.standardError = .descriptor(log.raw)
        let node = try Template(
            .path("/usr/bin/nsenter"),
            arguments: Array(into.dropFirst()) + [
                try TestNode.forkless(), "node", "--state", test.settings.state, "--run", test.settings.run, "--shim",
                try Self.shim(),
                "--lambda-listen", "off", "--http-listen", "off",
            ] + flags, options: options
        ).start()
        withExtendedLifetime(log) {}
        try await eventually(within: .seconds(30), "the node serves") {
            if let end = try node.exitIfEnded() { throw Problem(description: "the node \(end.status): \(try said())") }
            guard Files.exists(test.settings.nodeSocket) else { return false }
            return try await forkless(["shift", "status"]).status.isSuccess
        }
        return node
    }

    func said() throws -> String { try Files.readText(test.directory.path("log")) }

    /// A verb.
    func forkless(_ words: [String]) async throws -> CommandRunner.Outcome {
        let environment = [
            "FORKLESS_STATE=\(test.settings.state)", "FORKLESS_RUN=\(test.settings.run)", "PATH=/usr/bin:/bin",
            "COLUMNS=200",
        ]
        return try await CommandRunner.run(into + [try TestNode.forkless()] + words, environment: environment)
    }

    /// `forkless shift ...`, which has to succeed.
    @discardableResult
    func shift(_ words: String...) async throws -> JSONValue {
        let outcome = try await forkless(["shift"] + words + ["--output", "json"])
        guard outcome.status.isSuccess else { throw Problem(description: "shift \(words): \(outcome.errorText)") }
        return try JSONParser.parse(outcome.output)
    }

    /// The state of the shift of a program.
    func state(_ program: String) async throws -> JSONValue {
        try await shift("status", program)["shifts"]?.array?.first ?? .null
    }

    /// A caller in the namespace.
    func run(_ words: [String], input: String = "", within limit: Duration = .seconds(120)) async throws
        -> CommandRunner.Outcome
    {
        try await CommandRunner.run(
            into + words, input: Array(input.utf8), environment: ["PATH=/usr/bin:/bin:/usr/sbin", "LC_ALL=C"],
            within: limit)
    }

    /// The same for a line of the shell, in a directory.
    func shell(_ line: String, input: String = "", within limit: Duration = .seconds(120)) async throws
        -> CommandRunner.Outcome
    {
        try await run(["sh", "-c", "cd \(place.path) && \(line)"], input: input, within: limit)
    }

    /// A daemon in the namespace, until it is ended.
    func background(_ words: [String]) async throws -> Daemon {
        Daemon(
            program: try Template(
                .path("/usr/bin/nsenter"), arguments: Array(into.dropFirst()) + words, options: Self.quiet
            ).start())
    }

    struct Daemon: Sendable {
        let program: RunningProgram

        /// Ends it with all that it has started.
        func end(_ signal: Int32 = Signal.terminate) async throws {
            try program.signal(signal)
            _ = try await program.wait()
        }
    }

    /// Whether the shim stands over a program.
    func isShifted(_ program: String) async throws -> Bool {
        try await run(["grep", "-q", " \(program) ro", "/proc/self/mountinfo"]).status.isSuccess
    }

    func end(_ node: RunningProgram) async throws {
        try node.signal(Signal.terminate)
        _ = try await node.wait()
    }

    func kill(_ node: RunningProgram) async throws {
        try node.signal(Signal.kill)
        _ = try await node.wait()
    }

    /// The keeper goes, and the namespace with every mount in it.
    func close() async throws {
        try await test.endKeeper()
        try holder.signal(Signal.kill)
        _ = try await holder.wait()
    }
}
