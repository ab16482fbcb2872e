import Linux
import TestKit

/// The built executable `forkless`, driven as a user would, with directories of its own.
final class TestForkless: Sendable {
    let executable: String
    private let home: TemporaryDirectory
    /// Where the node keeps what outlives it.
    let state: String

    struct NotBuilt: Error, CustomStringConvertible {
        var description: String
    }

    /// - Parameter state: elsewhere than in a directory of its own: on a disk that is soon full.
    init(state: String? = nil) throws {
        executable = try Self.built("forkless")
        home = try TemporaryDirectory("cli")
        self.state = state ?? home.path("state")
    }

    var run: String { home.path("run") }

    func path(_ name: String) -> String { home.path(name) }

    /// Runs a verb to its end.
    func callAsFunction(_ arguments: String..., input: String = "") async throws -> CommandRunner.Outcome {
        try await call(arguments, input: input)
    }

    func call(_ arguments: [String], input: String = "", environment: [String] = []) async throws -> CommandRunner.Outcome {
        let names = environment.map { $0.prefix { $0 != "=" } + "=" }
        let ours = self.environment.filter { line in !names.contains { line.hasPrefix($0) } }
        return try await CommandRunner.run(
            [executable] + arguments, input: Array(input.utf8), environment: ours + environment)
    }

    /// Ours without what would lead elsewhere.
    var environment: [String] {
        OwnProcess.environment().filter { !$0.hasPrefix("FORKLESS_") }
            + ["FORKLESS_STATE=\(state)", "FORKLESS_RUN=\(run)"]
    }

    /// Starts a node for the length of `body`; afterwards node, keeper and everything that ran are gone.
    func withNode(
        _ flags: String..., environment: [String] = [], _ body: () async throws -> Void
    ) async throws {
        let started = try await call(["node", "--detach"] + flags, environment: environment)
        guard started.status.isSuccess else { throw NotBuilt(description: "no node: \(started.errorText)") }
        try await endingNode(body)
    }

    /// Ends the node that `body` has started, with everything in it.
    func endingNode(_ body: () async throws -> Void) async throws {
        do { try await body() } catch {
            try await endNode()
            throw error
        }
        try await endNode()
    }

    private func endNode() async throws {
        for name in ["forkless node", "forkless-keeper"] {
            let own = try Self.pids(naming: run).filter { try Self.commandLine($0).contains(name) }
            let asked = try own.compactMap { try Self.terminate($0) }
            try await eventually(within: .seconds(60), "\(name) has ended") { asked.allSatisfy { Self.hasEnded($0) } }
        }
    }

    /// Asks a process to end; nil for one that has ended since it was listed, which is what is wanted.
    private static func terminate(_ pid: Int32) throws(SystemError) -> SharedFD? {
        do throws(SystemError) {
            let process = try ProcessFD(pid: pid)
            try process.signal(Signal.terminate)
            return process.shared()
        } catch {
            guard error.code == .noProcess else { throw error }
            return nil
        }
    }

    /// Whether a process has ended with all its threads. It loses its command line and its executable before that, and
    /// with them gone it still has its locks and listens at its sockets, into which the next node there would run.
    static func hasEnded(_ process: SharedFD) -> Bool {
        (try? Descriptors.isReadable(process.raw, withinMilliseconds: 0)) == true
    }

    /// The processes whose command line has this text.
    private static func pids(naming text: String) throws -> [Int32] {
        try Files.list("/proc").compactMap(Int32.init).filter { ((try? commandLine($0)) ?? "").contains(text) }
    }

    private static func commandLine(_ pid: Int32) throws -> String {
        let bytes = (try? Files.read("/proc/\(pid)/cmdline")) ?? []
        return String(decoding: bytes.map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
    }

    /// An executable of this package, beside the tests' own bundle.
    private static func built(_ name: String) throws -> String {
        let arguments = try Files.read("/proc/self/cmdline").split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        var places: [String] = []
        for argument in arguments where argument.hasSuffix(".xctest") {
            var directory = argument.split(separator: "/", omittingEmptySubsequences: false)
            directory.removeLast()
            places.append(directory.joined(separator: "/"))
        }
        places += [".build/debug", ".build/release"].map { (OwnProcess.workingDirectory() ?? ".") + "/" + $0 }
        guard let found = places.first(where: { Files.isExecutableFile("\($0)/\(name)") }) else {
            throw NotBuilt(description: "\(name) is in none of \(places)")
        }
        let path = "\(found)/\(name)"
        return path.hasPrefix("/") ? path : (OwnProcess.workingDirectory() ?? "") + "/" + path
    }
}
