internal import Glibc
package import Linux

/// Runs another program for a test and collects what it says, with posix_spawn(3): independent of the code
/// under test.
package enum CommandRunner {
    /// What a program left behind.
    package struct Outcome: Sendable {
        package var status: ExitStatus
        package var output: [UInt8]
        package var errors: [UInt8]

        /// Standard output as text.
        package var text: String { String(decoding: output, as: UTF8.self) }
        /// Standard error as text.
        package var errorText: String { String(decoding: errors, as: UTF8.self) }
    }

    /// A program that could not be run to its end.
    package struct Failure: Error, CustomStringConvertible {
        package var arguments: [String]
        package var problem: String

        package var description: String { "run \(arguments.joined(separator: " ")): \(problem)" }
    }

    /// Runs `arguments` (the first is looked up in PATH) to its end, on a thread of its own.
    ///
    /// - Parameters:
    ///   - environment: the whole environment as "NAME=value"; nil is this process's own.
    ///   - limit: after this long the program's process group is killed and `Failure` is thrown.
    package static func run(
        _ arguments: [String], input: [UInt8] = [], environment: [String]? = nil, within limit: Duration = .seconds(60)
    ) async throws(Failure) -> Outcome {
        try await OwnThread.runAsync {
            Result { () throws(Failure) in try perform(arguments, input, environment, limit) }
        }.get()
    }

    /// The same, holding the calling thread: for code that is not asynchronous.
    package static func runBlocking(
        _ arguments: [String], input: [UInt8] = [], environment: [String]? = nil, within limit: Duration = .seconds(60)
    ) throws(Failure) -> Outcome {
        try OwnThread.run {
            Result { () throws(Failure) in try perform(arguments, input, environment, limit) }
        }.get()
    }

    /// The file that PATH leads to, or nil: whether a test's tool is installed.
    package static func find(_ name: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        let places = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"]
        return places.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    private static func perform(
        _ arguments: [String], _ input: [UInt8], _ environment: [String]?, _ limit: Duration
    ) throws(Failure) -> Outcome {
        do {
            var run = try Run(arguments, input: input, environment: environment)
            return try run.finish(within: limit)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(arguments: arguments, problem: "\(error)")
        }
    }
}
