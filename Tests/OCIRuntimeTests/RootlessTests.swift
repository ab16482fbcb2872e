import JSON
import Linux
import TestKit
import Testing

/// A user who is root in a user namespace of his own and may make no cgroups, as under rootless Podman.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(2))) struct RootlessTests {
    private static let user = "12345"

    /// Runs the runtime's words as that user.
    private func asUser(
        _ stage: RuntimeStage, _ words: String, inNamespace: Bool = true, group: String = "12345"
    ) async throws -> CommandRunner.Outcome {
        // A copy that the user may reach, wherever the build is.
        let runtime = stage.directory.path("forkless-oci")
        try Files.replace(runtime, with: try Files.read(stage.executable, limit: 1 << 30), mode: 0o755)
        try await CommandRunner.runQuietly(["chown", "-R", "\(Self.user):\(Self.user)", stage.directory.path])
        let namespace = inNamespace ? "unshare --user --map-root-user --mount " : ""
        return try await CommandRunner.run([
            "setpriv", "--reuid", Self.user, "--regid", group, "--clear-groups", "sh", "-c",
            "exec \(namespace)\(runtime) --root \(stage.directory.path("mine")) \(words)",
        ])
    }

    private func configure(_ stage: RuntimeStage, _ change: (inout JSONValue) -> Void = { _ in }) throws {
        try stage.configure(["sh", "-c", "id -u; echo x > /dev/null && echo null; cat /proc/keys; ls /dev/pts"]) {
            config in
            config["linux", "cgroupsPath"] = nil
            change(&config)
        }
    }

    @Test func `without rights and limits a container runs without cgroups of its own`() async throws {
        let stage = try RuntimeStage()
        for option in ["", "--rootless auto", "--rootless true"] {
            try configure(stage)
            let outcome = try await asUser(stage, "\(option) run --bundle \(stage.bundle) \(stage.id())")
            #expect(outcome.text == "0\nnull\nptmx\n", "\(option): \(outcome.text)\(outcome.errorText)")
        }
    }

    @Test func `a limit that cannot be set is an error, and so is a path that cannot be made`() async throws {
        let stage = try RuntimeStage()
        try configure(stage) { $0["linux", "resources"] = ["pids": ["limit": 20]] }
        let limited = try await asUser(stage, "run --bundle \(stage.bundle) \(stage.id())")
        #expect(limited.status == .exited(1) && limited.errorText.contains("ermission denied"), "\(limited.errorText)")
        try configure(stage) { $0["linux", "cgroupsPath"] = "/mine" }
        let placed = try await asUser(stage, "run --bundle \(stage.bundle) \(stage.id())")
        #expect(placed.status == .exited(1) && placed.errorText.contains("ermission denied"), "\(placed.errorText)")
        try configure(stage)
        let strict = try await asUser(stage, "--rootless false run --bundle \(stage.bundle) \(stage.id())")
        #expect(strict.status == .exited(1) && strict.errorText.contains("ermission denied"), "\(strict.errorText)")
    }

    @Test func `a configuration to begin with maps the user and the group of who asks for it`() async throws {
        let stage = try RuntimeStage()
        let outcome = try await asUser(
            stage, "spec --rootless --bundle \(stage.bundle)", inNamespace: false, group: "23456")
        #expect(outcome.status.isSuccess, "\(outcome.errorText)")
        let config = try JSONParser.parse(try Files.readText(stage.bundle + "/config.json"))
        #expect(config["linux", "uidMappings"] == [["containerID": 0, "hostID": 12_345, "size": 1]])
        #expect(config["linux", "gidMappings"] == [["containerID": 0, "hostID": 23_456, "size": 1]])
    }

    @Test func `who is not root at all is told what to do`() async throws {
        let stage = try RuntimeStage()
        try configure(stage)
        let outcome = try await asUser(stage, "run --bundle \(stage.bundle) \(stage.id())", inNamespace: false)
        #expect(
            outcome.status == .exited(1) && outcome.errorText.contains("unshare --user --map-root-user --mount"),
            "\(outcome.errorText)")
    }
}
