import Linux
import TestKit
import Testing

@testable import Observation

@Suite struct StraceTests {
    private func read(_ text: String) -> StraceImport.Outcome {
        StraceImport.read(name: "trace", now: Timestamp(nanoseconds: 0), writer: "test") { take in
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) { take(line) }
        }
    }

    private static let trace = """
        100 1700000000.000000 execve("/bin/sh", ["sh", "-c", "a \\"b\\"\\n"], 0x7ffd0 /* 3 vars */) = 0
        100 1700000000.100000 vfork( <unfinished ...>
        101 1700000000.150000 execve("/bin/ls", ["ls", "/tmp"], ["A=1", "B=2"] <unfinished ...>
        100 1700000000.200000 <... vfork resumed>) = 101
        101 1700000000.210000 <... execve resumed>) = 0
        101 1700000000.220000 openat(AT_FDCWD</srv>, "x/../y", O_RDONLY|O_CLOEXEC) = 3</srv/y>
        101 1700000000.230000 openat(AT_FDCWD</srv>, "gone", O_RDONLY) = -1 ENOENT (No such file or directory)
        101 1700000000.235000 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 4<TCP:[123]>
        101 1700000000.240000 connect(4<TCP:[123]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0.0.1")}, 16) = 0
        101 1700000000.250000 exit_group(2)     = ?
        101 1700000000.260000 +++ exited with 2 +++
        100 1700000000.300000 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=101} ---
        100 1700000000.400000 +++ killed by SIGSEGV (core dumped) +++
        """

    @Test func `a trace becomes a recording`() throws {
        let outcome = read(Self.trace)
        #expect(outcome.badLines.isEmpty)
        #expect(outcome.recording.header.hasTimes)
        #expect(outcome.recording.header.start == Timestamp(nanoseconds: 1_700_000_000_000_000_000))
        let processes = outcome.recording.processes
        #expect(processes.map(\.pid) == [101, 100])
        let child = processes[0]
        #expect(child.parent.number == processes[1].number)
        #expect(child.execs.map(\.program) == ["/bin/ls"])
        #expect(child.execs[0].arguments == ["ls", "/tmp"])
        #expect(child.exit == RecordedExit(at: 260_000_000, status: .exited(2)))
        #expect(child.fork == 150_000_000)
        #expect(processes[1].execs[0].arguments == ["sh", "-c", "a \"b\"\n"])
        #expect(processes[1].exit?.status == .signaled(11, coreDumped: true))
        let deep = try #require(child.deep)
        #expect(deep.files.contains(FileUse(path: "/srv/y", actions: [.read])))
        #expect(deep.files.contains(FileUse(path: "/srv/gone", actions: [.missing])))
        #expect(deep.sockets == [SocketUse(family: "inet", type: "stream", address: "10.0.0.1:80", action: .connect)])
        #expect(deep.environmentGiven == ["A", "B"])
        #expect(throws: Never.self) { try RecordingReader.read(RecordingEncoder.bytes(outcome.recording)) }
    }

    @Test func `a call that was interrupted in the trace counts once`() {
        let programs = read(Self.trace).recording.programs
        #expect(programs.map(\.identity.text) == ["/bin/ls", "/bin/sh"])
        #expect(programs.map(\.calls) == [1, 1])
    }

    @Test(arguments: [
        "[pid  7] 12:30:59.000001 close(3) = 0", "7 12:30:59 close(3) = 0", "     0.000123 close(3) = 0",
        "7 1700000000.000001 (+     0.000001) close(3)                = 0", "close(3) = -1 EBADF (Bad file descriptor)",
        "7 close(3</a\\76b>) = 0 <0.000010>", "strace: Process 7 attached", "[pid 7] --- SIGINT {si_signo=SIGINT} ---",
        "7 +++ superseded by execve in pid 9 +++", "7 <... close resumed>)        = 0", "7 pause( <unfinished ...>",
        "7 mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f82daa04000",
        "7 write(1, \"a) = 3\\n\", 7) = 7", "7 exit_group(0) = ?", "",
    ])
    func `every form of line is read`(_ line: String) {
        #expect(StraceScanner.line(Substring(line)) != nil)
    }

    @Test func `what is no line of strace is counted and named`() {
        let outcome = read(Self.trace + "\nhello\n100 garbage\n" + "close(3\n")
        #expect(outcome.badLines.map(\.number) == [14, 15, 16])
        #expect(outcome.badLines.first?.text == "hello")
        #expect(outcome.recording.ending?.losses.badLines == 3)
    }

    @Test func `a trace without times has none`() {
        let text = Self.trace.split(separator: "\n").map { line in
            line.split(separator: " ", maxSplits: 2).enumerated().filter { $0.offset != 1 }.map(\.element).joined(
                separator: " ")
        }.joined(separator: "\n")
        let recording = read(text).recording
        #expect(!recording.header.hasTimes)
        #expect(
            recording.programs.allSatisfy { $0.lifetime.isEmpty && $0.forkToExec.isEmpty && $0.callsPerSecond == 0 })
        #expect(recording.programs.map(\.calls) == [1, 1])
    }

    @Test func `times go on after midnight`() {
        let recording = read(
            """
            execve("/bin/a", ["a"], 0x1 /* 1 var */) = 0
            23:59:59.500000 execve("/bin/b", ["b"], 0x1 /* 1 var */) = 0
            00:00:00.500000 execve("/bin/c", ["c"], 0x1 /* 1 var */) = 0
            """
        ).recording
        #expect(recording.processes[0].execs.last?.at == 1_000_000_000)
    }

    @Test func `arguments that strace cut are missing and counted`() {
        let recording = read("execve(\"/bin/a\", [\"a\", \"long\"...], 0x1 /* 1 var */) = 0").recording
        #expect(recording.processes[0].execs[0].arguments == nil)
        #expect(recording.ending?.losses.argumentsMissed == 1)
    }

    @Test func `no bytes make the reader of traces trap`() {
        var chance = SeededChance(seed: 9)
        let pieces = [
            "\"", "\\", "<", ">", "[", "]", "(", ")", "{", "}", "=", " ", "99999999999999999999", "...", "\n", ",",
            "\\x", "\\7",
        ]
        for _ in 0..<3000 {
            var text = Array(Self.trace)
            for _ in 0...Int.random(in: 0..<6, using: &chance) {
                let at = text.indices.randomElement(using: &chance)!
                if Bool.random(using: &chance) { text.remove(at: at) }
                text.insert(contentsOf: Array(pieces.randomElement(using: &chance)!), at: min(at, text.count))
            }
            let recording = read(String(text)).recording
            #expect(throws: Never.self, "\(chance)") { try RecordingReader.read(RecordingEncoder.bytes(recording)) }
            _ = recording.programs
        }
    }

    @Test(
        .enabled(if: CommandRunner.find("strace") != nil),
        arguments: [["-ttt", "-y"], ["-tt"], ["-r"], [], ["-ttt", "-s", "4096", "-v"]])
    func `what strace really writes is read`(_ flags: [String]) async throws {
        let place = try TemporaryDirectory()
        let file = place.path("trace")
        let script =
            "cd \(place.path); ls gone; (echo x > made) & wait; cat made; mv made moved; rm moved; exec sh -c 'kill -9 $$'"
        let run = try await CommandRunner.run(["strace", "-f", "-o", file] + flags + ["sh", "-c", script])
        #expect(run.text == "x\n")
        let outcome = try StraceFile.read(file, now: Clock.now(), writer: "test")
        #expect(outcome.badLines == [])
        let recording = outcome.recording
        #expect(throws: Never.self) { try RecordingReader.read(RecordingEncoder.bytes(recording)) }
        let names = Set(recording.programs.map { String($0.identity.text.split(separator: "/").last!) })
        #expect(names.isSuperset(of: ["sh", "ls", "cat", "mv", "rm"]), "\(names)")
        // The subshell executed nothing.
        #expect(recording.programs.contains { $0.forksWithoutExec == 1 })
        let files = recording.processes.compactMap(\.deep).flatMap(\.files)
        func actions(_ path: String) -> Set<FileUse.Action> { Set(files.filter { $0.path == path }.flatMap(\.actions)) }
        #expect(actions(place.path("made")).isSuperset(of: [.create, .truncate, .write, .read, .renamedFrom]))
        #expect(actions(place.path("moved")).isSuperset(of: [.renamedTo, .unlink]))
        #expect(recording.processes.contains { $0.exit?.status == .signaled(9, coreDumped: false) })
    }
}
