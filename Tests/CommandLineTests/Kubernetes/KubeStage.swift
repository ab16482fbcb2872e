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

    /// Where a node of tests serves: nothing of it is where a user's own node might be, or that of tests that run at the
    /// same time.
    static let quiet = [
        "FORKLESS_LAMBDA_LISTEN=off", "FORKLESS_HTTP_LISTEN=off", "FORKLESS_INGRESS_LISTEN=127.0.0.1:0",
        "FORKLESS_INGRESS_TLS_LISTEN=127.0.0.1:0", "FORKLESS_KUBERNETES_LISTEN=127.0.0.1:0",
        "FORKLESS_POD_NETWORK=10.\(network).0.0/16", "FORKLESS_SERVICE_NETWORK=10.\(network + 1).0.0/16",
    ]

    /// The second byte of the pods' network, an even one from 128 to 226.
    private static let network = 128 + 2 * (Int(OwnProcess.pid) % 50)

    /// Starts a node for the length of `body`, with the image `busybox:1` loaded.
    ///
    /// - Parameters:
    ///   - flags: of the node.
    ///   - state: a directory for the node's state in place of one of the stage's own.
    ///   - variables: as "NAME=value", in place of those of `quiet` with the same names.
    static func run(
        flags: [String] = [], state: String? = nil, with variables: [String] = [],
        _ body: (KubeStage) async throws -> Void
    ) async throws {
        let forkless = try TestForkless(state: state)
        let stage = KubeStage(forkless, try await PythonEnvironment.kubernetes())
        let names = variables.map { $0.prefix { $0 != "=" } + "=" }
        let environment = quiet.filter { variable in !names.contains { variable.hasPrefix($0) } } + variables
        let started = try await forkless.call(["node", "--detach"] + flags, environment: environment)
        guard started.status.isSuccess else { throw Failed(description: "no node: \(started.errorText)") }
        try await forkless.endingNode {
            try await stage.load("busybox:1")
            try await stage.configure()
            // Controllers make both a moment after the API serves; a pod without its account is refused.
            try await eventually(within: .seconds(60), "the cluster has its node and its first account") {
                let there = try await stage.kubectl("get", "nodes,serviceaccounts").text
                return there.contains(" Ready ") && there.contains("serviceaccount/default")
            }
            do { try await body(stage) } catch {
                // What has failed first is what is told.
                try? await stage.clear()
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
    func killNode() async throws { try await kill(try nodes()) }

    /// Kills the keeper, and with it all that runs; the node goes on.
    func killKeeper() async throws {
        try await kill(try Self.processes { $0.first?.hasSuffix("/forkless-keeper") == true && $0.contains(forkless.run) })
    }

    /// The process of the node.
    func node() throws -> Int32 { try #require(try nodes().first) }

    private func nodes() throws -> [Int32] {
        try Self.processes { $0.first == forkless.executable && $0.contains("node") && $0.contains(forkless.run) }
    }

    private func kill(_ pids: [Int32]) async throws {
        for pid in pids {
            let process = try ProcessFD(pid: pid)
            try process.signal(Signal.kill)
            let killed = process.shared()
            try await eventually(within: .seconds(60), "process \(pid) is gone") { TestForkless.hasEnded(killed) }
        }
    }

    private static func processes(_ isWanted: ([String]) -> Bool) throws -> [Int32] {
        try Files.list("/proc").compactMap { Int32($0) }.filter { words($0).map(isWanted) ?? false }
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
            "delete", "deployments,replicasets,replicationcontrollers,statefulsets,daemonsets,cronjobs,jobs,pods",
            "--all", "-A", "--grace-period=1",
            "--wait=false")
        do {
            try await eventually(within: .seconds(60), "all pods are gone") {
                let left = try await kubectl("get", "pods", "-A", "-o", "name")
                return left.status.isSuccess && left.text.isEmpty
            }
        } catch {
            let left = try await kubectl("get", "pods", "-A", "-o", "yaml")
            throw Failed(description: "\(error): \(left.text)\(left.errorText)")
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

    /// Runs kubectl, its input neither written nor ended, and kills it after a while as it is.
    func killed(_ arguments: [String], after pause: Duration) async throws {
        let span = Double(pause.components.attoseconds) / 1e18 + Double(pause.components.seconds)
        let open = #"[ -p "$0" ] || mkfifo "$0"; exec 3<>"$0"; exec "$@" <&3"#
        let outcome = try await CommandRunner.run(
            ["sh", "-c", open, forkless.path("input"), "timeout", "-s", "KILL", "\(span)", python.kubectl] + arguments,
            environment: environment, within: .seconds(60))
        // timeout(1) ends as what it has killed.
        guard !outcome.status.isSuccess else { throw Failed(description: "\(arguments) ended by itself: \(outcome.text)") }
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

    /// The same for a program that speaks HTTPS itself: see `RawClient`.
    func raw(_ program: String, _ arguments: String..., within limit: Duration = .seconds(120)) async throws -> String {
        let outcome = try await CommandRunner.run(
            [python.python, "-c", RawClient.prelude + program] + arguments, environment: environment, within: limit)
        try await expectSuccess(outcome)
        return outcome.text
    }

    struct Failed: Error, CustomStringConvertible {
        var description: String
    }

    private func expectSuccess(_ outcome: CommandRunner.Outcome, _ arguments: [String] = []) async throws {
        guard !outcome.status.isSuccess else { return }
        throw Failed(
            description: "\(arguments.joined(separator: " ")): \(outcome.status): \(outcome.errorText)\(outcome.text)")
    }
}
