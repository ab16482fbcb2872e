import Linux
import TestKit
import Testing

/// libforkless-spawn.so and the programs that it is preloaded into, built once for all of these tests.
struct PreloadStage: Sendable {
    let library: String
    let cases: String
    let obstacles: String

    static let shared = Task { try await PreloadStage() }

    /// This checkout.
    static let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    static let fixtures = root + "/Tests/Fixtures/preload"

    private init() async throws {
        let directory = Self.root + "/.build/preload-tests"
        try Files.makeDirectories(directory)
        library = directory + "/libforkless-spawn.so"
        cases = directory + "/cases"
        obstacles = directory + "/obstacles.so"
        try Self.succeeded(
            try await CommandRunner.run(["make", "-s", "-C", Self.root, "SHIM=\(directory)", library]))
        let sources = ["frame", "memory", "process", "faults"].map { "\(Self.fixtures)/\($0).c" }
        try Self.succeeded(
            try await CommandRunner.run(
                ["cc", "-O1", "-std=gnu11", "-Wall", "-Werror", "-pthread", "-o", cases] + sources))
        try Self.succeeded(
            try await CommandRunner.run([
                "cc", "-O1", "-shared", "-fPIC", "-o", obstacles, "\(Self.fixtures)/obstacles.c",
            ]))
    }

    private static func succeeded(_ outcome: CommandRunner.Outcome) throws {
        try #require(outcome.status.isSuccess, "\(outcome.errorText)")
    }

    /// What a program did, and what the library says that it did.
    struct Run {
        var status: Linux.ExitStatus
        var text: String
        var log: [Substring]

        /// How many forks left memory out.
        var windows: Int { log.count { $0.contains(" window of ") } }
        /// How many of those ended by giving the child everything.
        var settled: Int { log.count { $0.contains(": settled after ") } }
    }

    /// Runs a program without the library.
    func plainly(_ arguments: [String]) async throws -> Run {
        let outcome = try await CommandRunner.run(arguments, within: .seconds(300))
        return Run(status: outcome.status, text: outcome.text + outcome.errorText, log: [])
    }

    /// Runs it with the library, and others of ours before it.
    func preloaded(_ arguments: [String], others: [String] = [], variables: [String] = []) async throws -> Run {
        let scratch = try TemporaryDirectory("preload-log")
        let log = scratch.path("log")
        try Files.replace(log, with: [])
        try FileEntries.setMode(0o666, of: log, at: Files.here)
        // Also for a case that becomes somebody else.
        try FileEntries.setMode(0o777, of: scratch.path, at: Files.here)
        let own = ["LD_PRELOAD=\((others + [library]).joined(separator: ":"))", "FORKLESS_SPAWN_LOG=\(log)"]
        let environment = OwnProcess.environment().filter { !$0.hasPrefix("LD_PRELOAD=") } + own + variables
        let outcome = try await CommandRunner.run(arguments, environment: environment, within: .seconds(300))
        let lines = try Files.readText(log).split(separator: "\n")
        return Run(status: outcome.status, text: outcome.text + outcome.errorText, log: lines)
    }

    /// Runs one of the cases both ways; what it says is the same. What it did with the library.
    ///
    /// - Parameter isAsWanted: whether it did what it should. If not, it is run up to twice more: a machine that stands
    ///   still for half a second ends a window early (PATIENCE in sites.h), after which no other one opens, and a
    ///   thread that was joined may be in /proc for a moment still.
    @discardableResult
    func same(_ name: String, _ isAsWanted: (Run) -> Bool = { _ in true }) async throws -> Run {
        try await same([cases, name], isAsWanted)
    }

    /// The same for another program.
    @discardableResult
    func same(_ words: [String], _ isAsWanted: (Run) -> Bool) async throws -> Run {
        var run = try await compared(words)
        for _ in 0..<2 where !isAsWanted(run) { run = try await compared(words) }
        let isRight = isAsWanted(run)
        #expect(isRight, "\(words): \(run.log.joined(separator: "\n"))")
        return run
    }

    private func compared(_ words: [String]) async throws -> Run {
        let plain = try await plainly(words)
        let run = try await preloaded(words)
        #expect(plain.status.isSuccess, "\(plain.text)")
        #expect(run.status == plain.status && run.text == plain.text, "\(words): \(run.text)\nwithout: \(plain.text)")
        return run
    }
}
