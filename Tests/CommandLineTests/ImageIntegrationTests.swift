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
}
