import Linux
import Spawn
import TestKit
import Testing

@testable import Functions

@Suite struct ReadinessProbeTests {
    @Test func `a line of the kernel is read as a system call`() {
        #expect(SleepingCall("running") == nil)
        #expect(SleepingCall("-1 0x7ffd 0x7f52") == nil)
        #expect(SleepingCall("") == nil)
        let read = SleepingCall("0 0x0 0x7f5269111000 0x20000 0x0 0x0 0x0 0x7ffdd6afc608 0x7f526928d2ad")
        #expect(read?.firstArgument == 0)
        #if arch(x86_64)
            #expect(read?.readsInput == true)
            #expect(SleepingCall("0 0x3 0x0")?.readsInput == false)
            // Only 32 bits count, whatever a program left above them.
            #expect(SleepingCall("0 0xffffffff00000000 0x0")?.readsInput == true)
            #expect(SleepingCall("61 0x0 0x0")?.readsInput == false)
            #expect(SleepingCall("7 0x7ffd 0x1")?.waitsForDescriptors == true)
        #endif
    }

    @Test func `a state is found behind any name`() {
        #expect(ReadinessProbe.state(stat: "12 (cat) S 1 12") == "S")
        #expect(ReadinessProbe.state(stat: "12 (a) R (b) T 1 12") == "T")
        #expect(ReadinessProbe.state(stat: "nothing") == nil)
    }

    /// What programs do before their first read, and whether that is seen.
    @Test(arguments: [
        (["python3", "-c", "import os; os.read(os.dup(0), 1)"], true),
        (["cat"], true), (["sort"], true), (["sh", "-c", "read x"], true),
        (["python3", "-c", "import sys; sys.stdin.read()"], true),
        (["python3", "-c", "import select; select.select([0], [], [])"], true),
        (["python3", "-c", "import select; p = select.epoll(); p.register(0); p.poll()"], true),
        // The first thread waits for another one, which reads.
        (["python3", "-c", "import os, threading as t; h = t.Thread(target=os.read, args=(0, 1)); h.start(); h.join()"],
            true),
        (["sleep", "1000"], false), (["sh", "-c", "cat; true"], false),
    ] as [([String], Bool)])
    func `programs are seen at their first read and nowhere else`(_ arguments: [String], _ waits: Bool) async throws {
        guard CommandRunner.find(arguments[0]) != nil else { return }
        var options = Options()
        options.standardInput = .pipe
        options.standardOutput = .null
        options.standardError = .null
        options.group = .own
        let program = try Template(.name(arguments[0]), arguments: Array(arguments.dropFirst()), options: options)
            .start()
        if waits {
            try await eventually("\(arguments) at its read") { try ReadinessProbe.isWaitingForInput(pid: program.pid) }
            // Stopped in the middle of its read, it is not waiting for its input.
            try program.signal(Signal.stop)
            try await eventually("\(arguments) to be stopped") {
                try !ReadinessProbe.isWaitingForInput(pid: program.pid)
            }
            try program.signal(Signal.resume)
        } else {
            for _ in 0..<50 {
                #expect(try !ReadinessProbe.isWaitingForInput(pid: program.pid))
                try await Task.sleep(for: .milliseconds(2))
            }
        }
        try program.killTree()
        _ = try await program.wait()
        #expect(try !ReadinessProbe.isWaitingForInput(pid: program.pid))
    }
}
