import JSON
import Linux
import TestKit
import Testing

/// The terminal of who calls the runtime.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(3))) struct CallerTerminalTests {
    /// Runs words on a terminal of 40 rows and 100 columns; when they say "ready" it becomes 50 by 120.
    private func onTerminal(_ words: [String]) async throws -> String {
        let program = """
            import fcntl, os, pty, struct, sys, termios
            size = lambda rows, columns: struct.pack("HHHH", rows, columns, 0, 0)
            pid, master = pty.fork()
            if pid == 0:
                fcntl.ioctl(0, termios.TIOCSWINSZ, size(40, 100))
                os.execv(sys.argv[1], sys.argv[1:])
            text, changed = b"", False
            while True:
                try: piece = os.read(master, 4096)
                except OSError: break
                if not piece: break
                text += piece
                if b"ready" in text and not changed:
                    changed = True
                    fcntl.ioctl(master, termios.TIOCSWINSZ, size(50, 120))
            os.waitpid(pid, 0)
            print(text.decode())
            """
        return try await CommandRunner.run(["python3", "-c", program] + words).text
    }

    @Test func `the program's terminal has the size of the caller's, and follows it`() async throws {
        let stage = try RuntimeStage()
        let script = "trap 'stty size; exit' WINCH; stty size; echo ready; while :; do busybox usleep 20000; done"
        try stage.configure(["sh", "-c", script]) { $0["process", "terminal"] = true }
        let run = try await onTerminal([
            stage.executable, "--root", stage.state, "run", "--bundle", stage.bundle, stage.id(),
        ])
        #expect(run.split(whereSeparator: \.isNewline) == ["40 100", "ready", "50 120"], "\(run)")
        let id = try await stage.sleeping("exec")
        let exec = try await onTerminal([
            stage.executable, "--root", stage.state, "exec", "--tty", id, "sh", "-c", script,
        ])
        #expect(exec.split(whereSeparator: \.isNewline) == ["40 100", "ready", "50 120"], "\(exec)")
    }

    @Test func `the terminal of a process that joins is its user's`() async throws {
        let stage = try RuntimeStage()
        let id = try await stage.sleeping()
        let words = [stage.executable, "--root", stage.state, "exec", "--tty", "--user", "1000:1000", id]
        let said = try await onTerminal(words + ["sh", "-c", "echo opened > $(tty)"])
        #expect(said.split(whereSeparator: \.isNewline) == ["opened"], "\(said)")
    }

    @Test func `CVE-2017-5226: a program cannot type into the terminal that it inherits`() async throws {
        let stage = try RuntimeStage()
        stage.addPython()
        // Its streams are the caller's terminal, which is not its own: it has a session without one.
        let attack =
            "import fcntl, termios; print(__import__('os').isatty(0)); fcntl.ioctl(0, termios.TIOCSTI, b'x'); print('typed')"
        try stage.configure(["/usr/bin/python3", "-c", attack]) { stage.bindPython(&$0) }
        let run = try await onTerminal([
            stage.executable, "--root", stage.state, "run", "--bundle", stage.bundle, stage.id(),
        ])
        #expect(run.contains("True") && run.contains("Error") && !run.contains("typed"), "\(run)")
        let id = try await stage.sleeping("exec") { stage.bindPython(&$0) }
        let exec = try await onTerminal([
            stage.executable, "--root", stage.state, "exec", id, "/usr/bin/python3", "-c", attack,
        ])
        #expect(exec.contains("True") && exec.contains("Error") && !exec.contains("typed"), "\(exec)")
    }
}
