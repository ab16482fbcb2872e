import Building
import Testing

@Suite struct DockerfileTests {
    private func steps(_ text: String) throws -> [Instruction] {
        try Dockerfile(parsing: Array("FROM scratch\n\(text)".utf8)).stages[0].steps.map(\.instruction)
    }

    static let read: [(String, [Instruction])] = [
        ("RUN echo hi", [.run(.shell("echo hi"))]),
        ("run [\"/bin/echo\", \"h i\"]", [.run(.exec(["/bin/echo", "h i"]))]),
        // What is no JSON is for the shell, as Docker has it.
        ("RUN ['a', 'b']", [.run(.shell("['a', 'b']"))]),
        ("RUN a \\\n  b", [.run(.shell("a   b"))]),
        ("RUN a \\\n# said between\n\n   # and indented\n  && b", [.run(.shell("a   && b"))]),
        ("RUN a \\  \n&& b\r\nCMD c", [.run(.shell("a && b")), .command(.shell("c"))]),
        ("RUN echo a\\\\\nCMD b", [.run(.shell("echo a\\\\")), .command(.shell("b"))]),
        ("# only said\n\n   # more\nCMD [\"a\"]", [.command(.exec(["a"]))]),
        ("CMD a # stays", [.command(.shell("a # stays"))]),
        ("ENTRYPOINT []\nCMD []", [.entrypoint(.exec([])), .command(.exec([]))]),
        ("ENV A=1 B=\"x y\" C=a\\ b", [
            .environment([
                NamedValue(name: "A", value: "1"), NamedValue(name: "B", value: "\"x y\""),
                NamedValue(name: "C", value: "a\\ b"),
            ])
        ]),
        ("ENV A the rest  of it", [.environment([NamedValue(name: "A", value: "the rest  of it")])]),
        ("LABEL \"a b\"=c", [.label([NamedValue(name: "\"a b\"", value: "c")])]),
        ("ARG A B=2 C=", [
            .argument([
                ArgumentDeclaration(name: "A", fallback: nil), ArgumentDeclaration(name: "B", fallback: "2"),
                ArgumentDeclaration(name: "C", fallback: ""),
            ])
        ]),
        ("WORKDIR /a b", [.workingDirectory("/a b")]), ("USER $U:${G:-0}", [.user("$U:${G:-0}")]),
        ("EXPOSE 80 53/udp", [.expose(["80", "53/udp"])]), ("VOLUME /a /b", [.volume(["/a", "/b"])]),
        ("VOLUME [\"/a b\"]", [.volume(["/a b"])]), ("SHELL [\"/bin/bash\", \"-ec\"]", [.shell(["/bin/bash", "-ec"])]),
        ("STOPSIGNAL SIGQUIT", [.stopSignal("SIGQUIT")]),
        ("HEALTHCHECK NONE", [.healthCheck(HealthCheckInstruction(test: .none))]),
        ("HEALTHCHECK --interval=1m30s --timeout=500ms --start-period=1.5h --retries=4 CMD curl x", [
            .healthCheck(
                HealthCheckInstruction(
                    test: .command(.shell("curl x")), intervalNanoseconds: 90_000_000_000,
                    timeoutNanoseconds: 500_000_000, startPeriodNanoseconds: 5_400_000_000_000, retries: 4))
        ]),
        ("COPY a b /c/", [.copy(CopyInstruction(sources: [.path("a"), .path("b")], destination: "/c/"))]),
        ("COPY --from=x --chown=1:2 --chmod=755 [\"a b\", \"/c\"]", [
            .copy(
                CopyInstruction(sources: [.path("a b")], destination: "/c", from: "x", owner: "1:2", mode: "755"))
        ]),
        ("ADD --chown=1 a.tar.gz /", [
            .copy(
                CopyInstruction(sources: [.path("a.tar.gz")], destination: "/", owner: "1", unpacksArchives: true))
        ]),
        ("RUN <<EOF\necho a\n# kept\nEOF\nCMD x", [.run(.shell("echo a\n# kept\n")), .command(.shell("x"))]),
        ("RUN <<-E\n\techo a\n\t\tb\n\tE", [.run(.shell("echo a\nb\n"))]),
        ("RUN <<E\n#!/bin/x\ny\nE", [.script("#!/bin/x\ny\n")]),
        ("RUN cat <<A <<'B' > /f\n1\nA\n2\nB", [.run(.shell("cat <<A <<'B' > /f\n1\nA\n2\nB"))]),
        ("RUN echo <<<x", [.run(.shell("echo <<<x"))]),
        ("COPY <<a.txt <<\"b\" c /d/\n1 $x\na.txt\n2\nb", [
            .copy(
                CopyInstruction(
                    sources: [
                        .heredoc(Heredoc(name: "a.txt", expands: true, dropsTabs: false, content: "1 $x\n")),
                        .heredoc(Heredoc(name: "b", expands: false, dropsTabs: false, content: "2\n")), .path("c"),
                    ], destination: "/d/"))
        ]),
    ]

    @Test(arguments: read) func `instructions are read as the reference has it`(
        text: String, instructions: [Instruction]
    ) throws {
        #expect(try steps(text) == instructions)
    }

    static let refused: [(String, Int, String)] = [
        ("", 1, "no FROM"), ("RUN a", 1, "before the first FROM"), ("FROM", 1, "FROM is followed"),
        ("FROM a AS", 1, "FROM is followed"), ("FROM a as 1", 1, "no stage name"),
        ("FROM a as b\n\nFROM c as B", 3, "taken by line 1"), ("FROM --x=1 a", 1, "FROM --x is not supported"),
        ("FROM a\nONBUILD RUN x", 2, "ONBUILD"), ("FROM a\nMAINTAINER x", 2, "LABEL maintainer"),
        ("FROM a\nRUM x", 2, "\"RUM\" is no instruction"),
        ("FROM a\nRUN --mount=type=cache,target=/x y", 2, "RUN --mount is not supported"),
        ("FROM a\nRUN --network=host y", 2, "RUN --network is not supported"),
        ("FROM a\nCOPY --link a b", 2, "COPY --link is not supported: it takes --chmod, --chown, --from"),
        ("FROM a\nADD --checksum=sha256:1 a b", 2, "ADD --checksum"), ("FROM a\nADD --from=b a b", 2, "ADD --from"),
        ("FROM a\nADD https://a.example/x /", 2, "only local files"),
        ("FROM a\nADD git@a.example:x /", 2, "only local files"), ("FROM a\nCOPY a", 2, "a destination"),
        ("FROM a\nCOPY --from=$x a b", 2, "variables are not replaced"), ("FROM a\nCOPY --chown a b", 2, "a value"),
        ("FROM a\nCOPY --chown=1 --chown=2 a b", 2, "twice"), ("FROM a\nENV A", 2, "no value"),
        ("FROM a\nENV A=1 B", 2, "not NAME=VALUE"), ("FROM a\nENV =1", 2, "no name"), ("FROM a\nARG 1", 2, "no name"),
        ("FROM a\nENV --x A=1", 2, "ENV --x"), ("FROM a\nSHELL sh -c", 2, "JSON array"),
        ("FROM a\nRUN [1]", 2, "only strings"), ("FROM a\nRUN []", 2, "needs a command"),
        ("FROM a\nRUN", 2, "needs a command"), ("FROM a\nCMD", 2, "needs an argument"),
        ("FROM a\nHEALTHCHECK x", 2, "CMD"), ("FROM a\nHEALTHCHECK --interval=5 CMD x", 2, "not a duration"),
        ("FROM a\nHEALTHCHECK --retries=-1 CMD x", 2, "not a number"), ("FROM a\nHEALTHCHECK NONE x", 2, "nothing"),
        ("FROM a\nRUN \\\n <<E\n1", 2, "never ends"), ("FROM a\nCOPY <<../x /\nE\n../x", 2, "a file's name"),
        ("FROM a\nCOPY b <<E\n1\nE", 2, "the destination cannot be"), ("FROM a\nRUN <<'E\nE", 2, "never closed"),
        ("# escape=x\nFROM a", 1, "escape is"), ("# escape=`\n# escape=`\nFROM a", 2, "a second"),
        ("# check=skip=all\nFROM a", 1, "check"), ("# syntax=other/frontend:1\nFROM a", 1, "another front end"),
        ("# syntax=docker/dockerfile:1-labs\nFROM a", 1, "another front end"),
        ("FROM a\nRUN x\0", 2, "NUL"), ("FROM a\nVOLUME []", 2, "paths"),
    ]

    @Test(arguments: refused) func `what is not supported is refused with its line`(
        text: String, line: Int, reason: String
    ) {
        let error = #expect(throws: DockerfileError.self) { _ = try Dockerfile(parsing: Array(text.utf8)) }
        #expect(error?.line == line)
        #expect(error?.reason.contains(reason) == true, "\(String(describing: error))")
    }

    @Test func `what is no text is refused with its line`() {
        let error = #expect(throws: DockerfileError.self) {
            _ = try Dockerfile(parsing: Array("FROM a\nRUN \n".utf8) + [0xFF, 0x0A])
        }
        #expect(error == DockerfileError(line: 3, "is not UTF-8"))
    }

    @Test func `a file above the limit is refused, one at the limit is read`() throws {
        let start = Array("FROM a\n#".utf8)
        let filled = start + Array(repeating: 0x20, count: Dockerfile.sizeLimit - start.count)
        #expect(try Dockerfile(parsing: filled).stages.count == 1)
        #expect(throws: DockerfileError.self) { _ = try Dockerfile(parsing: filled + [0x20]) }
    }

    @Test func `the escape directive changes what continues lines`() throws {
        let text = "# syntax=docker/dockerfile:1.7\n#Escape = `\nFROM a\nRUN b `\nc\\\nCMD d"
        let file = try Dockerfile(parsing: Array(text.utf8))
        #expect(file.escape == UInt8(ascii: "`"))
        #expect(file.stages[0].steps.map(\.instruction) == [.run(.shell("b c\\")), .command(.shell("d"))])
    }

    @Test func `a directive after anything else is a comment`() throws {
        let late = "# escape=`\nFROM a"
        for text in ["# said\n\(late)", "\n\(late)", "FROM b\n\(late)", "# x=1\n\(late)"] {
            #expect(try Dockerfile(parsing: Array(text.utf8)).escape == UInt8(ascii: "\\"))
        }
    }

    @Test func `stages have names, numbers, bases and what came before them`() throws {
        let text = "\u{FEFF}ARG V=1\nFROM --platform=linux/amd64 x:${V} AS Base\nRUN a\nFROM base\nARG V\n"
        let file = try Dockerfile(parsing: Array(text.utf8))
        #expect(file.globalArguments.map(\.line) == [1])
        #expect(file.stages.map(\.name) == ["base", nil])
        #expect(file.stages.map(\.base) == ["x:${V}", "base"])
        #expect(file.stages[0].platform == "linux/amd64")
        #expect(file.stages[1].steps.map(\.text) == ["ARG V"])
        #expect(file.stages.map(\.line) == [2, 4])
    }
}
