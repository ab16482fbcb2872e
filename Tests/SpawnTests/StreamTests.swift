import Linux
import Spawn
import TestKit
import Testing

@Suite struct StreamTests {
    @Test func `run collects both streams and the status`() async throws {
        let shell = try Template("/bin/sh", arguments: ["-c", "echo out; echo err >&2; exit 3"])
        let result = try await shell.run()
        #expect(result.text == "out\n")
        #expect(result.errorText == "err\n")
        #expect(result.status == .exited(3))
        #expect(!result.timedOut)
        #expect(result.usage.peakResidentBytes > 0)
    }

    @Test func `standard error can join standard output`() async throws {
        let shell = try Template("/bin/sh", arguments: ["-c", "echo one; echo two >&2; echo three"])
        #expect(try await shell.run(error: .standardOutput).text == "one\ntwo\nthree\n")
    }

    @Test func `bytes are the whole input, of any length`() async throws {
        let cat = try Template("cat")
        #expect(try await cat.run(input: .bytes([])).output == [])
        let long = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        #expect(try await cat.run(input: .bytes(long)).output == long)
    }

    @Test func `null is empty to read and swallows what is written`() async throws {
        let result = try await Template("/bin/sh", arguments: ["-c", "cat; echo lost"]).run(input: .null, output: .null)
        #expect(result.status.isSuccess)
        #expect(result.output == [])
    }

    @Test func `a descriptor of the caller's is the stream`() async throws {
        var pipe = try Files.pipe()
        let writer = pipe.takeWriter()
        let reader = pipe.takeReader()
        let echo = try Template("echo", arguments: ["through the pipe"])
        #expect(try await echo.run(output: .descriptor(writer.raw)).status.isSuccess)
        writer.close()
        #expect(String(decoding: try Files.readAll(reader.raw), as: UTF8.self) == "through the pipe\n")
    }

    @Test func `a conversation through pipes`() async throws {
        let cat = try Template("cat")
        let running = try cat.start(input: .pipe, output: .pipe)
        var output = try #require(running.standardOutput).makeAsyncIterator()
        let input = try #require(running.standardInput)
        for round in 1...20 {
            try await input.write("line \(round)\n")
            #expect(try await output.next() == Array("line \(round)\n".utf8))
        }
        try await input.finish()
        #expect(try await output.next() == nil)
        #expect(try await running.wait().status.isSuccess)
        let error = await #expect(throws: SpawnError.self) { try await input.write("more") }
        #expect(error?.description.contains("It was finished before") == true)
    }

    @Test func `writing to a program that has closed its input is an error and no signal`() async throws {
        let running = try Template("true").start(input: .pipe)
        _ = try await running.wait()
        let error = await #expect(throws: SpawnError.self) { try await running.standardInput?.write("too late") }
        #expect(error?.code == .brokenPipe)
        #expect(error?.description.contains("The program has ended or closed its input") == true)
    }

    @Test func `a slow reader holds a flood back and its own memory stays flat`() async throws {
        let flood = try Template("/bin/sh", arguments: ["-c", "exec head -c 300000000 /dev/zero"])
        let running = try flood.start(output: .pipe)
        var output = try #require(running.standardOutput).makeAsyncIterator()
        var count = try await #require(output.next()).count
        // Left unread, the program fills the pipe and waits in its write: nobody reads on behind our back.
        try await eventually("the program waits") { try Files.readText("/proc/\(running.pid)/wchan").contains("pipe") }
        let before = try residentBytes()
        while let chunk = try await output.next() {
            #expect(chunk.count <= ProgramOutput.chunkBytesLimit)
            count += chunk.count
        }
        #expect(count == 300_000_000)
        #expect(try residentBytes() - before < 50 << 20)
        #expect(try await running.wait().status.isSuccess)
    }

    @Test func `a reader that stops early ends the program by SIGPIPE`() async throws {
        let running = try Template("yes").start(output: .pipe)
        let output = try #require(running.standardOutput)
        var iterator = output.makeAsyncIterator()
        _ = try await iterator.next()
        output.close()
        #expect(try await running.wait().status == .signaled(Signal.pipe, coreDumped: false))
        #expect(try await iterator.next() == nil)
    }

    @Test func `a program that writes more than the limit is killed and the error says so`() async throws {
        let error = await #expect(throws: SpawnError.self) { try await Template("yes").run(outputBytesLimit: 100_000) }
        #expect(error?.code == .messageTooLong)
        #expect(error?.description.contains("longer than 100000 bytes") == true)
        let exact = try Template("head", arguments: ["-c", "100000", "/dev/zero"])
        #expect(try await exact.run(outputBytesLimit: 100_000).output.count == 100_000)
        await #expect(throws: SpawnError.self) { try await exact.run(outputBytesLimit: 99_999) }
    }

    @Test func `cancelling a reader loses nothing`() async throws {
        let running = try Template("cat").start(input: .pipe, output: .pipe)
        let output = try #require(running.standardOutput)
        let waiting = Task {
            var iterator = output.makeAsyncIterator()
            return try await iterator.next()
        }
        await Task.yield()
        waiting.cancel()
        let error = await #expect(throws: SpawnError.self) { try await waiting.value }
        #expect(error?.code == .canceled)
        try await running.standardInput?.write("kept")
        var iterator = output.makeAsyncIterator()
        #expect(try await iterator.next() == Array("kept".utf8))
        try await running.standardInput?.finish()
        _ = try await running.wait()
    }

    private func residentBytes() throws -> Int {
        Int(try Files.readText("/proc/self/statm").split(separator: " ")[1])! * 4096
    }
}
