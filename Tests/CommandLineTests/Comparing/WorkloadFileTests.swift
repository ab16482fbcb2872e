import Comparison
import Linux
import Testing

@testable import CommandLine

@Suite struct WorkloadFileTests {
    private func parse(_ text: String) throws(WorkloadFailure) -> ComparedWorkload {
        try WorkloadFile.parse(text, name: "mix.yaml") { path throws(SystemError) in
            guard path == "trades.csv" else { throw SystemError("open", path, code: .noEntry) }
            return Array("one\ntwo\n".utf8)
        }
    }

    @Test func `a mix of programs with their arrivals`() throws {
        let mix = try parse(
            """
            name: payments
            duration: 10s
            programs:
            - name: price
              command: [/opt/pricer, --exact]
              input: trades.csv
              each: line
              rate: 200
            - command: [/opt/score]
              text: "payment 1\\n"
              rate: 50.5
              arrivals: constant
              concurrency: 8
            - name: nightly
              command: [sh, -c, wc]
              bursts: {size: 20, every: 500ms}
            """)
        #expect(mix.name == "payments" && mix.loadNanoseconds == 10_000_000_000)
        #expect(mix.streams.map(\.name) == ["price", "score", "nightly"])
        #expect(
            mix.streams.map(\.schedule) == [
                .poisson(perSecond: 200, seed: 1), .constant(perSecond: 50.5),
                .bursts(size: 20, everyNanoseconds: 500_000_000),
            ])
        #expect(mix.streams.map(\.weight) == [200, 50.5, 40])
        #expect(mix.streams[0].input.inputs == [Array("one\n".utf8), Array("two\n".utf8)])
        #expect(mix.streams[0].arguments == ["--exact"] && mix.streams[1].concurrency == 8)
        #expect(mix.streams[1].input.inputs == [Array("payment 1\n".utf8)] && mix.streams[2].input.inputs == [[]])
    }

    @Test func `as many calls may arrive as are kept, and hardly any`() throws {
        let most = try parse("duration: 10s\nprograms:\n- command: [a]\n  rate: 1000000")
        #expect(most.streams[0].schedule == .poisson(perSecond: 1e6, seed: 1))
        let least = try parse("programs:\n- command: [a]\n  rate: 0.000001\n  arrivals: constant")
        #expect(least.arrivals(rate: 1, seed: 1, forNanoseconds: 5_000_000_000).map(\.nanoseconds) == [0])
    }

    @Test func `JSON is a workload as well, and shares may be given instead of rates`() throws {
        let mix = try parse(#"{"programs": [{"command": ["a"], "weight": 3}, {"command": ["b"]}]}"#)
        #expect(mix.name == "mix.yaml" && mix.loadNanoseconds == nil && !mix.hasSchedules)
        #expect(mix.streams.map(\.weight) == [3, 1])
    }

    @Test(arguments: [
        ("", "the file is empty"),
        ("programs: [", "not YAML: "),
        ("programs: []", "line 1: programs: expected a list of programs, found none"),
        ("- a", "line 1: expected names with values, found a list"),
        (
            "programs:\n- command: [a]\n  rats: 5",
            "line 3: programs[0].rats: not a known field; known here: arrivals, bursts, command"
        ),
        (
            "programs:\n- command: [a]\n  rate: fast",
            "line 3: programs[0].rate: expected a number above 0, at most 1000000, found \"fast\""
        ),
        ("programs:\n- command: [a]\n  rate: -1", "line 3: programs[0].rate: expected a number above 0"),
        ("programs:\n- rate: 1", "line 2: programs[0].command: expected the program and its arguments as a list"),
        ("programs:\n- command: a b", "line 2: programs[0].command: expected a list, found \"a b\""),
        ("programs:\n- command: [a, [b]]", "line 2: programs[0].command[1]: expected a text, found a list"),
        (
            "programs:\n- command: [a]\n  rate: 1\n  bursts: {size: 1, every: 1s}",
            "line 4: programs[0].bursts: a program has either a rate or bursts"
        ),
        (
            "programs:\n- command: [a]\n  bursts: {size: 0, every: 1s}",
            "line 3: programs[0].bursts.size: expected a whole number from 1"
        ),
        (
            "programs:\n- command: [a]\n  bursts: {size: 1, every: soon}",
            "line 3: programs[0].bursts.every: expected a time such as 500ms or 10s, found \"soon\""
        ),
        ("programs:\n- command: [a]\n  seed: 4", "line 3: programs[0].seed: it is of use only with a rate"),
        ("programs:\n- command: [a]\n  input: none.csv", "line 3: programs[0].input: open none.csv"),
        (
            "programs:\n- command: [a]\n  each: line",
            "line 3: programs[0].each: divide standard input into one call per line: it is empty"
        ),
        ("programs:\n- command: [a]\n  each: word", "line 3: programs[0].each: expected line or whole, found \"word\""),
        ("programs:\n- command: [a]\n- command: [a]", "line 3: programs[1].name: two programs are called \"a\""),
        (
            "programs:\n- command: [a]\n- command: [b]\n  rate: 1",
            "line 1: programs: either every program has a rate or bursts, or none has"
        ),
        ("duration: 5s\nprograms:\n- command: [a]", "line 1: duration: it is of use only with rates or bursts"),
        ("duration: 2h\nprograms:\n- command: [a]\n  rate: 1", "line 1: duration: expected at most 1h"),
        ("name: a\nname: b\nprograms:\n- command: [a]", "named twice"),
        (
            "programs:\n- command: [a]\n  rate: 0.0000001",
            "line 3: programs[0].rate: expected at least 0.000001, found \"0.0000001\""
        ),
        (
            "programs:\n- command: [a]\n- command: [b]\n  weight: 1e-9",
            "line 4: programs[1].weight: expected at least 0.000001, found \"1e-9\""
        ),
        (
            "duration: 11s\nprograms:\n- command: [a]\n  rate: 1000000",
            "line 4: programs[0].rate: with it more than 10000000 calls would arrive"
        ),
        (
            "programs:\n- command: [a]\n  rate: 1000000\n- command: [b]\n  bursts: {size: 100000, every: 50ms}",
            "line 5: programs[1].bursts: with it more than 10000000 calls would arrive"
        ),
    ])
    func `a bad file is told by line and field`(_ text: String, _ sentence: String) {
        let failure = #expect(throws: WorkloadFailure.self) { try parse(text) }
        let found = failure.map { "\($0)" } ?? ""
        #expect(found.contains(sentence), "\(found)")
    }
}

@Suite struct RungChoiceTests {
    @Test func `rungs are chosen by name or as a group, in the order of the ladder`() throws {
        #expect(try RungChoice.parse("warm,fork") == [.fork, .warm])
        #expect(try RungChoice.parse("function,process") == [.process, .standby, .lambda, .cold, .zygote, .warm])
        #expect(try RungChoice.parse("all") == RungChoice.allCases)
        let error = #expect(throws: FlagError.self) { try RungChoice.parse("fork,spoon") }
        #expect(error?.description.contains("--rungs spoon: no rung has this name") == true)
        #expect(throws: FlagError.self) { try RungChoice.parse("") }
    }

    @Test func `tools beside are chosen by name`() throws {
        #expect(try BesideTool.parse("docker,runc,docker") == [.docker, .runc])
        #expect(throws: FlagError.self) { try BesideTool.parse("lxc") }
    }
}
