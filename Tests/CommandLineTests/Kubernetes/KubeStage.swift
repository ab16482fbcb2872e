import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// A node with its Kubernetes door, the real kubectl, and images that pods can be made from.
final class KubeStage: Sendable {
    let forkless: TestForkless
    private let python: PythonEnvironment

    private init(_ forkless: TestForkless, _ python: PythonEnvironment) {
        self.forkless = forkless
        self.python = python
    }

    /// Where a node of tests serves: nothing of it is where a user's own node might be.
    static let quiet = [
        "FORKLESS_LAMBDA_LISTEN=off", "FORKLESS_HTTP_LISTEN=off", "FORKLESS_INGRESS_LISTEN=127.0.0.1:0",
        "FORKLESS_INGRESS_TLS_LISTEN=127.0.0.1:0", "FORKLESS_KUBE_LISTEN=127.0.0.1:0",
        "FORKLESS_POD_NETWORK=10.231.0.0/16", "FORKLESS_SERVICE_NETWORK=10.232.0.0/16",
    ]

    /// Starts a node for the length of `body`, with the image `busybox:1` loaded.
    static func run(_ body: (KubeStage) async throws -> Void) async throws {
        let forkless = try TestForkless()
        let stage = KubeStage(forkless, try await PythonEnvironment.kubernetes())
        try await forkless.withNode(environment: quiet) {
            try await stage.load("busybox:1")
            try await stage.configure()
            do { try await body(stage) } catch {
                try await stage.clear()
                throw error
            }
            try await stage.clear()
        }
    }

    func load(_ name: String) async throws {
        let archive = forkless.path("image.tar")
        try TestImage.archive(at: archive, as: name)
        try await expectSuccess(try await forkless("load", "-qi", archive))
    }

    var kubeconfig: String { forkless.path("kubeconfig") }

    /// Also after a node was started anew, at another port.
    func configure(_ flags: String...) async throws {
        let outcome = try await forkless.call(["kubeconfig"] + flags)
        try await expectSuccess(outcome)
        try Files.replace(kubeconfig, with: outcome.output, mode: 0o600)
    }

    // Faults.

    /// Kills the node, not its keeper.
    func killNode() async throws {
        for name in try Files.list("/proc") {
            guard let pid = Int32(name), let words = Self.words(pid), words.first == forkless.executable,
                words.contains("node"), words.contains(forkless.run)
            else { continue }
            try ProcessFD(pid: pid).signal(Signal.kill)
            try await eventually("the node is gone") { Self.words(pid) == nil }
        }
    }

    /// Starts the next node in the same place.
    func startNode() async throws {
        try await expectSuccess(try await forkless.call(["node", "--detach"], environment: Self.quiet))
        try await configure()
    }

    /// The process of a pod whose command line has this text; nil when there is none.
    func process(_ text: String) async throws -> Int32? {
        for name in try Files.list("/proc") {
            guard let pid = Int32(name), let words = Self.words(pid), words.first == "sh",
                words.contains(where: { $0.contains(text) })
            else { continue }
            return pid
        }
        return nil
    }

    private static func words(_ pid: Int32) -> [String]? {
        guard let bytes = try? Files.read("/proc/\(pid)/cmdline"), !bytes.isEmpty else { return nil }
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Pods hold mounts and namespaces, which a test that failed would leave behind as well.
    private func clear() async throws {
        _ = try await kubectl("delete", "namespaces", "--all", "--wait=false")
        _ = try await kubectl(
            "delete", "deployments,replicasets,statefulsets,daemonsets,jobs,cronjobs,pods", "--all", "-A", "--grace-period=1",
            "--wait=false")
        try await eventually(within: .seconds(60), "all pods are gone") {
            let left = try await kubectl("get", "pods", "-A", "-o", "name")
            return left.status.isSuccess && left.text.isEmpty
        }
    }

    // Clients.

    func kubectl(_ arguments: String..., input: String = "", within limit: Duration = .seconds(60)) async throws
        -> CommandRunner.Outcome
    {
        try await kubectl(arguments, input: input, within: limit)
    }

    func kubectl(_ arguments: [String], input: String = "", within limit: Duration = .seconds(60)) async throws
        -> CommandRunner.Outcome
    {
        try await CommandRunner.run(
            [python.kubectl] + arguments, input: Array(input.utf8), environment: environment, within: limit)
    }

    private var environment: [String] {
        ["KUBECONFIG=\(kubeconfig)", "HOME=\(forkless.path("home"))", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    }

    /// What a command says that has to succeed.
    @discardableResult
    func callAsFunction(_ arguments: String..., input: String = "", within limit: Duration = .seconds(60)) async throws
        -> CommandRunner.Outcome
    {
        let outcome = try await kubectl(arguments, input: input, within: limit)
        try await expectSuccess(outcome, arguments)
        return outcome
    }

    @discardableResult
    func apply(_ manifest: String, _ flags: String...) async throws -> CommandRunner.Outcome {
        let arguments = ["apply", "-f", "-"] + flags
        let outcome = try await kubectl(arguments, input: manifest)
        try await expectSuccess(outcome, arguments)
        return outcome
    }

    /// An object as JSON.
    func get(_ arguments: String...) async throws -> JSONValue {
        let arguments = ["get"] + arguments + ["-o", "json"]
        let outcome = try await kubectl(arguments)
        try await expectSuccess(outcome, arguments)
        return try JSONParser.parse(outcome.output)
    }

    /// Runs a program with the Python client at hand, whose configuration is read.
    func python(_ program: String, _ arguments: String...) async throws -> String {
        let outcome = try await CommandRunner.run(
            [python.python, "-c", program] + arguments, environment: environment)
        try await expectSuccess(outcome)
        return outcome.text
    }

    struct Failed: Error, CustomStringConvertible {
        var description: String
    }

    private func expectSuccess(_ outcome: CommandRunner.Outcome, _ arguments: [String] = []) async throws {
        guard !outcome.status.isSuccess else { return }
        throw Failed(description: "\(arguments.joined(separator: " ")): \(outcome.status): \(outcome.errorText)\(outcome.text)")
    }
}
