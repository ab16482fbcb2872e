import Glibc
import JSON
import Linux
import TestKit
import Testing

/// The managers from Debian start their containers through the runtime.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ManagerTests {
    /// A tar of a root file system with busybox.
    private func rootArchive(_ stage: RuntimeStage) async throws -> String {
        let path = stage.directory.path("root.tar")
        try await CommandRunner.runQuietly(["tar", "-C", stage.rootfs, "-cf", path, "."])
        return path
    }

    @Test func `podman runs, executes in, stops and removes containers`() async throws {
        let stage = try RuntimeStage()
        let podman = try DebianPodman()
        let runtime = stage.executable
        // Podman asks for more than this machine may allow.
        let limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--network", "none"]
        try await podman("import", try await rootArchive(stage), "busybox:test")
        let said = try await podman.call(
            ["--runtime", runtime, "run", "--rm", "--memory", "64m"] + limits + [
                "busybox:test", "sh", "-c", "echo inside; id -u",
            ])
        #expect(said == "inside\n0\n")
        try await podman.call(
            ["--runtime", runtime, "run", "--detach", "--name", "one"] + limits + [
                "busybox:test", "sh", "-c", "echo logged; sleep 1000",
            ])
        #expect(try await podman("--runtime", runtime, "exec", "one", "sh", "-c", "echo $((6 * 7))") == "42\n")
        try await eventually { try await podman("--runtime", runtime, "logs", "one") == "logged\n" }
        try await podman("--runtime", runtime, "stop", "--time", "0", "one")
        #expect(
            try await podman(
                "--runtime", runtime, "inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "one")
                == "exited 137\n")
        try await podman("--runtime", runtime, "start", "one")
        try await podman("--runtime", runtime, "rm", "--force", "--time", "0", "one")
    }

    @Test func `docker runs containers with an added runtime`() async throws {
        let stage = try RuntimeStage()
        let archive = try await rootArchive(stage)
        try await DebianDocker.running(options: ["--add-runtime", "forkless=\(stage.executable)"]) { docker in
            try await docker("import", archive, "busybox:test")
            let common = ["run", "--runtime", "forkless", "--network", "none"]
            func run(_ words: String...) async throws -> String { try await docker.call(common + words) }
            #expect(
                try await run(
                    "--rm", "--memory", "64m", "--cpus", "1", "--pids-limit", "50", "busybox:test", "sh", "-c",
                    "echo inside; id -u") == "inside\n0\n")
            #expect(try await run("--rm", "--tty", "busybox:test", "sh", "-c", "test -t 1 && tty") == "/dev/pts/0\r\n")
            _ = try await run(
                "--detach", "--name", "one", "--health-cmd", "true", "--health-interval", "1s", "busybox:test", "sh",
                "-c",
                "echo logged; sleep 1000")
            #expect(try await docker("exec", "one", "sh", "-c", "echo $((6 * 7))") == "42\n")
            try await eventually(within: .seconds(30)) {
                try await docker("inspect", "--format", "{{.State.Health.Status}}", "one") == "healthy\n"
            }
            try await eventually("the log") { try await docker("logs", "one") == "logged\n" }
            try await docker("pause", "one")
            try await docker("unpause", "one")
            try await docker("update", "--pids-limit", "60", "one")
            try await docker("restart", "--time", "0", "one")
            try await docker("stop", "--time", "0", "one")
            #expect(
                try await docker("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "one")
                    == "exited 137\n")
            try await docker("rm", "one")
            // Docker's status 127 and 126 hang on these words.
            for (program, words) in [
                ("nonexistent", "executable file not found in $PATH"), ("/etc", "permission denied"),
            ] {
                let error = await #expect(throws: BackgroundServer.Failure.self) {
                    _ = try await run("--rm", "busybox:test", program)
                }
                #expect(error?.description.contains(words) == true, "\(program): \(String(describing: error))")
            }
        }
    }

    @Test func `containerd's shim runs containers through ctr`() async throws {
        let stage = try RuntimeStage()
        let place = stage.directory
        let socket = place.path("containerd.sock")
        try place.write(
            """
            version = 2
            root = "\(place.path("containerd/root"))"
            state = "\(place.path("containerd/state"))"
            disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
            [grpc]
            address = "\(socket)"
            """, to: "containerd.toml")
        let arguments = [
            "unshare", "--mount", "--propagation", "private", "containerd", "--config", place.path("containerd.toml"),
        ]
        try await BackgroundServer.running(arguments, log: place.path("containerd.log")) { server in
            _ = try await server.until("containerd's socket") {
                $0.contains("containerd successfully booted") ? true : nil
            }
            func ctr(_ words: String...) async throws -> String {
                let outcome = try await CommandRunner.run(["ctr", "--address", socket] + words, within: .seconds(60))
                guard outcome.status.isSuccess else { throw StageFailure("ctr \(words): \(outcome.errorText)") }
                return outcome.text
            }
            let id = stage.name
            let said = try await ctr(
                "run", "--rm", "--runc-binary", stage.executable, "--rootfs", stage.rootfs, id, "/bin/sh", "-c",
                "echo inside; id -u")
            #expect(said == "inside\n0\n")
            _ = try await ctr(
                "run", "--detach", "--runc-binary", stage.executable, "--rootfs", stage.rootfs, id, "/bin/sleep", "1000"
            )
            #expect(try await ctr("task", "exec", "--exec-id", "x", id, "/bin/sh", "-c", "echo $((6 * 7))") == "42\n")
            #expect(try await ctr("task", "list").contains("RUNNING"))
            _ = try await ctr("task", "pause", id)
            _ = try await ctr("task", "resume", id)
            _ = try await ctr("task", "kill", "--signal", "KILL", id)
            try await eventually { try await ctr("task", "list").contains("STOPPED") }
            _ = try await ctr("task", "delete", id)
            _ = try await ctr("container", "delete", id)
        }
    }
}
