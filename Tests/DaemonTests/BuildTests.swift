import Daemon
import Engine
import Images
import Linux
import OCI
import TestKit
import Testing

/// Builds through a real node and a real keeper.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct BuildTests {
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

    @Test func `a program of RUN sees its stage, its user, its directory and its variables`() async throws {
        try await TestBench.run { bench in
            let told = TestBench.Told()
            let built = try await bench.build(
                """
                FROM busybox
                ARG A=arg
                ENV E=env
                RUN echo 'dev:x:7:8::/home/dev:/bin/sh' >> /etc/passwd
                USER dev
                WORKDIR /work/here
                RUN echo "$A $E $(id -u):$(id -g) $(pwd) $(hostname) $HOME"; touch own
                RUN ["/bin/echo", "exec", "$A"]
                SHELL ["/bin/sh", "-ec"]
                RUN <<EOF
                echo in a heredoc
                EOF
                RUN <<EOF
                #!/bin/cat
                line of a script
                EOF
                RUN cat <<EOF
                read by $E
                EOF
                """, told: told)
            #expect(
                told.output == [
                    "arg env 7:8 /work/here forkless /home/dev", "exec $A", "in a heredoc", "#!/bin/cat",
                    "line of a script", "read by env",
                ])
            let layers = try bench.layers(built)
            #expect(layers[1] == ["work 755 7:8", "work/here 755 7:8"])
            #expect(layers[2].last == "work/here/own 644 7:8")
            // Nothing but what was written: no place of a mount, no script.
            #expect(layers.count == 3)
        }
    }

    @Test func `a program of RUN has Docker's rights and no more`() async throws {
        try await TestBench.run { bench in
            let told = TestBench.Told()
            _ = try await bench.build(
                """
                FROM busybox
                RUN chown 5:6 /etc/group && grep Cap /proc/self/status && ip link | grep -c '^[0-9]'
                RUN ! mount -t tmpfs none /mnt 2>/dev/null && ! sh -c 'echo 1 > /proc/sys/vm/drop_caches' 2>/dev/null
                """, told: told)
            let effective = told.output.first { $0.hasPrefix("CapEff") }
            let allowed = Capabilities.dockerDefault.intersection(try Capabilities.permitted())
            #expect(effective?.hasSuffix(String(allowed.rawValue, radix: 16)) == true)
            #expect(told.output.last == "1")
        }
    }

    @Test func `a program that writes nothing gives no layer, whatever the image lacks`() async throws {
        try await TestBench.run { bench in
            let removed = "RUN rm -r /etc /proc /sys /dev 2>/dev/null; ln -s ../gone/resolv /resolv; mkdir /etc; "
                + "ln -s ../run/none/resolv.conf /etc/resolv.conf; true\n"
            let built = try await bench.build("FROM busybox\nRUN true\n" + removed + "RUN true\nRUN cat /etc/hosts >/dev/null")
            let layers = try bench.layers(built)
            #expect(layers.count == 1)
            #expect(try bench.config(built).history.map(\.isEmptyLayer) == [false, true, false, true, true])
        }
    }

    @Test func `stages hand files on, and only those that are needed are built`() async throws {
        try await TestBench.run { bench in
            let told = TestBench.Told()
            let text = """
                FROM busybox AS base
                RUN mkdir /made && echo one > /made/one && ln -s one /made/link && chown 3:4 /made/one
                FROM busybox AS unused
                RUN false
                FROM scratch AS last
                COPY --from=base /made /m
                COPY --from=0 /made/one /
                COPY --from=busybox --chown=1 /bin/busybox /bin/
                """
            let built = try await bench.build(text, told: told)
            #expect(told.all.filter { $0.kind == .began }.map(\.text).contains { $0.contains("unused") } == false)
            let manifest = try bench.node.images.manifest(of: try bench.node.images.resolve(built.id.description))
            #expect(manifest.layers.count == 3)
            let all = try bench.layers(built)
            #expect(all == [["one 644 3:4"], ["bin 755 1:1", "bin/busybox 755 1:1"]])
            #expect(try bench.config(built).defaults.env == ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"])
            let target = try await bench.build(text) { $0.recipe.target = "base" }
            #expect(target.steps == 2)
            #expect(target.cachedSteps == 1)
            // A stage on another: its files, its configuration and its ARGs.
            let chain = try await bench.build(
                "FROM busybox AS a\nARG V=1\nENV W=2\nRUN echo x > /x\nFROM a\nRUN echo \"$V$W$(cat /x)\"", told: told)
            #expect(told.output.last == "12x")
            #expect(try bench.layers(chain).count == 1)
        }
    }

    @Test func `what is the same is in the cache, and what is not is done again`() async throws {
        try await TestBench.run { bench in
            try bench.write("a", "a")
            try bench.write("b", "b")
            let text = "FROM busybox\nARG V=1\nCOPY a /a\nRUN cat /proc/sys/kernel/random/uuid > /time\nCOPY b /b\nRUN echo $V > /v\n"
            func ends(_ text: String, _ change: (inout BuildImage) -> Void = { _ in }) async throws -> [BuildProgress.Kind] {
                let told = TestBench.Told()
                try await bench.build(text, told: told, change)
                return told.ends
            }
            let first = try await bench.build(text)
            let again = try await bench.build(text)
            #expect(again.id == first.id)
            #expect(again.digest == first.digest)
            #expect(again.cachedSteps == 4)
            #expect(try await ends(text) == [.done, .done, .cached, .cached, .cached, .cached])
            // A time is no change, a mode is, and so are contents.
            try bench.write("b", "b")
            #expect(try await ends(text) == [.done, .done, .cached, .cached, .cached, .cached])
            try bench.write("b", "B")
            #expect(try await ends(text) == [.done, .done, .cached, .cached, .done, .done])
            try bench.write("a", "a", mode: 0o600)
            #expect(try await ends(text)[2...] == [.done, .done, .done, .done])
            try bench.write("a", "a")
            try bench.write("b", "b")
            #expect(try await ends(text)[2...] == [.cached, .cached, .cached, .cached])
            #expect(try await ends(text) { $0.recipe.arguments = ["V": "2"] }[2...] == [.cached, .done, .done, .done])
            #expect(try await ends(text) { $0.recipe.arguments = ["http_proxy": "p"] }[2...] == [.cached, .cached, .cached, .cached])
            #expect(try await ends(text) { $0.usesCache = false }[2...] == [.done, .done, .done, .done])
            // Another way to the same files shares what comes after.
            let other = "FROM busybox AS x\nENV UNUSED=1\nCOPY ./a /a\nFROM x\n"
            #expect(try await ends(other) == [.done, .done, .cached, .done])
            let pruned = try await bench.client.call(PruneBuildCache())
            #expect(pruned.records > 4)
            #expect(try await ends(text)[2...] == [.done, .done, .done, .done])
        }
    }

    @Test func `two builds in two state directories give the same digest`() async throws {
        let text = """
            FROM busybox
            WORKDIR /app
            COPY . .
            COPY <<EOF /app/made
            text
            EOF
            RUN mkdir out && for i in 3 1 2; do echo $i > out/$i; done && ln out/1 out/link && touch -d @5 out/3
            CMD ["sh"]
            """
        var built: [ImageBuilt] = []
        var times: [Set<Int>] = []
        for order in [["x", "y", "z"], ["z", "x", "y"]] {
            try await TestBench.run { bench in
                for name in order { try bench.write("d/" + name, name) }
                built.append(
                    try await bench.build(text, tags: ["r:1"]) { $0.recipe.arguments = ["SOURCE_DATE_EPOCH": "1700000000"] })
                let images = bench.node.images
                let image = try images.resolve("r:1")
                #expect(try images.config(of: image).created == "2023-11-14T22:13:20.000000000Z")
                var found: Set<Int> = []
                for layer in try images.manifest(of: image).layers.dropFirst() {
                    let reader = try TarReader(DescriptorSource(SharedFD(try images.open(blob: layer.digest))))
                    while let entry = try reader.next() { found.insert(entry.modified.seconds) }
                }
                times.append(found)
            }
        }
        #expect(built[0].digest == built[1].digest)
        #expect(times == [[5, 1_700_000_000], [5, 1_700_000_000]])
    }

    @Test func `ADD unpacks archives and copies everything else`() async throws {
        try await TestBench.run { bench in
            for name in ["one", "two"] { try bench.write("tree/" + name, name) }
            try bench.write("text.tar", "no archive")
            for (name, flag) in [("a.tar", ""), ("a.tgz", "z"), ("a.txz", "J"), ("a.tbz", "j"), ("a.tzst", "--zstd")] {
                let flags = flag.hasPrefix("--") ? [flag, "-cf"] : ["-c\(flag)f"]
                let made = try await CommandRunner.run(
                    ["tar"] + flags + [bench.contexts.path(name), "--owner=5", "--group=6", "-C", bench.contexts.path, "tree"])
                try #require(made.status.isSuccess, "\(made.errorText)")
            }
            let text = ["tar", "tgz", "txz", "tbz", "tzst"].map { "ADD a.\($0) /\($0)\n" }.joined()
            let built = try await bench.build("FROM scratch\n" + text + "ADD text.tar /text\nADD --chown=1:2 a.tgz /owned/\nCOPY a.tgz /kept")
            let layers = try bench.layers(built)
            #expect(layers[0] == ["tgz 755 0:0", "tgz/tree 755 5:6", "tgz/tree/one 644 5:6", "tgz/tree/two 644 5:6"])
            #expect(layers[1...3].allSatisfy { $0.count == 4 })
            #expect(layers[4] == ["text 644 0:0"])
            #expect(layers[5] == ["owned 755 1:2", "owned/tree 755 1:2", "owned/tree/one 644 1:2", "owned/tree/two 644 1:2"])
            #expect(layers[6] == ["kept 644 0:0"])
        }
    }
}
