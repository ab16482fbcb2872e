import Daemon
import Engine
import Images
import Linux
import OCI
import Synchronization
import TestKit
import Testing

/// Copies in and out of containers through a real node and a real keeper.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct NodeCopyTests {
    private func withContainer(
        _ script: String = "sleep 1000", _ body: (NodeClient, TemporaryDirectory) async throws -> Void
    ) async throws {
        let test = try TestNode()
        let node = try await test.start()
        do {
            try TestImage.busybox(in: node.images, as: "app")
            let client = try await test.connect()
            var spec = ContainerSpec(program: "sh", arguments: ["-c", script])
            spec.image = ContainerImage("app")
            spec.network = .isolated
            spec.name = "box"
            _ = try await client.call(RunContainer(spec, attachment: .detached, waits: false))
            try await body(client, try TemporaryDirectory("copy"))
        } catch {
            await node.stop()
            try await test.endKeeper()
            throw error
        }
        await node.stop()
        try await test.endKeeper()
    }

    private func copyOut(
        _ client: NodeClient, _ source: String, _ destination: String, follows: Bool = false
    ) async throws {
        let root = try Files.place("/")
        let owner = CopyOwner(user: 0, group: 0)
        let request = CopyFromContainer(
            container: "box", source: source, destination: destination, followsLink: follows, owner: owner)
        _ = try await client.call(request, descriptors: [root.raw])
    }

    private func copyIn(
        _ client: NodeClient, _ source: String, _ destination: String, owner: CopyOwner? = CopyOwner(user: 0, group: 0)
    ) async throws {
        let root = try Files.place("/")
        let request = CopyToContainer(container: "box", source: source, destination: destination, owner: owner)
        _ = try await client.call(request, descriptors: [root.raw])
    }

    private func text(_ path: String) throws -> String { String(decoding: try Files.read(path), as: UTF8.self) }

    private func write(_ text: String, _ path: String) throws {
        try Files.replace(path, with: Array(text.utf8), mode: 0o644)
    }

    /// What a program in the container says.
    private func inside(_ client: NodeClient, _ script: String) async throws -> String {
        let streams = try TestStreams()
        streams.endInput()
        let request = ExecuteInContainer(container: "box", program: "sh", arguments: ["-c", script])
        async let answer = client.stream(request, descriptors: streams.descriptors) { _, _ in streams.handedOver() }
        _ = try await answer
        streams.handedOver()
        return try await streams.allOutput()
    }

    @Test func `a file is copied in under its name or another, and out again`() async throws {
        try await withContainer { client, directory in
            try write("one", directory.path("file"))
            try await copyIn(client, directory.path("file"), "/tmp")
            try await copyIn(client, directory.path("file"), "/tmp/other")
            #expect(try await inside(client, "cat /tmp/file /tmp/other; stat -c %u:%a /tmp/other") == "oneone0:644\n")
            _ = try await inside(client, "echo two > /tmp/other")
            try await copyOut(client, "/tmp/other", directory.path("file"))
            #expect(try text(directory.path("file")) == "two\n")
            try await copyOut(client, "/tmp/other", directory.path)
            #expect(try text(directory.path("other")) == "two\n")
        }
    }

    @Test func `a directory is copied into one that is there, becomes one that is not, or only its contents are copied`() async throws {
        try await withContainer { client, directory in
            try Files.makeDirectories(directory.path("tree/deep"))
            try write("x", directory.path("tree/deep/file"))
            try await copyIn(client, directory.path("tree"), "/tmp")
            try await copyIn(client, directory.path("tree"), "/tmp/new")
            try await copyIn(client, directory.path("tree") + "/.", "/tmp")
            #expect(
                try await inside(client, "cd /tmp; find . -type f | sort")
                    == "./deep/file\n./new/deep/file\n./tree/deep/file\n")
            try await copyOut(client, "/tmp/tree", directory.path("back"))
            #expect(try text(directory.path("back/deep/file")) == "x")
            try await copyOut(client, "/tmp/tree/.", directory.path("back"))
            try await copyOut(client, "/tmp/tree", directory.path("back"))
            #expect(try text(directory.path("back/tree/deep/file")) == "x")
        }
    }

    @Test func `what makes no sense is refused and changes nothing`() async throws {
        try await withContainer { client, directory in
            try Files.makeDirectories(directory.path("tree"))
            try write("x", directory.path("file"))
            for (source, destination) in [
                (directory.path("nothing"), "/tmp"), (directory.path("tree"), "/etc/passwd"),
                (directory.path("file"), "/tmp/missing/"), (directory.path("file"), "/no/such/parent"),
            ] {
                await #expect(throws: NodeFailure.self, "\(source)") { try await copyIn(client, source, destination) }
            }
            #expect(try await inside(client, "ls -A /tmp") == "")
            await #expect(throws: NodeFailure.self) { try await copyOut(client, "/nothing", directory.path) }
        }
    }

    @Test func `archives go out and in as streams`() async throws {
        try await withContainer("mkdir /data; echo hello > /data/file; sleep 1000") { client, directory in
            try await eventually("the file is there") { try await inside(client, "cat /data/file") == "hello\n" }
            let archive = try Files.open(directory.path("a.tar"), 0o102, mode: 0o644)
            let out = CopyFromContainer(container: "box", source: "/data", destination: nil)
            _ = try await client.call(out, descriptors: [archive.raw])
            let input = try Files.open(directory.path("a.tar"), 0)
            let request = CopyToContainer(container: "box", source: nil, destination: "/tmp")
            _ = try await client.call(request, descriptors: [input.raw])
            #expect(try await inside(client, "cat /tmp/data/file") == "hello\n")
        }
    }

    @Test func `links are copied as links, or followed inside the root`() async throws {
        let secret = try TemporaryDirectory("secret")
        try write("machine", secret.path("passwd"))
        try await withContainer { client, directory in
            _ = try await inside(client, "echo mine > /tmp/real; ln -s /tmp/real /link; ln -s \(secret.path("passwd")) /out")
            try await copyOut(client, "/link", directory.path("copied"))
            #expect(try Files.link(directory.path("copied")) == "/tmp/real")
            try await copyOut(client, "/link", directory.path("followed"), follows: true)
            #expect(try text(directory.path("followed")) == "mine\n")
            await #expect(throws: NodeFailure.self) {
                try await copyOut(client, "/out", directory.path("leaked"), follows: true)
            }
            #expect(!Files.exists(directory.path("leaked")))
        }
    }

    @Test func `CVE-2018-15664: while a directory is swapped for a link out, copies reach nothing of the machine`() async throws {
        let victim = try TemporaryDirectory("victim")
        try write("machine", victim.path("file"))
        let loop = """
            mkdir /tmp/a; echo mine > /tmp/a/file; ln -s \(victim.path) /tmp/b
            while :; do mv /tmp/a /tmp/c; mv /tmp/b /tmp/a; mv /tmp/a /tmp/b; mv /tmp/c /tmp/a; done
            """
        try await withContainer(loop) { client, directory in
            try write("evil", directory.path("evil"))
            for round in 0..<100 {
                let copied = directory.path("copied-\(round)")
                try? await copyOut(client, "/tmp/a/file", copied)
                if Files.exists(copied) { #expect(try text(copied) != "machine") }
                try? await copyIn(client, directory.path("evil"), "/tmp/a/file")
                try? await copyIn(client, directory.path("evil"), "/tmp/a")
            }
            #expect(try text(victim.path("file")) == "machine")
            #expect(try Files.list(victim.path) == ["file"])
        }
    }

    @Test func `CVE-2021-41089: copying into a linked directory leaves the machine's files and their modes`() async throws {
        let victim = try TemporaryDirectory("victim")
        try write("machine", victim.path("file"))
        try Files.setPermissions(victim.path("file"), 0o640)
        try await withContainer { client, directory in
            try Files.makeDirectories(directory.path("tree"))
            try write("evil", directory.path("tree/file"))
            try Files.setPermissions(directory.path("tree/file"), 0o777)
            _ = try await inside(client, "ln -s \(victim.path) /tmp/link")
            try? await copyIn(client, directory.path("tree") + "/.", "/tmp/link")
            try? await copyIn(client, directory.path("tree/file"), "/tmp/link/file")
            #expect(try text(victim.path("file")) == "machine")
            #expect(try Files.status(victim.path("file")).permissions == 0o640)
        }
    }

    @Test func `CVE-2019-14271, CVE-2026-41567: nothing of the container runs for a copy`() async throws {
        let trojan = "for p in tar xz gzip unpigz; do printf '#!/bin/sh\\ntouch /ran\\n' > /bin/$p; chmod 755 /bin/$p; done"
        try await withContainer("rm -f /bin/tar /bin/xz /bin/gzip /bin/unpigz; \(trojan); touch /ready; sleep 1000") { client, directory in
            try await eventually("the trojans are there") { try await inside(client, "ls /ready") == "/ready\n" }
            try Files.makeDirectories(directory.path("tree"))
            try write("x", directory.path("tree/file"))
            try await copyIn(client, directory.path("tree"), "/tmp")
            try await copyOut(client, "/tmp/tree", directory.path("back"))
            #expect(try await inside(client, "ls /ran 2>&1 | grep -c '^/ran$'") == "0\n")
        }
    }

    @Test func `files of a container that has ended are copied out, with what it changed`() async throws {
        try await withContainer("echo changed > /etc/new; rm /etc/group") { client, directory in
            _ = try await client.call(WaitForContainer(container: "box"))
            try await copyOut(client, "/etc", directory.path("etc"))
            #expect(try text(directory.path("etc/new")) == "changed\n")
            #expect(Files.exists(directory.path("etc/passwd")) && !Files.exists(directory.path("etc/group")))
            let refused = await #expect(throws: NodeFailure.self) { try await copyIn(client, directory.path("etc"), "/") }
            #expect(refused?.kind == .unsupported)
        }
    }
}
