import Linux
import Spawn
import TestKit
import Testing

@Suite struct TerminalTests {
    private func onTerminal(_ script: String, _ size: Terminal.Size = Terminal.Size(rows: 24, columns: 80)) throws
        -> Template
    {
        var options = Options()
        options.useTerminal(size)
        return try Template("/bin/sh", arguments: ["-c", script], options: options)
    }

    /// Reads until the text has come; what came before it and with it.
    private func read(_ output: inout ProgramOutput.Iterator, until text: String) async throws -> String {
        var seen = ""
        while !seen.contains(text) { seen += String(decoding: try #require(try await output.next()), as: UTF8.self) }
        return seen
    }

    @Test func `a terminal echoes, turns line ends, and ends cleanly`() async throws {
        let running = try onTerminal("read line; echo you said $line").start()
        #expect(running.standardError == nil)
        try await running.standardInput?.write("hello\n")
        var output = try #require(running.standardOutput).makeAsyncIterator()
        #expect(try await read(&output, until: "said hello\r\n") == "hello\r\nyou said hello\r\n")
        // The program's end is closed by all: EIO in the kernel, the end here.
        #expect(try await output.next() == nil)
        #expect(try await running.wait().status.isSuccess)
    }

    @Test func `it is the controlling terminal of a session of its own`() async throws {
        let text = try await onTerminal(
            "tty; set -- $(cat /proc/$$/stat); echo $(($6 == $$)) $(($7 != 0)) $(($8 == $$)); echo ok > /dev/tty"
        ).run().text
        let lines = text.split(separator: "\r\n")
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix("/dev/pts/"))
        #expect(lines[1] == "1 1 1")
        #expect(lines[2] == "ok")
    }

    @Test func `its size, at the start and after a resize`() async throws {
        let running = try onTerminal(
            "stty size; trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done",
            Terminal.Size(rows: 33, columns: 101)
        ).start()
        var output = try #require(running.standardOutput).makeAsyncIterator()
        #expect(try await read(&output, until: "ready").hasPrefix("33 101\r\n"))
        try running.resizeTerminal(to: Terminal.Size(rows: 50, columns: 132))
        #expect(try await read(&output, until: "132").contains("50 132"))
        _ = try await running.wait()
    }

    @Test func `finishing the input is the end of file for a program at a line's start`() async throws {
        let running = try onTerminal("cat; echo over").start()
        try await running.standardInput?.write("line\n")
        var output = try #require(running.standardOutput).makeAsyncIterator()
        _ = try await read(&output, until: "line\r\nline\r\n")
        try await running.standardInput?.finish()
        _ = try await read(&output, until: "over")
        #expect(try await running.wait().status.isSuccess)
    }

    @Test func `Control-C reaches the program as SIGINT`() async throws {
        let running = try onTerminal("echo ready; exec sleep 1000").start()
        var output = try #require(running.standardOutput).makeAsyncIterator()
        _ = try await read(&output, until: "ready")
        try await running.standardInput?.write([3])
        #expect(try await running.wait().status == .signaled(Signal.interrupt, coreDumped: false))
    }

    @Test func `standard error can be apart from the terminal`() async throws {
        let result = try await onTerminal("echo out; echo err >&2").run(error: .pipe)
        #expect(result.text == "out\r\n")
        #expect(result.errorText == "err\n")
    }

    @Test func `a program without a terminal has none to resize`() async throws {
        let running = try Template("true").start()
        #expect(throws: SpawnError.self) { try running.resizeTerminal(to: Terminal.Size(rows: 1, columns: 1)) }
        _ = try await running.wait()
    }
}
