import Building
import Daemon
import Engine
import Images
import Linux
import OCI
import TestKit
import Testing

/// Builds that cannot succeed, and what they leave.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct BuildFailureTests {
    @Test func `a step that fails leaves no directory and no mount`() async throws {
        try await TestBench.run { bench in
            let mounts = try Files.readText("/proc/self/mountinfo")
            let told = TestBench.Told()
            let said = await bench.failure("FROM busybox\nRUN echo kept > /kept\n\nRUN echo said; touch /x; exit 3", told: told) {
                $0.tags = [try! Reference("never:1")]
            }
            #expect(said == "Dockerfile:4: RUN /bin/sh -c echo said; touch /x; exit 3: exited with status 3")
            #expect(told.output == ["said"])
            #expect(told.ends == [.done, .done, .failed])
            #expect(told.all.last?.text == said)
            #expect(bench.left.isEmpty)
            #expect(try Files.readText("/proc/self/mountinfo") == mounts)
            #expect(bench.node.images.images.map(\.names).flatMap { $0 }.map(\.description) == ["busybox:latest"])
            // What was done before is cache.
            let again = TestBench.Told()
            _ = await bench.failure("FROM busybox\nRUN echo kept > /kept\n\nRUN exit 4", told: again)
            #expect(again.ends == [.done, .cached, .failed])
        }
    }

    @Test func `what cannot be done is an error with its line`() async throws {
        try await TestBench.run { bench in
            try bench.write("a", "a")
            try bench.write(".dockerignore", "ignored\n")
            try bench.write("ignored", "x")
            let table = [
                ("FROM busybox\nONBUILD RUN x", "Dockerfile:2: ONBUILD is not supported"),
                ("FROM busybox\nRUN --mount=type=cache x", "Dockerfile:2: RUN --mount is not supported"),
                ("FROM busybox\n\nADD https://host.example/x /", "Dockerfile:3: ADD https://host.example/x"),
                ("FROM busybox\nCOPY none /", "Dockerfile:2: \"none\" is not in the context"),
                ("FROM busybox\nCOPY ignored /", "Dockerfile:2: \"ignored\" is not in the context, or .dockerignore"),
                ("FROM busybox\nCOPY ../../etc/passwd /", "Dockerfile:2: \"../../etc/passwd\" is not in the context"),
                ("FROM busybox\nCOPY --from=busybox /none /", "Dockerfile:2: \"/none\" is not in image busybox"),
                ("FROM busybox\nCOPY --chown=ghost a /", "Dockerfile:2: --chown=ghost: the image has no user"),
                ("FROM busybox\nCOPY a /bin/busybox/x", "Dockerfile:2: "),
                ("FROM busybox\nCOPY . /bin/busybox", "Dockerfile:2: "),
                ("FROM none", "Dockerfile:1: there is no image \"none\" here"),
                ("FROM busybox\nCOPY --from=none /a /", "Dockerfile:2: there is no image \"none\" here"),
                ("FROM busybox\nUSER ghost\nRUN true", "Dockerfile:3: "),
                ("FROM busybox\nUSER ghost\nWORKDIR /new", "Dockerfile:3: "),
                ("FROM busybox\nWORKDIR /bin/busybox", "Dockerfile:2: /bin/busybox is no directory"),
                ("FROM busybox\nRUN [\"/none\"]", "Dockerfile:2: "),
                ("FROM scratch\nRUN true", "Dockerfile:2: "),
                ("FROM --platform=linux/s390x busybox", "Dockerfile:1: FROM --platform"),
                ("NONSENSE", "Dockerfile:1: "), ("", "Dockerfile:1: "),
            ]
            for (text, start) in table {
                let said = await bench.failure(text)
                #expect(said.hasPrefix(start), "\(text): \(said)")
            }
            #expect(bench.left.isEmpty)
            #expect(await bench.failure("FROM busybox") { $0.recipe.target = "none" }.contains("no stage is named none"))
            #expect(await bench.failure("FROM busybox") { $0.recipe.platform = Platform(os: "linux", architecture: "s390x") }.contains("--platform"))
            #expect(await bench.failure("FROM busybox") { $0.recipe.arguments = ["SOURCE_DATE_EPOCH": "now"] }.contains("SOURCE_DATE_EPOCH"))
        }
    }

    @Test func `a cancelled build ends its program and leaves nothing`() async throws {
        try await TestBench.run { bench in
            let told = TestBench.Told()
            let task = Task {
                try await bench.build("FROM busybox\nRUN touch /begun; echo begun; sleep 1000", told: told)
            }
            try await eventually("the program runs") { told.output == ["begun"] }
            task.cancel()
            let result = await task.result
            #expect(throws: NodeFailure.self) { _ = try result.get() }
            try await eventually("nothing is left of it") { bench.left.isEmpty }
            try await eventually("no sandbox runs") { try await bench.sandboxes().isEmpty }
            #expect(bench.node.images.images.count == 1)
        }
    }

    @Test func `a caller that goes away ends its build`() async throws {
        try await TestBench.run { bench in
            let told = TestBench.Told()
            let connection = Connection(try await bench.test.connect())
            let task = Task { [bench] in
                try await bench.build("FROM busybox\nRUN echo begun; sleep 1000", told: told, through: connection.take())
            }
            try await eventually("the program runs") { told.output == ["begun"] }
            task.cancel()
            _ = await task.result
            try await eventually("nothing is left of it") { bench.left.isEmpty }
            try await eventually("no sandbox runs") { try await bench.sandboxes().isEmpty }
        }
    }

    /// A client that only its build holds.
    private final class Connection: Sendable {
        private let client: NodeClient
        init(_ client: NodeClient) { self.client = client }
        func take() -> NodeClient { client }
    }

    @Test func `what a dead node left of a build is removed`() async throws {
        let test = try TestNode()
        try Files.makeDirectories(test.settings.state + "/build/work/7/upper/d")
        let node = try await Node.start(test.settings, parts: [BuildPart.maker], note: { _ in })
        #expect(try Files.list(test.settings.state + "/build/work") == [])
        await node.stop()
        try await test.endKeeper()
    }

    @Test func `a full disk in the middle of a build is an error, and the store stays usable`() async throws {
        try await TestBench.onSmallDisk(bytes: 24 << 20) { bench in
            try bench.write("small", "small")
            for text in [
                "FROM busybox\nRUN dd if=/dev/urandom of=/big bs=1M count=64 2>/dev/null",
                "FROM busybox\nRUN dd if=/dev/urandom of=/half bs=1M count=15 2>/dev/null",
            ] {
                let said = await bench.failure(text)
                #expect(said.hasPrefix("Dockerfile:2: "), "\(said)")
                #expect(bench.left.isEmpty)
            }
            let built = try await bench.build("FROM busybox\nCOPY small /small\nRUN cat /small > /copy")
            #expect(try bench.layers(built).count == 2)
        }
    }
}
