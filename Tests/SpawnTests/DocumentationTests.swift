import Spawn
import Testing

/// The examples of Spawn.docc, word for word, with what they are said to do. They need no import but `Spawn`.
@Suite struct DocumentationTests {
    @Test func `run a program and collect what it writes`() async throws {
        let sort = try Template("sort", arguments: ["-n"])
        let result = try await sort.run(input: .bytes(Array("10\n9\n".utf8)))
        #expect(result.status.isSuccess)
        #expect(result.text == "9\n10\n")
    }

    @Test func `give it exactly what it needs`() async throws {
        var options = Options()
        options.environment = .exactly(["PATH": "/usr/bin:/bin", "TZ": "UTC"])
        options.directory = "/var/tmp"
        options.umask = 0o077
        options.limits = [ResourceLimit(.openFiles, soft: 64, hard: 64), ResourceLimit(.coreBytes, soft: 0, hard: 0)]
        options.noNewPrivileges = true
        options.group = .own
        let pricer = try Template("/bin/sh", arguments: ["-c", "umask; ulimit -n; pwd"], options: options)
        for _ in 0..<3 { #expect(try await pricer.run().text == "0077\n64\n/var/tmp\n") }
    }

    @Test func `talk to it`() async throws {
        let reply = try await Template("cat").withRunning(input: .pipe, output: .pipe) { program in
            try await program.standardInput?.write("hello\n")
            var output = program.standardOutput!.makeAsyncIterator()
            return try await output.next()
        }
        #expect(reply == Array("hello\n".utf8))
    }

    @Test func `bound its time`() async throws {
        let slow = try Template("sleep", arguments: ["1000"])
        let result = try await slow.run(timeout: .milliseconds(100), gracePeriod: .seconds(1))
        #expect(result.timedOut)
        #expect(result.status == .signaled(15, coreDumped: false))
    }

    @Test func `give it a terminal`() async throws {
        var options = Options()
        options.useTerminal(Terminal.Size(rows: 24, columns: 80))
        let shell = try Template("/bin/sh", arguments: ["-c", "stty size"], options: options)
        #expect(try await shell.run().text == "24 80\r\n")
    }
}
