import Daemon
import Engine
import Images
import Linux
import OCI
import TestKit
import Testing

/// Contexts, Dockerfiles and images of somebody hostile; published attacks by their numbers.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct HostileBuildTests {
    @Test func `CVE-2024-24557: an image that looks like another one shares no cache with it`() async throws {
        try await TestBench.run { bench in
            let text = "FROM busybox\nRUN cat /etc/passwd | md5sum > /sum\n"
            let first = try await bench.build(text)
            // The same name, configuration and history, other files.
            let image = try bench.node.images.resolve("busybox")
            let config = try bench.node.images.config(of: image)
            try TestImage.busybox(in: bench.node.images, as: "other") { $0 = config.defaults }
            let evil = try await bench.build("FROM other\nRUN echo evil >> /etc/passwd", tags: ["busybox"])
            var looks = try bench.config(evil)
            looks.history = config.history
            let told = TestBench.Told()
            let second = try await bench.build(text, told: told)
            #expect(told.ends == [.done, .done])
            #expect(second.id != first.id)
        }
    }

    @Test func `CVE-2019-13509: a proxy's password is in no image, no history and no cache`() async throws {
        try await TestBench.run { bench in
            let told = TestBench.Told()
            let secret = "http://user:s3cret-of-proxy@proxy.example"
            let built = try await bench.build("FROM busybox\nRUN test -n \"$http_proxy\" && echo seen > /seen", told: told) {
                $0.recipe.arguments = ["http_proxy": secret]
            }
            #expect(!String(decoding: try bench.config(built).encoded(), as: UTF8.self).contains("s3cret"))
            let found = try await CommandRunner.run(["grep", "-rlaF", "s3cret-of-proxy", bench.test.settings.state])
            #expect(found.status == .exited(1), "\(found.text)")
        }
    }

    @Test func `CVE-2024-23652: a program that puts links where mounts were loses nothing outside`() async throws {
        let outside = try TemporaryDirectory("outside")
        try outside.write("", to: "hosts")
        try Files.makeDirectories(outside.path("empty"))
        try await TestBench.run { bench in
            // The image has no /etc: the sandbox makes it, and the program replaces what it can.
            let built = try await bench.build(
                """
                FROM busybox
                RUN umount /etc/hosts 2>/dev/null; rm -rf /etc; mkdir -p /new; ln -s \(outside.path) /etc; true
                RUN ln -s \(outside.path)/empty /proc2; true
                """)
            #expect(try bench.layers(built).count >= 1)
        }
        #expect(try Files.list(outside.path).sorted() == ["empty", "hosts"])
    }

    @Test func `a hostile archive in a context reaches nothing outside`() async throws {
        let outside = try TemporaryDirectory("outside")
        try await TestBench.run { bench in
            let evil = TarRecord(name: "link", kind: .symbolicLink(target: outside.path))
            var file = TarRecord(name: "link/x", kind: .file)
            file.size = 1
            let archive = evil.header + file.header + [120] + file.padding + TarRecord.end
            try Files.replace(bench.contexts.path("evil.tar"), with: archive)
            let up = TarRecord(name: "../../x", kind: .file)
            try Files.replace(bench.contexts.path("up.tar"), with: up.header + TarRecord.end)
            let device = TarRecord(name: "null", kind: .device(block: false, major: 1, minor: 3))
            try Files.replace(bench.contexts.path("device.tar"), with: device.header + TarRecord.end)
            _ = await bench.failure("FROM busybox\nADD evil.tar /")
            for name in ["up", "device"] {
                let said = await bench.failure("FROM busybox\nADD \(name).tar /d/")
                #expect(said.hasPrefix("Dockerfile:2: \(name).tar: "), "\(said)")
            }
            #expect(bench.left.isEmpty)
        }
        #expect(try Files.list(outside.path) == [])
    }

    @Test func `a pipe is no context`() async throws {
        try await TestBench.run { bench in
            var pipe = try Files.pipe()
            let (reader, writer) = (SharedFD(pipe.takeReader()), SharedFD(pipe.takeWriter()))
            for context in BuildRecipe.Context.allCases {
                let request = BuildImage(BuildRecipe(context: context, file: "Dockerfile"), network: .none)
                let descriptors = context == .directory ? [reader.raw, reader.raw] : [reader.raw]
                await #expect(throws: NodeFailure.self, "\(context)") {
                    _ = try await bench.client.stream(request, descriptors: descriptors) { _, _ in }
                }
            }
            withExtendedLifetime((reader, writer)) {}
            let none = BuildImage(BuildRecipe(context: .directory, file: "Dockerfile"))
            await #expect(throws: NodeFailure.self) { _ = try await bench.client.stream(none) { _, _ in } }
        }
    }

    @Test func `a container's escape tricks in RUN end in its sandbox`() async throws {
        try await TestBench.run { bench in
            let told = TestBench.Told()
            _ = try await bench.build(
                """
                FROM busybox
                RUN ! mknod /dev/sda b 8 0 2>/dev/null || ! cat /dev/sda 2>/dev/null
                RUN ! ls /proc/1/root/tmp | grep forkless- && ! cat /proc/kcore 2>/dev/null | head -c1 | grep -q .
                RUN sleep 1000 & echo left behind
                """, told: told)
            #expect(told.output == ["left behind"])
            try await eventually("no sandbox runs") { try await bench.sandboxes().isEmpty }
        }
    }
}
