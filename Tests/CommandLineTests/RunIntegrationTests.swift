import Linux
import TestKit
import Testing

@testable import CommandLine

/// `forkless run` as it is built, without a node and with one.
@Suite(.serialized, .enabled(if: isRoot)) struct RunIntegrationTests {
    private static let statuses: [(arguments: [String], status: Int32)] = [
        (["true"], 0), (["sh", "-c", "exit 42"], 42), (["no-such-program"], 127), (["/etc/passwd"], 126),
        (["--rung", "process", "sh", "-c", "kill -USR1 $$"], 138), (["--user", "nobody-here", "true"], 125),
        (["--root", "/no/such/root", "true"], 125), (["--bogus", "true"], 125), ([], 125), (["-d", "true"], 125),
        (["--rung", "function", "true"], 125),
    ]

    @Test(arguments: statuses)
    func `the status of run is the program's, or Docker's for what is not the program's`(
        arguments: [String], status: Int32
    ) async throws {
        let forkless = try TestForkless()
        let outcome = try await forkless.call(["run"] + arguments)
        #expect(outcome.status == .exited(status), "\(outcome.errorText)")
        // Whatever is our own failure says so; the program's own status is not commented on.
        let isOurs = status == 125 || status == 126 || status == 127
        #expect(outcome.errorText.isEmpty != isOurs)
    }

    @Test func `the program has our streams, and nothing of ours is added`() async throws {
        let forkless = try TestForkless()
        let outcome = try await forkless("run", "-i", "sh", "-c", "cat; echo done >&2", input: "one\ntwo")
        #expect(outcome.text == "one\ntwo")
        #expect(outcome.errorText == "done\n")
    }

    @Test func `without -i standard input is empty`() async throws {
        let forkless = try TestForkless()
        #expect(try await forkless("run", "cat", input: "unread").text == "")
    }

    @Test func `environment, directory, user, host name and mounts are as asked`() async throws {
        let forkless = try TestForkless()
        try Files.makeDirectories(forkless.path("in"))
        try Files.replace(forkless.path("in/f"), with: Array("content\n".utf8), mode: 0o644)
        let outcome = try await forkless.call([
            "run", "-e", "A=1", "-w", "/in", "-u", "nobody", "-h", "box", "-v", "\(forkless.path("in")):/in:ro", "sh", "-c",
            "echo $A; pwd; id -un; hostname; cat f; touch /in/g || echo read-only",
        ])
        #expect(outcome.text == "1\n/in\nnobody\nbox\ncontent\nread-only\n", "\(outcome.errorText)")
    }

    @Test func `a program killed for its memory says so`() async throws {
        let forkless = try TestForkless()
        let outcome = try await forkless.call([
            "run", "--memory", "20m", "--tmpfs", "/t:size=500m", "dd", "if=/dev/zero", "of=/t/x", "bs=1M", "count=100",
        ])
        #expect(outcome.status == .exited(137))
        #expect(outcome.errorText.contains("limit on memory"))
    }

    @Test func `run without a node leaves nothing behind`() async throws {
        var scope = Census.Scope(only: [.file, .cgroup])
        scope.cgroupPrefix = "forkless-run"
        scope.places = [.init(directory: "/tmp", prefix: "forkless-run-")]
        let before = await Census.take(scope)
        let forkless = try TestForkless()
        _ = try await forkless("run", "sh", "-c", "sleep 600 & exit 3")
        #expect(await Census.settled(since: before) == [])
    }

    @Test(arguments: ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2"])
    func `signals reach the program`(name: String) async throws {
        let forkless = try TestForkless()
        let (said, number) = (forkless.path("said"), forkless.path("number"))
        let script = "trap 'echo got \(name); exit 5' \(name); echo ready; while :; do sleep 0.02; done"
        // The shell becomes forkless, which alone gets the signal, and not before the program is ready for it.
        let line = "echo $$ >\(number); exec \(forkless.executable) run sh -c \"$0\" >\(said)"
        let running = Task {
            try await CommandRunner.run(["sh", "-c", line, script], environment: forkless.environment)
        }
        try await eventually(within: .seconds(50), "the program is ready") {
            (try? Files.readText(said)) == "ready"
        }
        let pid = try #require(Int32(try Files.readText(number).split(separator: "\n").joined()))
        try ProcessFD(pid: pid).signal(try SignalFlag.parse(name, flag: "--signal"))
        let outcome = try await running.value
        #expect(try Files.readText(said) == "ready\ngot \(name)", "\(outcome.errorText)")
        #expect(outcome.status == .exited(5))
    }

    @Test func `a terminal works, is resized, and is as it was after -it`() async throws {
        let forkless = try TestForkless()
        let script = "stty -g > \(forkless.path("before")); "
            + "\(forkless.executable) run -it -e 'PS1=ready> ' sh; echo \"status $?\"; stty -g > \(forkless.path("after"))"
        let terminal = try TestTerminal(
            ["sh", "-c", script], environment: forkless.environment, size: .init(rows: 31, columns: 101))
        try await terminal.read(until: "ready> ")
        try terminal.type("stty size; tty\n")
        #expect(try await terminal.read(until: "/dev/pts/").contains("31 101"))
        try terminal.resize(.init(rows: 40, columns: 120))
        try await eventually("the program has the new size") {
            try terminal.type("stty size\n")
            return try await terminal.read(until: "ready> ").contains("40 120")
        }
        // Ctrl-C is a key like any other: it ends what runs inside, not the session.
        try terminal.type("echo 'a'sleep; sleep 600\n")
        try await terminal.read(until: "asleep\r\n")
        try await terminal.interrupt(until: "ready> ")
        try terminal.type("echo last words; exit 9\n")
        #expect(try await terminal.read(until: "status 9").contains("last words\r\n"))
        _ = try await terminal.end()
        #expect(try Files.readText(forkless.path("before")) == Files.readText(forkless.path("after")))
    }

    @Test func `a terminal shows everything the program wrote`() async throws {
        let forkless = try TestForkless()
        let terminal = try TestTerminal(
            [forkless.executable, "run", "-t", "sh", "-c", "seq 1 20000; echo the end"], environment: forkless.environment,
            size: .init(rows: 24, columns: 80))
        let text = try await terminal.read(until: "the end")
        #expect(try await terminal.end() == .exited(0))
        let numbers = text.split(whereSeparator: \.isNewline).compactMap { Int($0) }
        #expect(numbers == Array(1...20000))
    }

    @Test func `-it without a terminal is refused`() async throws {
        let forkless = try TestForkless()
        let outcome = try await forkless("run", "-it", "true")
        #expect(outcome.status == .exited(125))
        #expect(outcome.errorText == "forkless: -it: standard input is no terminal. Leave -t out.\n")
    }
}
