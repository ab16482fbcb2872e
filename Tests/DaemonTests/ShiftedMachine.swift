import Daemon
import ExecDoor
import JSON
import Keeper
import Linux
import Spawn
import Synchronization
import TestKit
import Testing

/// A node in a mount namespace of its own, in which copies of programs are shifted: the machine's own are never touched.
final class ShiftedMachine: Sendable {
    let test: TestNode
    private let held: Mutex<RunningProgram>
    private let place: TemporaryDirectory

    init() async throws {
        test = try TestNode()
        // Programs of other users are shifted, too: they find their way, and can list nothing.
        try Files.setPermissions(test.directory.path, 0o711)
        place = try TemporaryDirectory("shifted")
        try Files.setPermissions(place.path, 0o755)
        held = Mutex(try await Self.hold())
    }

    /// Runs a test with a node.
    ///
    /// - Parameters:
    ///   - memoryForState: as much memory instead of the disk for the node's state: "24m".
    ///   - body: gets the node and returns the one that runs at its end.
    static func with(
        memoryForState: String? = nil,
        _ body: (ShiftedMachine, RunningProgram) async throws -> RunningProgram
    ) async throws {
        let machine = try await ShiftedMachine()
        if let memoryForState {
            let state = machine.test.settings.state
            let mounted = try await machine.shell("mkdir -p \(state) && mount -t tmpfs -o size=\(memoryForState) test \(state)")
            try #require(mounted.status.isSuccess, "\(mounted.errorText)")
        }
        let node = try await machine.launch()
        do {
            try await machine.end(try await body(machine, node))
        } catch {
            try? StandardError.write((try? machine.said()) ?? "")
            // Whichever runs now.
            for pid in machine.launched.withLock({ $0 }) { try? pid.signal(Signal.kill) }
            try await machine.close()
            throw error
        }
        try await machine.close()
    }

    /// Keeps a mount namespace.
    private static func hold() async throws -> RunningProgram {
        let holder = try Template(
            .path("/usr/bin/unshare"),
            arguments: ["--mount", "--propagation", "private", "sh", "-c", "exec sleep 100000"], options: quiet
        ).start()
        let name = "/proc/\(holder.pid)/comm"
        // Not as soon as it is in a namespace of its own: a moment later what is mounted there stays there.
        try await eventually("the namespace is there") { try Files.readText(name) == "sleep" }
        return holder
    }

    private var holder: RunningProgram { held.withLock { $0 } }

    /// As after a reboot: no process of the node's and no mount is there, nor what was in RUN. The node was killed before.
    func reboot() async throws {
        try await test.endKeeper()
        let before = holder
        let after = try await Self.hold()
        held.withLock { $0 = after }
        try before.signal(Signal.kill)
        _ = try await before.wait()
        for name in try Files.list(test.settings.run) { try Files.removeTree("\(test.settings.run)/\(name)") }
    }

    /// Packages `teller` 1 and 2 of Debian's form, whose program says which it is, and a database to install them in.
    func makePackages() async throws {
        let made = try await shell(
            """
            mkdir -p root/var/lib/dpkg/info root/var/lib/dpkg/updates && : >root/var/lib/dpkg/status && \
            for v in 1 2; do mkdir -p p$v/opt p$v/DEBIAN && printf '#!/bin/sh\\necho version %s\\n' $v >p$v/opt/teller && \
            chmod 755 p$v/opt/teller && printf 'Package: teller\\nVersion: %s\\nArchitecture: all\\nMaintainer: n <n@example.org>\\nDescription: tells\\n' $v \
            >p$v/DEBIAN/control && dpkg-deb --root-owner-group -b p$v teller$v.deb >/dev/null || exit 1; done
            """)
        try #require(made.status.isSuccess, "\(made.errorText)")
    }

    func install(_ version: String) async throws -> CommandRunner.Outcome {
        try await shell("dpkg --root=root --force-not-root -i teller\(version).deb")
    }

    private let launched = Mutex<[RunningProgram]>([])

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

    func launch(_ flags: [String] = []) async throws -> RunningProgram {
        var options = Self.quiet
        let log = SharedFD(try Files.open(test.directory.path("log"), 0o2101, mode: 0o600))
        options.standardError = .descriptor(log.raw)
        let node = try Template(
            .path("/usr/bin/nsenter"),
            arguments: Array(into.dropFirst()) + [
                try TestNode.forkless(), "node", "--state", test.settings.state, "--run", test.settings.run, "--shim",
                try patientShim(),
                "--lambda-listen", "off", "--http-listen", "off",
            ] + flags, options: options
        ).start()
        launched.withLock { $0.append(node) }
        withExtendedLifetime(log) {}
        try await eventually(within: .seconds(60), "the node serves") {
            if let end = try node.exitIfEnded() { throw Problem(description: "the node \(end.status): \(try said())") }
            guard Files.exists(test.settings.nodeSocket) else { return false }
            return try await forkless(["shift", "status"]).status.isSuccess
        }
        return node
    }

    /// A shim that waits long for its decision. On a user's machine a node that is starved has a tenth of a second before
    /// the original runs; here the calls of a slow machine would go another way than a test expects.
    private func patientShim() throws -> String {
        let path = test.directory.path("forkless-shim")
        var record = ShimRecord(shift: "any", socket: "/any", original: "/any")
        record.decisionMilliseconds = 20_000
        let built = try Files.read(try BuiltFile.path("shim/forkless-shim"))
        try Files.replace(path, with: try record.patched(into: built), mode: 0o755)
        return path
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

    /// Where shadows write, as this process sees it.
    func layers() async throws -> String {
        let found = try await CommandRunner.run(["pgrep", "-f", "forkless-keeper .*--run \(test.settings.run)$"])
        let pid = try #require(found.text.split(separator: "\n").first.flatMap { Int32($0) }, "no keeper")
        return LayerMemory(run: test.settings.run).seen(through: pid)
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
