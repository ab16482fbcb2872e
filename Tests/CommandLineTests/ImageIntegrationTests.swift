import Glibc
import JSON
import Linux
import OCI
import TestKit
import Testing

@testable import CommandLine

/// The verbs for images, against a node that was started as a user starts it.
@Suite(.serialized, .enabled(if: isRoot)) struct ImageIntegrationTests {
    private func json(_ outcome: CommandRunner.Outcome) throws -> JSONValue { try JSONParser.parse(outcome.output) }

    @Test func `an image is loaded, listed, named, inspected, saved and removed`() async throws {
        let forkless = try TestForkless()
        let archive = forkless.path("app.tar")
        try TestImage.archive(at: archive, as: "team/app:1") { $0.labels = ["team": "rates"] }
        try await forkless.withNode {
            #expect(try await forkless("load", "-i", archive).text == "Loaded image: team/app:1\n")
            #expect(try await forkless("tag", "team/app:1", "other").status.isSuccess)
            let table = try await forkless("images").text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            #expect(table.first == ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"])
            // A line is drawn below the titles.
            #expect(table.dropFirst(2).map { Array($0.prefix(2)) } == [["other", "latest"], ["team/app", "1"]])
            let id = try await forkless("images", "-q", "team/app").text
            #expect(id.count == 13)
            #expect(try await forkless("images", "-q", "--filter", "label=team=fx").text == "")
            #expect(try await forkless("images", "-q", "--filter", "reference=team/*:1").text == id)
            #expect(try await forkless("images", "-q", "--filter", "dangling=true").text == "")
            let wrong = try await forkless("images", "--filter", "colour=red")
            #expect(wrong.status == .exited(1))
            #expect(wrong.errorText.contains("before, dangling, label, reference, since"))

            let details = try json(try await forkless("inspect", "other"))
            #expect(details[0]?["summary"]?["names"]?.array?.count == 2)
            #expect(details[0]?["config"]?["Cmd"] == ["sh"])
            #expect(try await forkless("inspect", "nothing").errorText.contains("no container and no image \"nothing\""))
            let history = try await forkless("history", "other").text.split(separator: "\n")
            #expect(history.count == 3)
            #expect(history[0].hasPrefix("IMAGE") && history[2].contains("busybox-static"))

            let saved = forkless.path("saved.tar")
            #expect(try await forkless("save", "-o", saved, "other").status.isSuccess)
            #expect(try await forkless("rmi", id.split(separator: "\n").map(String.init)[0]).errorText.contains("2 names"))
            #expect(try await forkless("rmi", "other").text == "Untagged: other:latest\n")
            let removed = try await forkless("rmi", "team/app:1").text.split(separator: "\n")
            #expect(removed.first == "Untagged: team/app:1")
            #expect(removed.last?.hasPrefix("Deleted: sha256:\(id.prefix(12))") == true)
            #expect(try await forkless("images", "-q").text == "")
            #expect(try await forkless("load", input: "").errorText.contains("no tar archive"))
            #expect(try await forkless("load", "-i", saved).text == "Loaded image: other:latest\n")
        }
    }

    @Test func `an image that a container uses is not removed, and goes with the container when forced`() async throws {
        let forkless = try TestForkless()
        let archive = forkless.path("app.tar")
        try TestImage.archive(at: archive, as: "app")
        try await forkless.withNode {
            _ = try await forkless("load", "-qi", archive)
            #expect(try await forkless("run", "--network", "none", "--name", "web", "app:latest", "true").status.isSuccess)
            let refused = try await forkless("rmi", "app")
            #expect(refused.status == .exited(1))
            #expect(refused.errorText.contains("is used by container web"))
            #expect(try await forkless("image", "prune", "-af").text.contains("Total reclaimed space: 0B"))
            #expect(try await forkless("rmi", "-f", "app").text == "Untagged: app:latest\n")
            #expect(try await forkless("images").text.contains("<none>"))
            #expect(try await forkless("rm", "web").status.isSuccess)
            #expect(try await forkless("image", "prune", "-f").text.contains("Deleted: sha256:"))
            #expect(try await forkless("images", "-q").text == "")
        }
    }

    @Test func `what a container changed is listed, committed, exported and imported`() async throws {
        let forkless = try TestForkless()
        let archive = forkless.path("app.tar")
        try TestImage.archive(at: archive, as: "app")
        try await forkless.withNode {
            _ = try await forkless("load", "-qi", archive)
            let script = "echo new > /new; rm /etc/group; echo more >> /etc/passwd"
            let run = try await forkless("run", "--network", "none", "--name", "web", "app:latest", "sh", "-c", script)
            #expect(run.status.isSuccess, "\(run.errorText)")
            #expect(try await forkless("diff", "web").text == "C /etc\nD /etc/group\nC /etc/passwd\nA /new\n")

            let made = try await forkless(
                "commit", "-m", "a change", "-a", "desk", "-c", "CMD [\"cat\", \"/new\"]", "-c", "ENV A=b", "web", "made:1")
            #expect(made.text.hasPrefix("sha256:"), "\(made.errorText)")
            #expect(try await forkless("run", "--rm", "--network", "none", "made:1").text == "new\n")
            #expect(try await forkless("run", "--rm", "--network", "none", "made:1", "sh", "-c", "echo $A; ls /etc/group /etc/passwd").text == "b\n/etc/passwd\n")
            #expect(try await forkless("history", "made:1").text.contains("a change"))
            let refused = try await forkless("commit", "-c", "RUN rm -rf /", "web")
            #expect(refused.errorText.contains("RUN changes no config"))

            let tree = forkless.path("tree.tar")
            #expect(try await forkless("export", "-o", tree, "web").status.isSuccess)
            let names = try await CommandRunner.run(["tar", "-tf", tree]).text.split(separator: "\n").map(String.init)
            #expect(names.contains("new") && names.contains("bin/sh") && !names.contains("etc/group"))
            let imported = try await forkless("import", "-c", "ENTRYPOINT [\"cat\"]", tree, "flat")
            #expect(imported.text.hasPrefix("sha256:"), "\(imported.errorText)")
            #expect(try await forkless("run", "--rm", "--network", "none", "flat:latest", "/new").text == "new\n")
            #expect(try await forkless("import", "-", input: "no archive").status == .exited(1))
        }
    }

    @Test func `system df says what du says`() async throws {
        let forkless = try TestForkless()
        let archive = forkless.path("app.tar")
        try TestImage.archive(at: archive, as: "app")
        try await forkless.withNode {
            _ = try await forkless("load", "-qi", archive)
            _ = try await forkless("run", "--network", "none", "--name", "web", "app:latest", "sh", "-c", "echo x > /x")
            let parts = try json(try await forkless("system", "df", "--output", "json"))["parts"]
            let du = try await CommandRunner.run(["du", "-s", "-B1", forkless.state + "/images"]).text
            #expect(parts?[0]?["bytes"]?.integer == Int64(du.prefix { $0 != "\t" }))
            #expect(parts?[0]?["active"] == 1)
            #expect(parts?[0]?["reclaimableBytes"] == 0)
            #expect(parts?[1]?["total"] == 1)
            #expect((parts?[1]?["reclaimableBytes"]?.integer ?? 0) > 0)
            _ = try await forkless("rm", "web")
            let table = try await forkless("system", "df").text
            #expect(table.hasPrefix("TYPE"))
            let freed = try json(try await forkless("system", "df", "--output", "json"))["parts"]?[0]?["reclaimableBytes"]?.integer
            let pruned = try json(try await forkless("image", "prune", "-af", "--output", "json"))["freedBytes"]?.integer
            #expect(freed == pruned)
        }
    }

    @Test func `CVE-2024-9341: an image whose directories are links leads no mount out of its root`() async throws {
        let forkless = try TestForkless()
        let outside = forkless.path("outside")
        let tree = forkless.path("tree")
        for directory in [outside, tree + "/bin"] { try Files.makeDirectories(directory) }
        let busybox = try #require(CommandRunner.find("busybox"))
        let script = "cp \(busybox) \(tree)/bin/sh && ln -s \(outside) \(tree)/etc && ln -s ../../../..\(outside) \(tree)/run"
        let made = try await CommandRunner.run(["sh", "-c", "\(script) && tar -C \(tree) -cf \(tree).tar ."])
        try #require(made.status.isSuccess, "\(made.errorText)")
        try await forkless.withNode {
            #expect(try await forkless("import", tree + ".tar", "hostile").text.hasPrefix("sha256:"))
            // Whether it starts is not the question.
            _ = try await forkless("run", "--rm", "--network", "none", "--hostname", "h", "hostile:latest", "sh", "-c", "true")
            _ = try await forkless(
                "run", "--rm", "--network", "none", "-v", "/etc/data", "hostile:latest", "sh", "-c", "true")
            #expect(try Files.list(outside) == [])
        }
    }

    @Test func `CVE-2021-21334: containers of one image see their own environment`() async throws {
        let forkless = try TestForkless()
        let archive = forkless.path("app.tar")
        try TestImage.archive(at: archive, as: "app")
        try await forkless.withNode {
            _ = try await forkless("load", "-qi", archive)
            let texts = try await withThrowingTaskGroup(of: (Int, String).self) { group in
                for number in 0..<8 {
                    group.addTask {
                        let own = ["run", "--rm", "--network", "none", "-e", "SECRET_\(number)=s", "app:latest", "sh", "-c"]
                        return (number, try await forkless.call(own + ["env | grep SECRET"]).text)
                    }
                }
                return try await group.reduce(into: [(Int, String)]()) { $0.append($1) }
            }
            for (number, text) in texts { #expect(text == "SECRET_\(number)=s\n") }
        }
    }

    @Test func `CVE-2021-41091, CVE-2024-25621: under any umask nobody else reaches what images hold`() async throws {
        let forkless = try TestForkless()
        let archive = forkless.path("app.tar")
        try TestImage.archive(at: archive, as: "app")
        // The node inherits it; tests run one after the other.
        let before = umask(0)
        defer { umask(before) }
        try await forkless.withNode("--shim", try BuiltFile.path("shim/forkless-shim")) {
            _ = try await forkless("load", "-qi", archive)
            _ = try await forkless("run", "--network", "none", "--name", "web", "app:latest", "true")
            for place in [forkless.state, forkless.state + "/images"] {
                #expect(try Files.status(place).permissions & 0o077 == 0, "\(place)")
            }
            // Whoever executes a shifted program finds the exec door by its name, and nothing else.
            #expect(try Files.status(forkless.run).permissions & 0o066 == 0)
            let sockets = try await CommandRunner.run(["find", forkless.run, "-type", "s", "-perm", "/077"]).text
            #expect(sockets == forkless.run + "/exec.sock\n")
            // As another user: not one file of a layer, with whatever bits it has.
            let sight = try await CommandRunner.run(
                ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "find", forkless.state + "/images"])
            #expect(sight.text.split(separator: "\n").count <= 1)
        }
    }
}
