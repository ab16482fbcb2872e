import Images
import JSON
import Linux
import OCI
import TestKit
import Testing

@testable import CommandLine

/// `pull`, `push`, `login` and `logout` against Debian's registry.
@Suite(.serialized, .enabled(if: isRoot)) struct RegistryIntegrationTests {
    private func json(_ outcome: CommandRunner.Outcome) throws -> JSONValue { try JSONParser.parse(outcome.output) }

    /// Puts busybox into the node's store before there is a node; returns the manifest's digest.
    private func prepare(_ forkless: TestForkless, _ name: String) throws -> String {
        let store = try ImageStore(directory: forkless.state + "/images")
        return try TestImage.busybox(in: store, as: name).manifest.description
    }

    @Test func `an image is pushed, and another node pulls the same`() async throws {
        try await DebianRegistry.serving { registry in
            let (here, there) = (try TestForkless(), try TestForkless())
            let name = "\(registry.host)/team/app:1"
            let digest = try prepare(here, name)
            try await here.withNode {
                let refused = try await here("push", name)
                #expect(refused.status == .exited(1))
                #expect(refused.errorText.contains("--plain-http"), "\(refused.errorText)")
                let pushed = try await here("push", "--plain-http", registry.host, name)
                #expect(pushed.status == .exited(0), "\(pushed.errorText)")
                #expect(pushed.text.contains("1: digest: \(digest) size: "), "\(pushed.text)")
                let again = try await here("push", "--plain-http", registry.host, name)
                #expect(again.text.contains(": Layer already exists\n"), "\(again.text)")
                #expect(try await here("push", "-q", "--plain-http", registry.host, name).text == name + "\n")
            }
            try await there.withNode("--plain-http", registry.host, "--registry", registry.host) {
                let pulled = try await there("pull", name)
                #expect(pulled.status == .exited(0), "\(pulled.errorText)")
                let lines = pulled.text.split(separator: "\n").map(String.init)
                #expect(lines.first == "1: Pulling from \(registry.host)/team/app")
                #expect(lines.suffix(3) == [
                    "Digest: \(digest)", "Status: Downloaded newer image for \(name)", name,
                ])
                #expect(lines.contains { $0.hasSuffix(": Pull complete") })
                #expect(try await there("pull", "-q", name).text == name + "\n")
                #expect(try await there("pull", name).text.contains("Status: Image is up to date for \(name)\n"))
                let local = try json(try await there("pull", "--output", "json", "team/app:1"))
                #expect(local["name"] == "team/app:1")
                #expect(local["digest"]?.string == digest)
                let byDigest = try json(
                    try await there("pull", "--output", "json", "\(registry.host)/team/app@\(digest)"))
                #expect(byDigest["id"] == local["id"])
                let missing = try await there("pull", "\(registry.host)/team/app:2")
                #expect(missing.status == .exited(1))
                #expect(missing.errorText.contains("\(registry.host)/team/app:2"), "\(missing.errorText)")
            }
        }
    }

    @Test func `a registry that wants a password gets the one of login and no other`() async throws {
        try await DebianRegistry.serving(.password) { registry in
            let forkless = try TestForkless()
            let name = "\(registry.host)/app:1"
            _ = try prepare(forkless, name)
            let configuration = ["DOCKER_CONFIG=\(forkless.path("docker"))"]
            func call(_ arguments: String..., input: String = "") async throws -> CommandRunner.Outcome {
                try await forkless.call(arguments, input: input, environment: configuration)
            }
            try await forkless.withNode("--plain-http", registry.host) {
                let anonymous = try await call("push", name)
                #expect(anonymous.status == .exited(1))
                #expect(anonymous.errorText.contains("wants a user and a password"), "\(anonymous.errorText)")
                let login = ["login", "-u", DebianRegistry.user, "--password-stdin", registry.host]
                let wrong = try await forkless.call(login, input: "wrong\n", environment: configuration)
                #expect(wrong.status == .exited(1))
                #expect(!Files.exists(forkless.path("docker/config.json")))
                let right = try await forkless.call(
                    login, input: DebianRegistry.password + "\n", environment: configuration)
                #expect(right.status == .exited(0), "\(right.errorText)")
                #expect(right.text.hasPrefix("Login succeeded"))
                #expect(try Files.status(forkless.path("docker/config.json")).permissions == 0o600)
                #expect(try await call("push", name).status == .exited(0))
                #expect(try await call("pull", name).status == .exited(0))
                #expect(try await call("logout", registry.host).status == .exited(0))
                #expect(try await call("pull", name).status == .exited(1))
            }
            // Where a secret could have been written down.
            let found = try await CommandRunner.run(
                ["grep", "-rlaF", DebianRegistry.password, forkless.state, forkless.run])
            #expect(found.status == .exited(1), "\(found.text)")
        }
    }

    @Test func `a registry is trusted by its certificate, as Docker's directories or SSL_CERT_FILE name it`() async throws {
        let directory = try TemporaryDirectory("trust")
        let certificate = try await DebianRegistry.Certificate(in: directory)
        try await DebianRegistry.serving(certificate: certificate) { registry in
            let name = "\(registry.host)/app:1"
            let text = try Files.readText(certificate.certificate) + "\n"
            try directory.write(text, to: "certs.d/\(registry.host)/ca.crt")
            try directory.write(text, to: "none/another.example/ca.crt")
            let forkless = try TestForkless()
            _ = try prepare(forkless, name)
            try await forkless.withNode("--registry-certs", directory.path("none")) {
                let stranger = try await forkless("push", name)
                #expect(stranger.status == .exited(1))
                #expect(stranger.errorText.contains("no trusted TLS connection"), "\(stranger.errorText)")
            }
            try await forkless.withNode("--registry-certs", directory.path("certs.d")) {
                let pushed = try await forkless("push", name)
                #expect(pushed.status == .exited(0), "\(pushed.errorText)")
            }
            let variable = "SSL_CERT_FILE=\(certificate.certificate)"
            try await forkless.withNode("--registry-certs", directory.path("none"), environment: [variable]) {
                let pulled = try await forkless("pull", name)
                #expect(pulled.status == .exited(0), "\(pulled.errorText)")
            }
        }
    }

    @Test func `an image goes to Podman and Docker through a registry and comes back with its digest`() async throws {
        try await DebianRegistry.serving { registry in
            let forkless = try TestForkless()
            let name = "\(registry.host)/app:1"
            let digest = try prepare(forkless, name)
            let podman = try DebianPodman()
            try await forkless.withNode("--plain-http", registry.host) {
                let pushed = try await forkless("push", name)
                #expect(pushed.status == .exited(0), "\(pushed.errorText)")
                try await podman("pull", "-q", "--tls-verify=false", name)
                #expect(try await podman("inspect", "--format", "{{.Digest}}", name) == digest + "\n")
                // What Podman makes of it, one layer more, comes back here.
                try await podman("build", "-q", "-t", "\(registry.host)/more:1", "-", input: Array("FROM \(name)\nLABEL a=b\n".utf8))
                try await podman("push", "-q", "--tls-verify=false", "\(registry.host)/more:1")
                try await comesBack("\(registry.host)/more:1", forkless, registry)

                try await DebianDocker.running { docker in
                    try await docker("pull", "-q", name)
                    let digests = try await docker("inspect", "--format", "{{join .RepoDigests \" \"}}", name)
                    #expect(digests == "\(registry.host)/app@\(digest)\n")
                    #expect(try await docker("run", "--rm", "--network", "none", name, "echo", "from docker") == "from docker\n")
                    try await docker("tag", name, "\(registry.host)/again:1")
                    try await docker("push", "-q", "\(registry.host)/again:1")
                    try await comesBack("\(registry.host)/again:1", forkless, registry)
                }
            }
        }
    }

    @Test func `an image built here runs under Docker and Podman, and theirs is a base here`() async throws {
        try await DebianRegistry.serving { registry in
            let forkless = try TestForkless()
            let (base, built) = ("\(registry.host)/base:1", "\(registry.host)/built:1")
            _ = try prepare(forkless, base)
            let context = try TemporaryDirectory("context")
            try context.write(
                "FROM \(base)\nCOPY words /words\nENV PLACE=here\nWORKDIR /data\nCMD [\"cat\", \"/words\"]\n",
                to: "Dockerfile")
            try context.write("built by forkless\n", to: "words")
            try await forkless.withNode("--plain-http", registry.host) {
                let made = try await forkless("build", "-q", "-t", built, context.path)
                #expect(made.status == .exited(0), "\(made.errorText)")
                let pushed = try json(try await forkless("push", "--output", "json", built))
                let digest = try #require(pushed["digest"]?.string)

                let podman = try DebianPodman()
                try await podman("pull", "-q", "--tls-verify=false", built)
                #expect(try await podman("inspect", "--format", "{{.Digest}} {{.Config.WorkingDir}}", built) == "\(digest) /data\n")
                let theirs = "\(registry.host)/theirs:1"
                try await podman("build", "-q", "-t", theirs, "-", input: Array("FROM \(built)\nENV PLACE=there\n".utf8))
                try await podman("push", "-q", "--tls-verify=false", theirs)
                try await comesBack(theirs, forkless, registry)
                let onTheirs = try TemporaryDirectory("context")
                try onTheirs.write("FROM \(theirs)\nLABEL made=twice\n", to: "Dockerfile")
                let again = try await forkless("build", "-q", "--pull", "-t", "\(registry.host)/again:1", onTheirs.path)
                #expect(again.status == .exited(0), "\(again.errorText)")

                try await DebianDocker.running { docker in
                    try await docker("pull", "-q", built)
                    #expect(try await docker("inspect", "--format", "{{join .RepoDigests \" \"}}", built)
                        == "\(registry.host)/built@\(digest)\n")
                    #expect(try await docker("inspect", "--format", "{{.Id}}", built) == made.text)
                    #expect(try await docker("run", "--rm", "--network", "none", built) == "built by forkless\n")
                }
            }
        }
    }

    /// Pulls what others have pushed, pushes it under another tag, and compares what the registry then has.
    private func comesBack(_ name: String, _ forkless: TestForkless, _ registry: DebianRegistry) async throws {
        let pulled = try json(try await forkless("pull", "--output", "json", name))
        let digest = try #require(pulled["digest"]?.string)
        let raw = try await CommandRunner.run(["skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(name)"])
        #expect(OCI.Digest(of: raw.output).description == digest)
        let byDigest = name.prefix { $0 != "@" }.dropLast(2) + "@\(digest)"
        let again = try json(try await forkless("pull", "--output", "json", String(byDigest)))
        #expect(again["id"] == pulled["id"])
        let pushed = try json(try await forkless("push", "--output", "json", name))
        #expect(pushed["digest"]?.string == digest)
    }

    @Test func `a platform is chosen from an index that Podman has made`() async throws {
        try await DebianRegistry.serving { registry in
            let podman = try DebianPodman()
            for architecture in ["amd64", "arm64"] {
                let file = "FROM scratch\nLABEL is=\(architecture)\n"
                try await podman(
                    "build", "-q", "--platform", "linux/\(architecture)", "--manifest", "list", "-", input: Array(file.utf8))
            }
            try await podman(
                "manifest", "push", "-q", "--all", "--tls-verify=false", "list", "docker://\(registry.host)/app:1")
            let forkless = try TestForkless()
            try await forkless.withNode("--plain-http", registry.host) {
                var ids: [String] = []
                for architecture in ["amd64", "arm64"] {
                    let pulled = try json(
                        try await forkless(
                            "pull", "--output", "json", "--platform", "linux/\(architecture)", "\(registry.host)/app:1"))
                    ids.append(pulled["id"]?.string ?? "")
                }
                #expect(Set(ids).count == 2 && !ids.contains(""))
                let none = try await forkless("pull", "--platform", "linux/s390x", "\(registry.host)/app:1")
                #expect(none.status == .exited(1))
                #expect(none.errorText.contains("linux/amd64, linux/arm64"), "\(none.errorText)")
                #expect(try await forkless("pull", "--platform", "arm64", "\(registry.host)/app:1").status == .exited(125))
            }
        }
    }

    @Test func `on a terminal a pull is drawn in place`() async throws {
        try await DebianRegistry.serving { registry in
            let (here, there) = (try TestForkless(), try TestForkless())
            let name = "\(registry.host)/app:1"
            _ = try prepare(here, name)
            try await here.withNode { _ = try await here("push", "--plain-http", registry.host, name) }
            try await there.withNode("--plain-http", registry.host) {
                let terminal = try TestTerminal(
                    [there.executable, "pull", name], environment: there.environment, size: .init(rows: 10, columns: 60))
                let seen = try await terminal.read(until: "Status: Downloaded newer image")
                #expect(seen.contains("Pull complete"))
                #expect(seen.contains("\u{1b}[?2026h"))
                #expect(try await terminal.end() == .exited(0))
            }
        }
    }
}
