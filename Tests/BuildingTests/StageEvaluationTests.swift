import Building
import OCI
import Testing

@Suite struct StageEvaluationTests {
    /// The state after a stage's instructions, and the action of the last one.
    private func evaluate(
        _ text: String, on base: ImageDefaults? = nil, given: [String: String] = [:]
    ) throws -> (StageEvaluation, StepAction) {
        let file = try Dockerfile(parsing: Array(text.utf8))
        let graph = try BuildGraph(file, arguments: given, platform: "linux/amd64")
        var evaluation = StageEvaluation(on: base, given: given, globals: graph.globals, escape: file.escape)
        var action = StepAction.configuration
        for step in file.stages.last!.steps { action = try evaluation.apply(step) }
        return (evaluation, action)
    }

    private func run(
        _ text: String, on base: ImageDefaults? = ImageDefaults(), given: [String: String] = [:]
    ) throws -> RunAction {
        guard case .run(let run) = try evaluate(text, on: base, given: given).1 else { throw NoRun() }
        return run
    }

    private struct NoRun: Error {}

    @Test func `ENV hides an ARG, whichever comes later`() throws {
        #expect(try run("FROM a\nARG V=1\nENV V=2\nRUN x").environment == ["V=2"])
        #expect(try run("FROM a\nENV V=2\nARG V=1\nRUN x", given: ["V": "3"]).environment == ["V=2"])
        var base = ImageDefaults()
        base.env = ["V=base"]
        #expect(try run("FROM a\nARG V=1\nRUN x", on: base).environment == ["V=base"])
        #expect(try evaluate("FROM a\nARG V=1\nENV W=$V", given: ["V": "3"]).0.defaults.env.last == "W=3")
    }

    @Test func `an ARG is seen from its line on`() throws {
        #expect(try run("FROM a\nRUN x", given: ["V": "1"]).environment == [])
        #expect(try evaluate("FROM a\nENV W=${V:-none}\nARG V=1").0.defaults.env.last == "W=none")
        #expect(try run("FROM a\nARG V\nRUN x").environment == [])
        #expect(try run("FROM a\nARG V=1\nARG V=2\nRUN x").environment == ["V=2"])
    }

    @Test func `an ARG before FROM is seen where it is declared again`() throws {
        #expect(try run("ARG V=1\nFROM a\nRUN x").environment == [])
        #expect(try run("ARG V=1\nFROM a\nARG V\nRUN x").environment == ["V=1"])
        #expect(try run("ARG V=1\nFROM a\nARG V=2\nRUN x").environment == ["V=2"])
        #expect(try run("ARG V=1\nFROM a\nARG V=2\nRUN x", given: ["V": "3"]).environment == ["V=3"])
    }

    @Test func `proxies reach programs without an ARG and apart from the rest`() throws {
        let given = ["http_proxy": "p", "V": "1"]
        let plain = try run("FROM a\nRUN x", given: given)
        #expect(plain.proxies == ["http_proxy=p"])
        #expect(plain.environment == [])
        let declared = try run("FROM a\nARG http_proxy\nRUN x", given: given)
        #expect(declared.proxies == [])
        #expect(declared.environment == ["http_proxy=p"])
    }

    @Test func `an instruction sees the values before it`() throws {
        let text = "FROM scratch\nENV A=1\nENV A=2 B=$A\nLABEL x=$A y='$A' \"z w\"=\"$B\""
        let defaults = try evaluate(text).0.defaults
        #expect(defaults.env == [StageEvaluation.searchPath, "A=2", "B=1"])
        #expect(defaults.labels == ["x": "2", "y": "$A", "z w": "1"])
    }

    @Test func `a stage from scratch has a PATH`() throws {
        let defaults = try evaluate("FROM scratch\nENV PATH=/opt/bin:$PATH").0.defaults
        #expect(defaults.env == ["PATH=/opt/bin:" + StageEvaluation.searchPath.dropFirst(5)])
    }

    @Test func `ENTRYPOINT forgets the base's CMD`() throws {
        var base = ImageDefaults()
        base.cmd = ["base"]
        #expect(try evaluate("FROM a\nENTRYPOINT [\"e\"]", on: base).0.defaults.cmd == nil)
        #expect(try evaluate("FROM a\nCMD [\"c\"]\nENTRYPOINT [\"e\"]", on: base).0.defaults.cmd == ["c"])
        #expect(try evaluate("FROM a\nENTRYPOINT [\"e\"]\nCMD [\"c\"]", on: base).0.defaults.cmd == ["c"])
        #expect(try evaluate("FROM a\nCMD []", on: base).0.defaults.cmd == nil)
    }

    @Test func `shell forms are for the stage's shell`() throws {
        let text = "FROM a\nCMD a b\nSHELL [\"/bin/bash\", \"-ec\"]\nENTRYPOINT c $D\nHEALTHCHECK --interval=3s CMD e\nRUN f"
        let (evaluation, action) = try evaluate(text, on: ImageDefaults())
        #expect(evaluation.defaults.cmd == ["/bin/sh", "-c", "a b"])
        #expect(evaluation.defaults.entrypoint == ["/bin/bash", "-ec", "c $D"])
        #expect(evaluation.defaults.shell == ["/bin/bash", "-ec"])
        #expect(evaluation.defaults.healthcheck == Healthcheck(test: .shell("e"), interval: 3_000_000_000))
        guard case .run(let run) = action else { throw NoRun() }
        #expect(run.words == ["/bin/bash", "-ec", "f"])
    }

    @Test func `paths are relative to the WORKDIR`() throws {
        let text = "FROM a\nWORKDIR /a\nWORKDIR b/../c\nUSER u\nRUN [\"x\", \"$Y\"]"
        let run = try run(text)
        #expect(run.directory == "/a/c")
        #expect(run.user == "u")
        #expect(run.words == ["x", "$Y"])
        for (written, path, isDirectory) in [
            (".", "/a", true), ("./", "/a", true), ("b", "/a/b", false), ("b/", "/a/b", true), ("/b/.", "/b", true),
            ("../../..", "/", false), ("/", "/", true),
        ] {
            guard case .copy(let copy) = try evaluate("FROM a\nWORKDIR /a\nCOPY x \(written)").1 else { throw NoRun() }
            #expect(copy.destination == path, "\(written)")
            #expect(copy.isDirectory == isDirectory, "\(written)")
        }
    }

    @Test func `what an image proposes is gathered`() throws {
        let text = "FROM a\nARG P=90\nEXPOSE 80 443/tcp $P-92/udp\nVOLUME /a /b\nVOLUME [\"/c\"]\nSTOPSIGNAL SIGQUIT\nUSER 1:2"
        let defaults = try evaluate(text).0.defaults
        #expect(defaults.exposedPorts.map(\.description) == ["80/tcp", "90/udp", "91/udp", "92/udp", "443/tcp"])
        #expect(defaults.volumes == ["/a", "/b", "/c"])
        #expect(defaults.stopSignal == "SIGQUIT")
        #expect(defaults.user == "1:2")
        #expect(try evaluate("FROM a\nSTOPSIGNAL SIGRTMIN+3").0.defaults.stopSignal == "SIGRTMIN+3")
    }

    @Test func `a heredoc of COPY is expanded, unless its name is quoted`() throws {
        let text = "FROM a\nENV V=1\nCOPY <<A <<\"B\" /d/\n$V \"q\"\nA\n$V\nB\n"
        guard case .copy(let copy) = try evaluate(text).1 else { throw NoRun() }
        #expect(copy.sources == [.file(name: "A", text: "1 \"q\"\n"), .file(name: "B", text: "$V\n")])
    }

    static let wrong = [
        "USER $NONE", "WORKDIR $NONE", "EXPOSE 0", "EXPOSE 9-8", "EXPOSE 80:80", "STOPSIGNAL NOPE", "VOLUME $NONE",
        "COPY a b c", "COPY $NONE /x", "COPY --chmod=u+x a b", "COPY --chmod=99999 a b", "ENV A=${B:?needed}",
        "COPY --chmod=778 a b", "STOPSIGNAL SIGRTMIN+31",
    ]

    @Test(arguments: wrong) func `a wrong instruction changes nothing`(text: String) throws {
        let file = try Dockerfile(parsing: Array("FROM a\nENV A=1\n\(text)".utf8))
        var evaluation = StageEvaluation(on: nil, given: [:], globals: [:], escape: file.escape)
        _ = try evaluation.apply(file.stages[0].steps[0])
        let before = evaluation
        let step = file.stages[0].steps[1]
        let error = #expect(throws: DockerfileError.self) { _ = try evaluation.apply(step) }
        #expect(error?.line == 3)
        #expect(evaluation == before)
    }
}
