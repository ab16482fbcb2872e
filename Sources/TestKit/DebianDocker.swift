internal import Linux

/// Debian's Docker and Podman, each with directories of the test's own, and mounts that nobody else sees.
package struct DebianDocker: Sendable {
    private let socket: String

    /// For clients: the value of DOCKER_HOST.
    package var address: String { "unix://\(socket)" }

    /// Runs a daemon for the length of `body`; its containers have no network, and their control groups are below one
    /// that goes with it.
    ///
    /// - Parameter options: more of the daemon's.
    package static func running<Value>(
        options: [String] = [], isolation: isolated (any Actor)? = #isolation,
        _ body: (DebianDocker) async throws -> Value
    ) async throws -> Value {
        let directory = try TemporaryDirectory("docker")
        let group = "forkless-test-docker-\(OwnProcess.pid)"
        let socket = directory.path("sock")
        let arguments =
            [
                "unshare", "--mount", "--propagation", "private", "dockerd", "--data-root", directory.path("data"),
                "--exec-root", directory.path("exec"), "--pidfile", directory.path("pid"), "--host", "unix://\(socket)",
                "--bridge", "none", "--iptables=false", "--ip-forward=false", "--cgroup-parent", "/\(group)",
            ] + options
        let result: Result<Value, any Error>
        do {
            result = .success(
                try await BackgroundServer.running(arguments, log: directory.path("log")) { server in
                    _ = try await server.until("Docker's socket") { $0.contains("API listen on") ? true : nil }
                    return try await body(DebianDocker(socket: socket))
                })
        } catch { result = .failure(error) }
        // The daemon leaves the parent of its containers' groups behind, empty.
        _ = try await CommandRunner.run([
            "find", "/sys/fs/cgroup", "-depth", "-type", "d", "-path", "*/\(group)*", "-exec", "rmdir", "{}", "+",
        ])
        return try result.get()
    }

    /// Runs a command of the client; throws what it said when it fails.
    @discardableResult
    package func callAsFunction(_ arguments: String..., input: [UInt8] = []) async throws -> String {
        try await call(arguments, input: input)
    }

    /// The same with the words in one list.
    @discardableResult
    package func call(_ arguments: [String], input: [UInt8] = []) async throws -> String {
        let outcome = try await CommandRunner.run(
            ["docker", "--host", address] + arguments, input: input, within: .seconds(300))
        guard outcome.status.isSuccess else {
            throw BackgroundServer.Failure(description: "docker \(arguments): \(outcome.errorText)")
        }
        return outcome.text
    }
}

/// Debian's Podman with directories of the test's own.
package struct DebianPodman: Sendable {
    private let directory: TemporaryDirectory

    package init() throws { directory = try TemporaryDirectory("podman") }

    /// Runs a command; throws what it said when it fails.
    @discardableResult
    package func callAsFunction(_ arguments: String..., input: [UInt8] = []) async throws -> String {
        try await call(arguments, input: input)
    }

    /// The same with the words in one list.
    @discardableResult
    package func call(_ arguments: [String], input: [UInt8] = []) async throws -> String {
        // Its storage is mounted over itself while a command runs.
        let outcome = try await CommandRunner.run(
            [
                "unshare", "--mount", "--propagation", "private", "podman", "--root", directory.path("root"),
                "--runroot",
                directory.path("run"), "--tmpdir", directory.path("tmp"), "--storage-driver", "vfs",
                "--cgroup-manager", "cgroupfs", "--events-backend", "none",
            ] + arguments, input: input, within: .seconds(300))
        guard outcome.status.isSuccess else {
            throw BackgroundServer.Failure(description: "podman \(arguments): \(outcome.errorText)")
        }
        return outcome.text
    }
}
