import Glibc
import Linux
import TestKit
import Testing

@Suite struct EventuallyTests {
    @Test func `a condition that comes true ends the wait`() async throws {
        var looks = 0
        try await eventually {
            looks += 1
            return looks == 3
        }
        #expect(looks == 3)
    }

    @Test func `a condition that never comes true is named with its place`() async throws {
        let error = await #expect(throws: DeadlinePassed.self) {
            try await eventually(within: .milliseconds(5), "the moon") { false }
        }
        let text = "\(try #require(error))"
        #expect(text.hasPrefix("the moon at LinuxTests/TestKitTests.swift:"))
        #expect(text.contains("did not come about within 0.005 seconds"))
    }
}

@Suite struct ManualClockTests {
    @Test func `sleepers wake when their time has come and not before`() async throws {
        let clock = ManualClock()
        let woken = Woken()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for seconds in [3, 1, 2] {
                group.addTask {
                    try await clock.sleep(for: .seconds(seconds))
                    await woken.add(seconds)
                }
            }
            try await clock.untilSleeping(3)
            clock.advance(by: .seconds(1) - .nanoseconds(1))
            #expect(clock.sleeperCount == 3)
            clock.advance(by: .nanoseconds(1))
            #expect(clock.sleeperCount == 2)
            clock.advance(by: .seconds(2))
            try await group.waitForAll()
        }
        #expect(await woken.seconds.sorted() == [1, 2, 3])
        #expect(clock.now.sinceStart == .seconds(3))
    }

    private actor Woken {
        var seconds: [Int] = []
        func add(_ number: Int) { seconds.append(number) }
    }

    @Test func `a cancelled sleeper wakes at once`() async throws {
        let clock = ManualClock()
        let sleeper = Task { try await clock.sleep(for: .seconds(1)) }
        try await clock.untilSleeping()
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
        #expect(clock.sleeperCount == 0)
    }

    @Test func `a deadline in the past is no sleep`() async throws {
        let clock = ManualClock()
        clock.advance(by: .seconds(5))
        try await clock.sleep(until: .init(sinceStart: .seconds(5)))
    }
}

@Suite struct CommandRunnerTests {
    @Test func `output, errors and status are collected`() async throws {
        let outcome = try await CommandRunner.run(
            ["sh", "-c", "cat; echo bad >&2; exit 3"], input: Array("hello".utf8))
        #expect(outcome.text == "hello")
        #expect(outcome.errorText == "bad\n")
        #expect(outcome.status == .exited(3))
    }

    @Test func `a megabyte passes through in both directions`() async throws {
        let input = [UInt8](repeating: 7, count: 1 << 20)
        let outcome = try await CommandRunner.run(["cat"], input: input)
        #expect(outcome.output == input)
    }

    @Test func `a program that does not read its input is no harm`() async throws {
        let outcome = try await CommandRunner.run(["true"], input: [UInt8](repeating: 7, count: 1 << 20))
        #expect(outcome.status == .exited(0))
    }

    @Test func `the environment is the one given`() async throws {
        let outcome = try await CommandRunner.run(["/usr/bin/env"], environment: ["ONLY=this"])
        #expect(outcome.text == "ONLY=this\n")
    }

    @Test func `a program past its deadline is killed with its children`() async throws {
        let failure = await #expect(throws: CommandRunner.Failure.self) {
            try await CommandRunner.run(["sh", "-c", "echo $$; sleep 60 & wait"], within: .milliseconds(200))
        }
        let text = "\(try #require(failure))"
        #expect(text.contains("not over after 0.2 seconds, killed"))
    }

    @Test func `a program that is not there is named`() async throws {
        let failure = await #expect(throws: CommandRunner.Failure.self) {
            try await CommandRunner.run(["no-such-tool"])
        }
        #expect(
            "\(try #require(failure))" == "run no-such-tool: start no-such-tool: No such file or directory (ENOENT)")
    }
}

@Suite struct SnapshotTests {
    @Test func `equal text has no difference, other text has a readable one`() throws {
        let directory = try TemporaryDirectory("snapshot")
        let testFile = directory.path("Tests/SomeTests/SomeTests.swift")
        let old = (1...12).map { "line \($0)" }.joined(separator: "\n")
        try directory.write(old, to: "Tests/Snapshots/SomeTests/text.txt")
        #expect(try Snapshot.difference(of: old, from: "text.txt", testFile: testFile) == nil)
        let new = old.replacing("line 9", with: "line nine")
        let difference = try #require(try Snapshot.difference(of: new, from: "text.txt", testFile: testFile))
        let body = "  ...\n  line 6\n  line 7\n  line 8\n- line 9\n+ line nine\n  line 10\n  line 11\n  line 12"
        #expect(difference.hasSuffix(":\n" + body))
    }

    @Test func `a snapshot that is missing is a difference`() throws {
        let testFile = "/nowhere/Tests/SomeTests/SomeTests.swift"
        let difference = try #require(try Snapshot.difference(of: "x", from: "none.txt", testFile: testFile))
        #expect(difference.hasPrefix("there is no snapshot /nowhere/Tests/Snapshots/SomeTests/none.txt"))
    }
}
