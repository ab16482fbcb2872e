import ExecDoor
import Linux
import Testing

/// What counts as a difference between two runs.
struct CallComparisonTests {
    static func stream(_ text: String) -> CapturedStream {
        var stream = CapturedStream()
        stream.bytes = Array(text.utf8)
        stream.total = stream.bytes.count
        return stream
    }

    static func run(_ output: String, errors: String = "", status: Linux.ExitStatus? = .exited(0)) -> ObservedRun {
        ObservedRun(status: status, output: stream(output), errors: stream(errors))
    }

    private func compare(_ one: String, _ other: String, _ rules: String...) throws -> ComparisonResult {
        CallComparison(try rules.map { try DifferenceRule($0) }).compare(Self.run(one), Self.run(other))
    }

    private static let everyRule = [
        "times", "identifiers", "unordered", "numbers=1e-6", "regex=[a-z]+", "json=$.a", "stdout", "stderr:times",
        "exit",
    ]

    @Test(arguments: everyRule) func `equal runs are equal under every rule`(rule: String) throws {
        let run = Self.run("{\"a\": 1}\nline 12:30 ab\u{0}\n", errors: "x", status: .signaled(9, coreDumped: true))
        #expect(CallComparison([try DifferenceRule(rule)]).compare(run, run) == ComparisonResult())
    }

    @Test func `exit status, output and errors are compared, and the first difference is shown where it is`() {
        let one = Self.run("price 1.00\nprice 2.50\n", errors: "done\n")
        let other = Self.run("price 1.00\nprice 2.51\n", errors: "", status: .exited(3))
        let result = CallComparison([]).compare(one, other)
        #expect(result.count == 4)
        #expect(
            result.differences.map(\.site) == [
                "exit", "stdout line 2 word 2", "stderr line 1", "stderr number of lines",
            ])
        #expect(
            result.differences[1].text == """
                stdout line 2 word 2
                  original  price 2.50
                  target    price 2.51
                                     ^

                """)
    }

    @Test func `a core that was dumped is no difference, another signal is one`() {
        let comparison = CallComparison([])
        let killed = Self.run("", status: .signaled(6, coreDumped: true))
        #expect(comparison.compare(killed, Self.run("", status: .signaled(6, coreDumped: false))).isEqual)
        #expect(!comparison.compare(killed, Self.run("", status: .signaled(9, coreDumped: false))).isEqual)
        // 137 by exit(3) is not SIGKILL, though a shell says the same of both.
        #expect(
            !comparison.compare(
                Self.run("", status: .exited(137)), Self.run("", status: .signaled(9, coreDumped: false))
            ).isEqual)
    }

    @Test func `a rule hides what it names and nothing beside it`() throws {
        #expect(try compare("at 2026-11-29T06:47:36Z ok\n", "at 2026-11-30T16:00:00.5+01:00 ok\n", "times").isEqual)
        #expect(try compare("Sun Nov 29 06:47:36 UTC 2026\n", "Mon Nov 30 06:48:00 UTC 2026\n", "times").isEqual)
        #expect(try compare("took 12.5 ms\n", "took 9 ms\n", "times").isEqual)
        #expect(try !compare("took 12.5 ms, 3 rows\n", "took 9 ms, 4 rows\n", "times").isEqual)
        #expect(
            try compare(
                "id 6f1c2b34-0a1b-4c2d-8e3f-001122334455\n", "id 00000000-0000-4000-8000-000000000001\n", "identifiers"
            ).isEqual)
        #expect(try compare("app[123]: x\n", "app[4567]: x\n", "identifiers").isEqual)
        // A long number may be an amount.
        #expect(try !compare("total 123456789012\n", "total 123456789013\n", "identifiers").isEqual)
        #expect(try compare("commit 12ab34cd56ef7890\n", "commit ffab34cd56ef7891\n", "identifiers").isEqual)
        #expect(try compare("run 17 of x\n", "run 18 of x\n", "regex=run [0-9]+").isEqual)
        #expect(try !compare("run 17 of x\n", "run 18 of y\n", "regex=run [0-9]+").isEqual)
        #expect(try !compare("12:00\n", "13:00\n", "stderr:times").isEqual)
        #expect(try compare("a", "b", "stdout").isEqual)
    }

    @Test func `lines in another order are equal where the order may differ`() throws {
        #expect(try compare("b\na\nc\n", "c\nb\na\n", "unordered").isEqual)
        #expect(try !compare("b\na\n", "c\nb\na\n", "unordered").isEqual)
        #expect(try !compare("b\na\n", "a\nb\n").isEqual)
    }

    @Test func `numbers are compared with a tolerance, in lines and in JSON`() throws {
        #expect(try compare("a,1.0000000001,b\n", "a,1.0,b\n", "numbers=1e-9").isEqual)
        #expect(try !compare("a,1.00000001,b\n", "a,1.0,b\n", "numbers=1e-9").isEqual)
        #expect(try compare("{\"x\":1.0000000001}", "{\"x\":1}", "numbers=1e-9", "json=$.nothing").isEqual)
    }

    @Test func `JSON is compared by value, except where a path says otherwise`() throws {
        let one = "{\"run\":{\"id\":7,\"at\":1},\"rows\":[{\"p\":1,\"t\":5},{\"p\":2,\"t\":6}]}"
        let other = "{\"rows\":[{\"t\":9,\"p\":1},{\"p\":2,\"t\":8}],\"run\":{\"id\":8,\"at\":1}}"
        #expect(try compare(one, other, "json=$.run.id", "json=$.rows[*].t").isEqual)
        #expect(try compare(one, other, "json=$..id", "json=$..t").isEqual)
        let result = try compare(one, other, "json=$.run.id")
        #expect(result.differences.map(\.site) == ["stdout $.rows[*].t", "stdout $.rows[*].t"])
        // One value in each line.
        #expect(try compare("{\"a\":1,\"t\":1}\n{\"a\":2}\n", "{\"a\":1,\"t\":2}\n{\"a\":2}\n", "json=$.t").isEqual)
        #expect(try !compare("{\"a\":1}\n{\"a\":2}\n", "{\"a\":1}\n", "json=$.t").isEqual)
        // What is no JSON is text.
        #expect(try !compare("plain", "other", "json=$.t").isEqual)
    }

    @Test func `a line feed at the end counts`() throws {
        let result = try compare("a\n", "a")
        #expect(result.differences.map(\.target) == ["(ends after 1 line)"])
        #expect(result.differences.map(\.original) == ["(a line feed at the end)"])
    }

    @Test func `a stream that was not seen is not compared`() {
        var one = Self.run("a")
        one.output.isObserved = false
        let result = CallComparison([]).compare(one, Self.run("b"))
        #expect(result.isEqual)
        #expect(result.isPartial)
    }

    @Test func `of long streams the beginnings are compared, in whole lines, and the lengths`() {
        var one = Self.run("1\n2\n3")
        var other = Self.run("1\n2\n4")
        one.output.total = 1000
        other.output.total = 1000
        #expect(CallComparison([]).compare(one, other) == ComparisonResult(isPartial: true))
        other.output.total = 999
        #expect(CallComparison([]).compare(one, other).differences.map(\.site) == ["stdout length"])
        other = Self.run("1\n5\n4")
        other.output.total = 1000
        #expect(CallComparison([]).compare(one, other).differences.map(\.site) == ["stdout line 2 word 1"])
    }

    @Test func `output files are compared by their names`() {
        func run(_ files: [String: CapturedStream?]) -> ObservedRun {
            var run = Self.run("")
            run.files = files
            return run
        }
        let comparison = CallComparison([])
        let file = Self.stream("x\n")
        #expect(comparison.compare(run(["out": file]), run(["out": file])).isEqual)
        #expect(comparison.compare(run(["out": nil]), run(["out": nil])).isEqual)
        #expect(comparison.compare(run(["out": file]), run(["out": nil])).differences.map(\.site) == ["file=out"])
        #expect(
            comparison.compare(run(["out": file]), run(["out": Self.stream("y\n")])).differences.map(\.site) == [
                "file=out line 1 word 1"
            ])
    }

    @Test func `bytes that are no text can be compared and shown`() throws {
        var one = Self.run("")
        one.output.bytes = [0xFF, 0x00, 0x1B, 0x41]
        one.output.total = 4
        var other = one
        other.output.bytes[3] = 0x42
        let difference = try #require(CallComparison([]).compare(one, other).differences.first)
        #expect(difference.original == "\u{FFFD}\\x00\\x1bA")
        #expect(difference.target == "\u{FFFD}\\x00\\x1bB")
        #expect(difference.column == 9)
    }

    @Test(arguments: [
        "what", "regex=(", "json=a.b", "json=$.", "json=$[x]", "numbers=2", "numbers=x", "exit:times", "", "stdout:",
        "file=:times",
    ]) func `a rule that makes no sense is refused`(text: String) {
        #expect(throws: RuleProblem.self) { try DifferenceRule(text) }
    }

    @Test(arguments: [
        "stdout", "file=a b.csv", "times", "stderr:identifiers", "regex=a=b:c", "stdout:json=$.a[*]..b", "unordered",
        "numbers=1e-09",
    ]) func `a rule is read as it was written`(text: String) throws { #expect(try "\(DifferenceRule(text))" == text) }
}
