import Linux
import Observation
import TestKit
import Testing

@testable import CommandLine

@Suite struct ObserveTests {
    @Test(arguments: [
        ("500ms", 500), ("30s", 30_000), ("90", 90_000), ("5m", 300_000), ("2h", 7_200_000), ("1d", 86_400_000),
    ])
    func `a span of time is a number and a unit`(_ text: String, _ milliseconds: Int) throws {
        #expect(try DurationFlag.parse(text, flag: "--for") == .milliseconds(milliseconds))
    }

    @Test(arguments: ["", "0", "0s", "-1s", "1.5s", "5 m", "5x", "s", "99999999999999999999", "9999999999999d"])
    func `what is no span of time is refused`(_ text: String) {
        #expect(throws: FlagError.self) { try DurationFlag.parse(text, flag: "--for") }
    }

    private func board(_ calls: Int) -> ProgramsBoard {
        var program = RecordedProgram(.path("/usr/local/bin/score"))
        program.calls = calls
        program.callsPerSecond = 2.5
        program.callers = [
            RecordedProgram.Caller(
                program: "/usr/sbin/cron", calls: calls, residentBytes: Spread([8 << 30]), withoutFork: 0)
        ]
        program.forkToExec = Spread([250_000_000])
        program.lifetime = Spread([3_000_000])
        program.exits = [.exited(0): calls - 1, .exited(1): 1]
        program.origins = [0: calls]
        let origin = ProgramOrigin(
            kind: .cron, file: "/etc/crontab", line: 7, name: "/etc/crontab", schedule: "* * * * *", command: "score")
        return ProgramsBoard(
            programs: [program], origins: [origin], processes: calls, calls: calls, nanoseconds: 4_000_000_000)
    }

    @Test func `a program is a row with its caller, sizes, times and origin`() {
        let text = board(10).listing(limit: 10, width: 200).text(width: 200)
        let row = text.split(separator: "\n").last!.split(separator: " ", omittingEmptySubsequences: true).joined(
            separator: " ")
        #expect(
            row == "/usr/local/bin/score 10 2.50 cron 8 GiB 250 ms 3.0 ms 3.0 ms – – 1 cron /etc/crontab:7"
                || row.hasPrefix("/usr/local/bin/score 10 2.50 cron 8"))
        #expect(row.hasSuffix("1 cron /etc/crontab:7"))
        #expect(board(1).headline == "1 call of 1 program, 1 process, in 4.0 s")
    }

    @Test(arguments: [60, 80, 100, 160, 250])
    func `the table fits the terminal or becomes records`(_ width: Int) {
        let text = board(1_234_567).listing(limit: 10, width: width).text(width: width)
        #expect(text.contains("score"))
        #expect(text.contains("1,234,567"))
    }

    @Test func `losses are sentences, and none when nothing was lost`() {
        #expect(LossText.lines(RecordingLosses()).isEmpty)
        var losses = RecordingLosses()
        losses.eventOverruns = 2
        losses.argumentsMissed = 1_000
        #expect(LossText.lines(losses).count == 2)
        #expect(LossText.lines(losses)[1].hasPrefix("1,000 calls"))
    }

    @Test func `a line of a process moves no cursor`() {
        let process = RecordedProcess(
            number: 1, pid: 7, parent: RecordedParent(pid: 1, program: "/bin/sh"),
            execs: [RecordedExec(at: 1_500_000_000, program: "/bin/a\u{1B}[2J", arguments: ["a", "x\ny"])],
            exit: RecordedExit(at: 1_501_000_000, status: .signaled(9, coreDumped: false)))
        let line = ProcessLine.text(process)
        #expect(!line.contains("\u{1B}") && !line.contains("\n"))
        #expect(line.contains("1.500000"))
        #expect(line.contains("killed by SIGKILL"))
    }
}

/// `forkless observe` as it is built.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(5))) struct ObserveIntegrationTests {
    private func recording(_ forkless: TestForkless, _ arguments: [String]) async throws -> (
        CommandRunner.Outcome, Recording
    ) {
        let file = forkless.path("recording-\(UInt32.random(in: 0...UInt32.max))")
        let outcome = try await forkless.call(["observe", "-o", file] + arguments)
        return (outcome, try RecordingFile.read(file))
    }

    private static let statuses: [(arguments: [String], status: Int32)] = [
        (["--quiet", "--", "true"], 0), (["--quiet", "--", "sh", "-c", "exit 42"], 42),
        (["--", "no-such-program"], 127),
        (["--", "/etc/passwd"], 126), (["--quiet", "--", "sh", "-c", "kill -USR1 $$"], 138), (["--deep"], 125),
        (["--quiet"], 125), (["--for", "x"], 125), (["--for", "1s", "--", "true"], 125), (["--show", "/no/such"], 125),
        (["--show", "/etc/passwd"], 125), (["--import", "/etc/passwd"], 1), (["--bogus"], 125),
    ]

    @Test(arguments: statuses)
    func `the status is the command's, or says what was wrong`(_ arguments: [String], _ status: Int32) async throws {
        let outcome = try await TestForkless().call(["observe"] + arguments)
        #expect(outcome.status == .exited(status), "\(outcome.errorText)")
        let isOurs = [1, 125, 126, 127].contains(status)
        #expect(outcome.errorText.isEmpty != isOurs)
    }

    @Test func `a command has our streams, and its subtree is recorded`() async throws {
        let forkless = try TestForkless()
        let file = forkless.path("recording")
        let outcome = try await forkless(
            "observe", "-o", file, "--", "sh", "-c", "cat; for i in 1 2 3; do /bin/true $i; done; echo done >&2",
            input: "one\ntwo")
        #expect(outcome.text == "one\ntwo")
        #expect(outcome.errorText.hasPrefix("done\n"))
        #expect(outcome.errorText.contains("5 calls of 3 programs"))
        let recording = try RecordingFile.read(file)
        #expect(recording.header.mode == .subtree)
        #expect(
            recording.processes.flatMap(\.execs).compactMap(\.arguments).filter { $0.first == "/bin/true" }.count == 3)
        let shown = try await forkless("observe", "--show", file)
        #expect(shown.text.contains("/usr/bin/true"))
        #expect(try await forkless("observe", "--show", file, "--output", "json").text.contains("\"callsPerSecond\""))
    }

    @Test func `the depth is recorded`() async throws {
        let (outcome, recording) = try await recording(TestForkless(), ["--deep", "--", "cat", "/etc/hostname"])
        #expect(outcome.status == .exited(0))
        #expect(recording.header.mode == .deep)
        let files = try #require(recording.processes.first?.deep?.files)
        #expect(files.contains(FileUse(path: "/etc/hostname", actions: [.read])))
    }

    @Test func `a signal to us reaches the command`() async throws {
        let forkless = try TestForkless()
        let outcome = try await forkless.call([
            "observe", "--quiet", "--", "sh", "-c",
            "trap 'echo got; exit 3' TERM; kill -TERM $PPID; while :; do sleep 0.05; done",
        ])
        #expect(outcome.text == "got\n")
        #expect(outcome.status == .exited(3))
    }

    @Test func `the machine is observed for a time, as lines and as JSON`() async throws {
        let forkless = try TestForkless()
        let marker = "0.2317"
        // Again and again, since nobody says when observing has begun.
        let sleeping = Task { while !Task.isCancelled { _ = try await CommandRunner.run(["sleep", marker]) } }
        defer { sleeping.cancel() }
        let (lines, recording) = try await self.recording(forkless, ["--for", "3s"])
        sleeping.cancel()
        try await sleeping.value
        #expect(lines.status == .exited(0))
        #expect(lines.text.contains("sleep \(marker)"))
        #expect(lines.text.contains("PROGRAM"))
        #expect(recording.ending?.reason == .timeOver)
        #expect(recording.processes.contains { $0.execs.last?.arguments == ["sleep", marker] })
    }

    @Test func `on a terminal a table is updated in place, and Ctrl-C writes the recording`() async throws {
        let forkless = try TestForkless()
        let file = forkless.path("recording")
        let terminal = try TestTerminal(
            [forkless.executable, "observe", "-o", file], environment: forkless.environment,
            size: Terminal.Size(rows: 60, columns: 120))
        try await terminal.read(until: "calls of")
        _ = try await CommandRunner.run(["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do /bin/sleep 0.05; done"])
        try await terminal.read(until: "/usr/bin/sleep")
        try await terminal.interrupt(until: "recorded in")
        _ = try await terminal.end()
        let recording = try RecordingFile.read(file)
        #expect(recording.ending?.reason == .interrupted)
        #expect(recording.programs.contains { $0.identity == .path("/usr/bin/sleep") && $0.calls >= 9 })
    }

    @Test func `a recording that was cut off is shown when that is asked for`() async throws {
        let forkless = try TestForkless()
        let (_, _) = try await recording(forkless, ["--quiet", "--", "true"])
        let file = forkless.path("whole")
        _ = try await forkless("observe", "--quiet", "-o", file, "--", "sh", "-c", "/bin/true; /bin/true")
        let bytes = try Files.read(file)
        let cut = forkless.path("cut")
        try Files.replace(cut, with: Array(bytes.dropLast(40)))
        let refused = try await forkless("observe", "--show", cut)
        #expect(refused.status == .exited(125))
        #expect(refused.errorText.contains("cut off"))
        let accepted = try await forkless("observe", "--show", cut, "--accept-cut-off")
        #expect(accepted.status == .exited(0))
        #expect(accepted.text.contains("The recording is cut off."))
    }

    @Test func `observing leaves nothing behind`() async throws {
        let before = await Census.take()
        let forkless = try TestForkless()
        _ = try await forkless("observe", "--quiet", "--", "sh", "-c", "true & true")
        _ = try await forkless("observe", "--for", "300ms")
        let left = await Census.settled(since: before).filter { !$0.contains("forkless-cli") }
        #expect(left == [])
    }
}
