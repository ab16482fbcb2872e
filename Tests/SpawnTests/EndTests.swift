import Linux
import Spawn
import Synchronization
import TestKit
import Testing

@Suite struct EndTests {
    private func shell(_ script: String, _ change: (inout Options) -> Void = { _ in }) throws -> Template {
        var options = Options()
        change(&options)
        return try Template("/bin/sh", arguments: ["-c", script], options: options)
    }

    @Test func `statuses and signals are told apart`() async throws {
        #expect(try await shell("exit 0").start().wait().status == .exited(0))
        #expect(try await shell("exit 255").start().wait().status == .exited(255))
        #expect(
            try await shell("kill -TERM $$").start().wait().status == .signaled(Signal.terminate, coreDumped: false))
    }

    @Test func `many tasks wait for one program and all learn of its end`() async throws {
        let running = try Template("cat").start(input: .pipe)
        let records = try await withThrowingTaskGroup(of: ExitRecord.self) { group in
            for _ in 0..<100 { group.addTask { try await running.wait() } }
            try await running.standardInput?.finish()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(records.count == 100)
        #expect(Set(records).count == 1)
        #expect(try running.waitBlocking() == records[0])
    }

    @Test func `a killed child is reaped exactly once`() async throws {
        let running = try Template("sleep", arguments: ["1000"]).start()
        #expect(try running.exitIfEnded() == nil)
        try running.signal(Signal.kill)
        #expect(try await running.wait().status == .signaled(Signal.kill, coreDumped: false))
        #expect(!Files.exists("/proc/\(running.pid)"))
        #expect(try await running.wait().status == .signaled(Signal.kill, coreDumped: false))
    }

    @Test func `a signal after the end reaches nobody`() async throws {
        let running = try Template("true").start()
        _ = try await running.wait()
        try running.signal(Signal.kill)
        try running.killTree()
        #expect(try await running.stop().status == .exited(0))
    }

    @Test func `a cancelled wait leaves the program running`() async throws {
        let running = try Template("cat").start(input: .pipe)
        let task = Task { try await running.wait() }
        await Task.yield()
        task.cancel()
        let error = await #expect(throws: SpawnError.self) { try await task.value }
        #expect(error?.code == .canceled)
        try await running.standardInput?.finish()
        #expect(try await running.wait().status == .exited(0))
    }

    @Test func `a program that nobody holds any more goes on, and is reaped`() async throws {
        var pipe = try Files.pipe()
        let reader = pipe.takeReader()
        let writer = pipe.takeWriter()
        let pid = try shell("read line; echo said $line >&2").start(input: .descriptor(reader.raw), error: .null).pid
        #expect(Files.exists("/proc/\(pid)"))
        try Files.writeAll(Array("hello\n".utf8), to: writer.raw)
        try await eventually("the program is gone, not a zombie") { !Files.exists("/proc/\(pid)") }
    }

    @Test func `a grandchild that keeps standard output open does not delay the end`() async throws {
        let result = try await shell("echo $$; (trap '' HUP; exec sleep 1000) & echo $!").run()
        #expect(result.status == .exited(0))
        let lines = result.text.split(separator: "\n").map { Int32($0)! }
        #expect(lines.count == 2)
        // It is still there: nothing waited for it and nothing killed it.
        let left = try ProcessFD(pid: lines[1])
        try left.signal(Signal.kill)
    }

    @Test func `what was written before the end is collected to the last byte, whoever keeps the pipe open`()
        async throws
    {
        let result = try await shell("head -c 60000 /dev/zero; sleep 1000 & echo $! >&2").run()
        #expect(result.output.count == 60000)
        try ProcessFD(pid: Int32(result.errorText.dropLast())!).signal(Signal.kill)
    }

    @Test func `a grandchild that writes for ever does not keep run from returning`() async throws {
        let result = try await shell("yes & echo $! >&2; sleep 0.02").run(outputBytesLimit: 16 << 30)
        #expect(result.status == .exited(0))
        // Nobody reads any more, so that it may have ended by SIGPIPE and been reaped already.
        try? ProcessFD(pid: Int32(result.errorText.dropLast())!).signal(Signal.kill)
    }

    @Test func `a program that minds SIGTERM ends gracefully`() async throws {
        let running = try shell("trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done").start(
            output: .pipe)
        var output = try #require(running.standardOutput).makeAsyncIterator()
        #expect(try await output.next() == Array("ready\n".utf8))
        #expect(try await running.stop().status == .exited(7))
        #expect(try await output.next() == Array("bye\n".utf8))
    }

    @Test func `a program that ignores SIGTERM is forced`() async throws {
        let running = try shell("trap '' TERM; echo ready; while :; do sleep 0.01; done").start(output: .pipe)
        var output = try #require(running.standardOutput).makeAsyncIterator()
        _ = try await output.next()
        #expect(
            try await running.stop(gracePeriod: .milliseconds(50)).status == .signaled(Signal.kill, coreDumped: false))
    }

    @Test func `a stop in a cancelled task forces the end at once and still waits for it`() async throws {
        let running = try shell("trap '' TERM; echo ready; while :; do sleep 0.01; done").start(output: .pipe)
        var output = try #require(running.standardOutput).makeAsyncIterator()
        _ = try await output.next()
        let stop = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await running.stop(gracePeriod: .seconds(1000))
        }
        #expect(try await stop.value.status == .signaled(Signal.kill, coreDumped: false))
    }

    @Test func `a timeout stops the program with its tree and says so`() async throws {
        // Time enough for the shell to set its trap and to say so, whatever else the machine does.
        let result = try await shell("trap '' TERM; echo started $$; sleep 1000 & wait; sleep 1000")
            .run(timeout: .seconds(3), gracePeriod: .milliseconds(50))
        #expect(result.timedOut)
        #expect(result.status == .signaled(Signal.kill, coreDumped: false))
        #expect(result.text.hasPrefix("started "))
        let quick = try await shell("echo done").run(timeout: .seconds(1000))
        #expect(!quick.timedOut)
        #expect(quick.text == "done\n")
    }

    @Test func `a cancelled run kills the program and its tree`() async throws {
        let directory = try TemporaryDirectory("spawn")
        let pids = directory.path("pids")
        let template = try shell("sleep 1000 & echo $$ $! > \(pids).new; mv \(pids).new \(pids); wait")
        let task = Task { try await template.run() }
        try await eventually("the tree is there") { Files.exists(pids) }
        task.cancel()
        let error = await #expect(throws: SpawnError.self) { try await task.value }
        #expect(error?.code == .canceled)
        for pid in try Files.readText(pids).split(separator: " ") {
            try await eventually("\(pid) is gone") { isGone(Int32(pid)!) }
        }
    }

    @Test func `the end of a scope kills what runs in it`() async throws {
        struct Stop: Error {}
        let pid = Mutex<Int32>(0)
        await #expect(throws: Stop.self) {
            try await Template("sleep", arguments: ["1000"]).withRunning { running in
                pid.withLock { $0 = running.pid }
                throw Stop()
            }
        }
        #expect(!Files.exists("/proc/\(pid.withLock { $0 })"))
    }

    @Test func `a detached program outlives its scope`() async throws {
        let running = try await Template("cat").withRunning(input: .pipe) { running in
            running.detach()
            return running
        }
        #expect(try running.exitIfEnded() == nil)
        try await running.standardInput?.finish()
        #expect(try await running.wait().status == .exited(0))
    }

    @Test func `starting in the background is the same start`() async throws {
        let running = try await Template("echo", arguments: ["hi"]).startInBackground(output: .pipe)
        #expect(try await running.wait().status == .exited(0))
        let error = await #expect(throws: SpawnError.self) { _ = try await Template("/no/such").startInBackground() }
        #expect(error?.code == .noEntry)
    }
}

/// Whether a process has ended; one whose new parent has not looked yet counts.
func isGone(_ pid: Int32) -> Bool {
    guard let stat = try? Files.readText("/proc/\(pid)/stat") else { return true }
    return stat[stat.lastIndex(of: ")")!...].dropFirst(2).first == "Z"
}
