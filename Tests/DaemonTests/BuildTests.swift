import Daemon
import Engine
import Images
import Linux
import OCI
import TestKit
import Testing

/// Builds through a real node and a real keeper.
@Suite(.serialized, .enabled(if: isRoot)) struct BuildTests {
    @Test func `a Dockerfile becomes an image`() async throws {
        try await TestBench.run { bench in
            try bench.write("hello.txt", "hello\n")
            let told = TestBench.Told()
            let built = try await bench.build(
                """
                FROM busybox
                ENV GREETING=hi
                COPY hello.txt /srv/
                RUN echo "$GREETING $(cat /srv/hello.txt)" | tee /out.txt
                CMD ["cat", "/out.txt"]
                """, tags: ["app:1"], told: told)
            #expect(told.output == ["hi hello"])
            #expect(try bench.layers(built) == [["srv 755 0:0", "srv/hello.txt 644 0:0"], ["out.txt 644 0:0"]])
            let config = try bench.config(built)
            #expect(config.defaults.cmd == ["cat", "/out.txt"])
            #expect(config.defaults.environment.contains { $0 == ("GREETING", "hi") })
            #expect(config.history.map(\.isEmptyLayer) == [false, true, false, false, true])
            #expect(try bench.node.images.resolve("app:1").id == built.id)
            #expect(bench.left.isEmpty)
        }
    }
}
