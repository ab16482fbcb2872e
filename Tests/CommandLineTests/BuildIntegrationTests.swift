import Images
import Linux
import TestKit
import Testing

/// `forkless build` as users call it, and its images under Docker and Podman.
@Suite(.serialized, .enabled(if: isRoot)) struct BuildIntegrationTests {
    private let dockerfile = """
        FROM busybox AS made
        ARG WHO=nobody
        RUN echo "for $WHO" > /made && chown 7:8 /made && ln -s made /link && rm -r /home
        FROM made
        COPY --chmod=0755 run.sh /usr/bin/run.sh
        ENV GREETING="hello there"
        WORKDIR /work
        USER 7:8
        HEALTHCHECK --interval=30s CMD true
        EXPOSE 80/tcp
        ENTRYPOINT ["/usr/bin/run.sh"]
        CMD ["argument"]
        """
    private let script = "#!/bin/sh\necho \"$GREETING $1 $(cat /link) $(id -u):$(id -g) $(pwd) $(ls -d /home 2>&1 | wc -w)\"\n"

    /// A node with busybox, and a context.
    private func withNode(_ body: (TestForkless, _ context: TemporaryDirectory) async throws -> Void) async throws {
        let forkless = try TestForkless()
        try TestImage.busybox(in: ImageStore(directory: forkless.state + "/images"))
        let context = try TemporaryDirectory("context")
        try context.write(dockerfile, to: "Dockerfile")
        try context.write(script, to: "run.sh")
        try await forkless.withNode { try await body(forkless, context) }
    }

    private func said(_ outcome: CommandRunner.Outcome) -> String { outcome.text + outcome.errorText }

    @Test func `an image built here runs under Docker and Podman, and is the same there`() async throws {
        try await withNode { forkless, context in
            let built = try await forkless(
                "build", "-q", "--network", "none", "-t", "made:1", "--build-arg", "WHO=you", context.path)
            #expect(built.status == .exited(0), "\(said(built))")
            let id = built.text.split(separator: "\n").first.map(String.init) ?? ""
            let archive = context.path("made.tar")
            #expect(try await forkless("save", "-o", archive, "made:1").status == .exited(0))
            let expected = "hello there argument for you 7:8 /work 7\n"
            let podman = try DebianPodman()
            try await podman("load", "-q", "-i", archive)
            #expect(try await podman("inspect", "--format", "{{.Id}}", "made:1") == id.dropFirst(7) + "\n")
            try await DebianDocker.running { docker in
                try await docker("load", "-q", "-i", archive)
                let seen = try await docker("inspect", "--format", "{{.Id}} {{.Config.User}}", "made:1")
                #expect(seen == "\(id) 7:8\n")
                #expect(try await docker("run", "--rm", "--network", "none", "made:1") == expected)
                // And the reverse: what Docker builds on it is built on here.
                let more = "FROM made:1\nUSER root\nRUN echo docker > /docker\nENTRYPOINT []\n"
                try await docker("build", "-q", "--network", "none", "-t", "more:1", "-", input: Array(more.utf8))
                try await docker("save", "-o", archive, "more:1")
            }
            let loaded = try await forkless("load", "-i", archive)
            #expect(loaded.status == .exited(0), "\(said(loaded))")
            let last = try await forkless.call(
                ["build", "--network", "none", "-"], input: "FROM more:1\nRUN cat /docker /made && id -u\n")
            #expect(last.status == .exited(0), "\(said(last))")
            #expect(last.errorText.contains("docker\n") && last.errorText.contains("for you\n"), "\(said(last))")
        }
    }

    @Test func `progress goes to stderr, the id to a file or with -q to stdout`() async throws {
        try await withNode { forkless, context in
            let arguments = ["build", "--network", "none", "-t", "a:1", "-t", "b:2", "--iidfile", context.path("id"), "--label", "x=y", context.path]
            let first = try await forkless.call(arguments)
            #expect(first.status == .exited(0), "\(said(first))")
            #expect(first.text == "")
            for text in ["#1 [made 1/3] FROM busybox AS made\n", "#2 DONE ", "for nobody", "named a:1\n", "named b:2\n"] {
                #expect(first.errorText.contains(text) == (text != "for nobody"), "\(text)")
            }
            let again = try await forkless.call(arguments + ["-q"])
            #expect(again.text == (try Files.readText(context.path("id"))) + "\n")
            #expect(again.errorText == "")
            let tty = try await forkless.call(arguments + ["--progress", "tty"])
            #expect(tty.errorText.contains(" => CACHED [made 3/3] RUN echo"), "\(tty.errorText)")
            #expect(try await forkless("inspect", "a:1").text.contains("\"x\": \"y\""))
        }
    }

    @Test func `the Dockerfile is found where it was said to be`() async throws {
        try await withNode { forkless, context in
            try context.write("FROM busybox\nCOPY . /all\nRUN ls /all", to: "sub/Other")
            try context.write("run.sh\nsub\n", to: "sub/Other.dockerignore")
            try context.write("*\n", to: ".dockerignore")
            let other = try await forkless("build", "--network", "none", "-f", context.path("sub/Other"), context.path)
            #expect(other.errorText.contains(" Dockerfile\n"), "\(said(other))")
            #expect(!other.errorText.contains(" run.sh\n"))
            let stdin = try await forkless.call(["build", "-f", "-", context.path], input: "FROM busybox\nCOPY run.sh /\n")
            #expect(stdin.errorText.contains("Dockerfile:2: \"run.sh\" is not in the context, or .dockerignore"), "\(said(stdin))")
            let alone = try await forkless.call(["build", "-"], input: "FROM busybox\nCOPY run.sh /\n")
            #expect(alone.errorText.contains("Dockerfile:2: there is no context"), "\(said(alone))")
            let archive = try await CommandRunner.run(["tar", "-C", context.path, "-cz", "run.sh", "sub"])
            let sent = try await CommandRunner.run(
                [forkless.executable, "build", "--network", "none", "-f", "sub/Other", "-"], input: archive.output,
                environment: forkless.environment)
            #expect(sent.status == .exited(0), "\(said(sent))")
            for (arguments, text) in [
                (["build", context.path("none")], "the context"), (["build", context.path("run.sh")], "the context"),
                (["build", "https://host.example/x.git"], "a context is a directory"),
                (["build", "-f", context.path("none"), context.path], "the Dockerfile"),
                (["build", "-t", "UPPER", context.path], "UPPER"), (["build", "-f", "-", "-"], "standard input"),
            ] {
                let refused = try await forkless.call(arguments)
                #expect(refused.status != .exited(0))
                #expect(refused.errorText.contains(text), "\(arguments): \(said(refused))")
            }
            let epoch = try await forkless.call(["build", context.path], environment: ["SOURCE_DATE_EPOCH=soon"])
            #expect(epoch.errorText.contains("SOURCE_DATE_EPOCH"))
        }
    }

    @Test func `the cache is cleared, and images stay`() async throws {
        try await withNode { forkless, context in
            let arguments = ["build", "--network", "none", "-t", "a", context.path]
            #expect(try await forkless.call(arguments).status == .exited(0))
            #expect(try await forkless.call(arguments).errorText.contains("CACHED"))
            let pruned = try await forkless("builder", "prune", "-f")
            #expect(pruned.text.hasPrefix("Forgotten steps: "), "\(said(pruned))")
            #expect(!(try await forkless.call(arguments).errorText.contains("CACHED")))
            #expect(try await forkless("builder", "prune", "-f", "--filter", "until=1h").text.hasPrefix("Forgotten steps: 0\n"))
            #expect(try await forkless("builder", "prune", "-f", "--filter", "label=x").status != .exited(0))
        }
    }
}
