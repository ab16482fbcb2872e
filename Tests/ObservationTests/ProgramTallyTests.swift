import Linux
import Observation
import TestKit
import Testing

@Suite struct ProgramTallyTests {
    private func programs(_ processes: [RecordedProcess], seconds: Int = 10) -> [RecordedProgram] {
        var tally = ProgramTally()
        for process in processes { tally.add(process) }
        return tally.programs(over: seconds * 1_000_000_000)
    }

    @Test func `calls are counted by program, with their callers, times and ends`() throws {
        let found = programs([
            Examples.process(1, "/bin/a", arguments: ["a", "1"], fork: 0, exec: 100, exit: 1100, parentBytes: 1000),
            Examples.process(2, "/bin/a", arguments: ["a", "1"], fork: 0, exec: 300, exit: 2300, parentBytes: 3000),
            Examples.process(3, "/bin/a", arguments: ["a", "2"], status: .exited(2), parent: "/bin/other"),
            Examples.process(4, "/bin/b", exit: nil),
        ])
        #expect(found.map(\.identity.text) == ["/bin/a", "/bin/b"])
        let a = found[0]
        #expect(a.calls == 3)
        #expect(a.callsPerSecond == 0.3)
        #expect(a.callers.map(\.program) == ["/usr/sbin/cron", "/bin/other"])
        #expect(a.callers[0].residentBytes.maximum == 3000)
        #expect(a.forkToExec.minimum == 100)
        #expect(a.forkToExec.maximum == 1000)
        #expect(a.lifetime.maximum == 3000)
        #expect(a.exits == [.exited(0): 2, .exited(2): 1])
        #expect(a.failures == 1)
        #expect(a.examples.map(\.arguments) == [["a", "1"], ["a", "2"]])
        #expect(found[1].unfinished == 1)
        #expect(found[1].argumentsMissed == 1)
    }

    @Test func `each exec is one call`() throws {
        var chain = Examples.process(1, "/usr/bin/env", arguments: ["env", "a"], fork: 0, exec: 10, exit: 100)
        chain.execs.append(RecordedExec(at: 40, program: "/bin/a", arguments: ["a"]))
        let found = programs([chain])
        #expect(found.map(\.calls) == [1, 1])
        let env = try #require(found.first { $0.identity == .path("/usr/bin/env") })
        let a = try #require(found.first { $0.identity == .path("/bin/a") })
        #expect(env.lifetime.maximum == 30)
        #expect(a.lifetime.maximum == 60)
        #expect(a.callers.map(\.program) == ["/usr/bin/env"])
        #expect(a.callers[0].withoutFork == 1)
        #expect(env.exits.isEmpty)
        #expect(a.exits == [.exited(0): 1])
        // What the process used is nobody's alone.
        #expect(env.cpu.isEmpty && a.cpu.isEmpty && a.usageIsShared == 1)
    }

    @Test func `a child that executes nothing is its parent's`() throws {
        var worker = Examples.process(1, nil, fork: 0, exit: 500, parent: "/usr/lib/postgres")
        worker.execs = []
        let found = programs([worker])
        #expect(found.map(\.identity.text) == ["/usr/lib/postgres"])
        #expect(found[0].calls == 0)
        #expect(found[0].forksWithoutExec == 1)
        #expect(found[0].forkLifetime.maximum == 500)
    }

    @Test func `the order of processes changes no number`() {
        var chance = SeededChance(seed: 3)
        let all = (1...200).map { number in
            let start = Int.random(in: 0..<1_000_000, using: &chance)
            return Examples.process(
                number, ["/bin/a", "/bin/b", nil].randomElement(using: &chance)!, fork: start, exec: start + 100,
                exit: Bool.random(using: &chance) ? start + Int.random(in: 200..<1_000_000, using: &chance) : nil,
                parent: ["/bin/p", "/bin/q", nil].randomElement(using: &chance)!)
        }
        let expected = programs(all)
        for _ in 0..<20 { #expect(programs(all.shuffled(using: &chance)) == expected, "\(chance)") }
    }

    @Test func `what tracing showed is united`() throws {
        var first = Examples.process(1, "/bin/a")
        first.deep = Examples.deep
        var second = Examples.process(2, "/bin/a")
        var facts = DeepFacts()
        facts.files = [FileUse(path: "/tmp/x", actions: [.write, .unlink])]
        facts.notableCalls = ["mount": 1]
        second.deep = facts
        let deep = try #require(programs([first, second])[0].deep)
        #expect(deep.files.first { $0.path == "/tmp/x" }?.actions == [.create, .write, .unlink])
        #expect(deep.notableCalls == ["mount": 3])
        #expect(programs([first, second])[0].tracedCalls == 2)
    }

    @Test(arguments: [1, 2, 99, 100, 1000, 5000])
    func `percentiles are those of the nearest rank, to one part in 64`(_ count: Int) {
        var chance = SeededChance(seed: UInt64(count))
        let values = (0..<count).map { _ in
            Int.random(in: 0..<Int.random(in: 1...10_000_000, using: &chance), using: &chance)
        }
        let sorted = values.sorted()
        let spread = Spread(values)
        #expect(spread.sum == values.reduce(0, +))
        for percent in [0, 1, 50, 90, 99, 100] {
            let exact = sorted[max(0, (count * percent + 99) / 100 - 1)]
            let found = spread.percentile(percent)
            #expect(abs(found - exact) * 64 <= max(exact, 64), "\(chance): \(percent) % is \(exact), found \(found)")
        }
        var halves = Spread(values[..<(count / 2)])
        halves.add(Spread(values[(count / 2)...]))
        #expect(halves == spread)
    }

    @Test func `numbers of any size are counted without a trap`() {
        var spread = Spread([Int.max, Int.max, 0, -5, Int.max - 1])
        spread.add(spread)
        #expect(spread.sum == .max)
        #expect(spread.p50 > 1 << 60)
    }
}
