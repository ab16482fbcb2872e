import Linux
import Synchronization
import TestKit
import Testing

@testable import Observation

@Suite(.serialized, .timeLimit(.minutes(5))) struct SubtreeObserverTests {
    /// What an observed command left behind.
    private struct Seen {
        var recording: Recording
        var status: Linux.ExitStatus?
    }

    private func observe(
        _ words: [String], depth: SubtreeObserver.Depth = .processes, environment: [String] = ["PATH=/usr/bin:/bin"],
        meanwhile: (@Sendable (SubtreeObserver) async throws -> Void)? = nil
    ) async throws -> Seen {
        let command = try TracedCommand(words, environment: environment.map { Array($0.utf8) })
        let observer = SubtreeObserver(command, depth: depth)
        let records = Mutex<[RecordedProcess]>([])
        let header = RecordingHeader.here(.subtree, sources: SubtreeObserver.sources, command: words, writer: "test")
        let session = try RecordingSession(header, start: Clock.monotonicNanoseconds(), origins: [], to: nil) {
            process in
            records.withLock { $0.append(process) }
        }
        try observer.run(from: session.start, origins: [], session.listener)
        try await meanwhile?(observer)
        await session.wait()
        let end = try session.finish(.commandEnded)
        let recording = Recording(header: header, processes: records.withLock { $0 }, ending: end)
        // Whatever was seen is a recording.
        #expect(try RecordingReader.read(RecordingEncoder.bytes(recording)) == recording)
        return Seen(recording: recording, status: observer.status)
    }

    @Test func `a command, its children and how they ended`() async throws {
        let seen = try await observe(["sh", "-c", "/bin/true one; (exit 5); kill -9 $$"])
        #expect(seen.status == .signaled(9, coreDumped: false))
        let processes = seen.recording.processes
        #expect(processes.count == 3)
        #expect(processes[0].execs.map(\.arguments) == [["/bin/true", "one"]])
        #expect(processes[0].parent.number == processes[2].number)
        #expect(processes[1].execs.isEmpty)
        #expect(processes[1].exit?.status == .exited(5))
        #expect(processes[2].exit?.status == .signaled(9, coreDumped: false))
        #expect((processes[0].usage.cpuNanoseconds ?? 0) > 0)
        #expect((processes[0].usage.peakMemoryBytes ?? 0) > 0)
        #expect((processes[0].parent.residentBytes ?? 0) > 0)
    }

    @Test func `thousands of short processes are all recorded with their arguments`() async throws {
        let seen = try await observe(["sh", "-c", "i=0; while [ $i -lt 2000 ]; do /bin/true $i; i=$((i+1)); done"])
        #expect(seen.status == .exited(0))
        let arguments = seen.recording.processes.flatMap(\.execs).compactMap(\.arguments).filter {
            $0[0] == "/bin/true"
        }
        #expect(arguments.count == 2000)
        #expect(Set(arguments.map { $0[1] }) == Set((0..<2000).map(String.init)))
        #expect(seen.recording.ending?.losses == RecordingLosses())
    }

    @Test func `many at once, with threads, are all recorded`() async throws {
        let program = """
            import threading, subprocess
            def work(n):
                for i in range(25): subprocess.run(["/bin/true", f"{n}-{i}"])
            threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
            for t in threads: t.start()
            for t in threads: t.join()
            """
        let seen = try await observe(["/usr/bin/python3", "-c", program])
        #expect(seen.status == .exited(0))
        let arguments = seen.recording.processes.flatMap(\.execs).compactMap(\.arguments).filter {
            $0[0] == "/bin/true"
        }
        #expect(Set(arguments.map { $0[1] }).count == 400)
        #expect(seen.recording.processes.count == 401)
    }

    @Test func `every exec of a chain is recorded, and a script under its own name`() async throws {
        let place = try TemporaryDirectory()
        let script = try place.write("#!/bin/sh\nexec /usr/bin/env X=1 /bin/true last\n", to: "run me.sh", mode: 0o755)
        let seen = try await observe([script, "argument"])
        let execs = try #require(seen.recording.processes.first).execs
        #expect(
            execs.map(\.program)
                == [script, "/usr/bin/env", "/usr/bin/true"].map { $0 == "/usr/bin/true" ? "/usr/bin/true" : $0 })
        #expect(execs[0].interpreter == "/usr/bin/dash")
        #expect(execs[0].arguments == ["/bin/sh", script, "argument"])
        #expect(execs[2].arguments == ["/bin/true", "last"])
    }

    @Test func `names with newlines and bytes that are no text, and two megabytes of arguments`() async throws {
        let place = try TemporaryDirectory()
        let odd = try place.write("#!/bin/sh\nexit 0\n", to: "a\nb", mode: 0o755)
        // 20 arguments of 100,000 bytes: one alone may have 128 KiB, all together a quarter of the stack's limit.
        let long = String(repeating: "x", count: 100_000)
        let words = [odd, "line\nbreak", RecordedText.text([0xFF, 0x0A, 0xC3])] + Array(repeating: long, count: 19)
        let seen = try await observe(words)
        let exec = try #require(seen.recording.processes.first?.execs.first)
        #expect(exec.program == odd)
        #expect(exec.arguments == ["/bin/sh"] + words)
        #expect(RecordedText.bytes(exec.arguments![3]) == [0xFF, 0x0A, 0xC3])
    }

    @Test func `a command that is not there or cannot be executed is an error`() async throws {
        #expect(throws: TracedCommand.Failure.self) {
            try TracedCommand(["no-such-program"], environment: [Array("PATH=/bin".utf8)])
        }
        #expect(throws: TracedCommand.Failure.self) { try TracedCommand(["/no/such"], environment: []) }
        let place = try TemporaryDirectory()
        let file = try place.write("\u{7F}ELF but not really", to: "broken", mode: 0o755)
        let error = await #expect(throws: SystemError.self) { _ = try await observe([file]) }
        #expect(error?.code == .badExecutable)
        #expect(error?.description.contains(file) == true)
    }

    @Test func `a stopped and continued process goes on`() async throws {
        let seen = try await observe([
            "sh", "-c", "sleep 0.2 & kill -STOP $!; sleep 0.1; kill -CONT $!; wait $!; exit 7",
        ])
        #expect(seen.status == .exited(7))
    }

    @Test func `signals reach the command`() async throws {
        let place = try TemporaryDirectory()
        let ready = place.path("ready")
        let script = "trap 'exit 9' TERM; : >\(ready); while :; do sleep 0.05; done"
        let seen = try await observe(["sh", "-c", script]) { observer in
            try await eventually("the trap is set") { Files.exists(ready) }
            observer.signal(Signal.terminate)
        }
        #expect(seen.status == .exited(9))
        withExtendedLifetime(place) {}
    }

    @Test func `what the command leaves behind can be left to itself`() async throws {
        let place = try TemporaryDirectory()
        let pidFile = place.path("pid")
        let seen = try await observe(["sh", "-c", "sleep 600 & echo $! > \(pidFile)"]) { observer in
            try await eventually { observer.status != nil }
            observer.leave()
        }
        #expect(seen.status == .exited(0))
        let pid = try #require(Int32(try Files.readText(pidFile)))
        // It runs on, traced by nobody.
        try await eventually("nobody traces it") { try Files.readText("/proc/\(pid)/status").contains("TracerPid:\t0") }
        #expect(seen.recording.processes.contains { $0.pid == pid && $0.exit == nil })
        try ProcessFD(pid: pid).signal(Signal.kill)
    }

    @Test(.enabled(if: isRoot)) func `a set-uid program gets its user`() async throws {
        let place = try TemporaryDirectory()
        let output = place.path("out")
        _ = try await CommandRunner.run(["cp", "/usr/bin/id", place.path("id")])
        _ = try await CommandRunner.run(["chmod", "4755", place.path("id")])
        _ = try await CommandRunner.run(["chmod", "755", place.path])
        let seen = try await observe([
            "sh", "-c", "setpriv --reuid 65534 --regid 65534 --clear-groups \(place.path("id")) -u > \(output)",
        ])
        #expect(seen.status == .exited(0))
        #expect(try Files.readText(output) == "0")
    }

    // MARK: Deep

    @Test(.enabled(if: isRoot)) func `tracing shows files, sockets, descriptors, environment and children`()
        async throws
    {
        let place = try TemporaryDirectory()
        try place.write("data", to: "in")
        let program = """
            import os, socket, sys
            os.chdir("\(place.path)")
            open("in").read()
            open("out", "w").write("x")
            open("out", "a").write("y")
            open("in", "r+").close()
            os.rename("out", "moved")
            os.mkdir("dir"); os.rmdir("dir")
            os.unlink("moved")
            os.listdir(".")
            try: open("gone")
            except OSError: pass
            s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
            c = socket.socket(); c.connect(s.getsockname())
            u = socket.socket(socket.AF_UNIX)
            try: u.connect("/nowhere")
            except OSError: pass
            from multiprocessing import shared_memory
            m = shared_memory.SharedMemory(create=True, size=10); name = m.name; m.close(); m.unlink()
            os.setsid() if os.getpgrp() != os.getpid() else None
            os.environ["MADE"] = "1"
            os.spawnv(os.P_WAIT, "/bin/true", ["true"])
            os.setuid(65534)
            """
        let seen = try await observe(
            ["/usr/bin/python3", "-c", program], depth: .systemCalls(keepsValues: false),
            environment: ["PATH=/usr/bin:/bin", "SECRET=s3cret"])
        #expect(seen.status == .exited(0))
        let processes = seen.recording.processes
        let python = try #require(processes.first { $0.execs.first?.arguments?.last == program })
        let deep = try #require(python.deep)
        func actions(_ name: String) -> Set<FileUse.Action> {
            Set(deep.files.first { $0.path == place.path(name) }?.actions ?? [])
        }
        #expect(actions("in").isSuperset(of: [.read, .write]))
        #expect(!actions("in").contains(.create))
        #expect(actions("out").isSuperset(of: [.create, .truncate, .write, .append, .renamedFrom]))
        #expect(actions("moved").isSuperset(of: [.renamedTo, .unlink]))
        #expect(actions("dir").isSuperset(of: [.mkdir, .rmdir]))
        #expect(actions("gone") == [.missing])
        #expect(deep.files.contains { $0.path == place.path && $0.actions.contains(.list) })
        #expect(deep.sockets.contains { $0.family == "inet" && $0.action == .listen && $0.type == "stream" })
        #expect(deep.sockets.contains { $0.action == .connect && $0.address.hasPrefix("127.0.0.1:") })
        #expect(deep.sockets.contains(SocketUse(family: "unix", type: "stream", address: "/nowhere", action: .connect)))
        #expect(deep.sharedMemory.contains { $0.hasPrefix("/dev/shm/") })
        #expect(deep.environmentGiven == ["PATH", "SECRET"])
        #expect(deep.environmentValues.isEmpty)
        // Python sets LC_CTYPE for itself where there is no locale, and so for its children.
        #expect(deep.environmentChangedForChildren.contains("MADE"))
        #expect(!deep.environmentChangedForChildren.contains("SECRET"))
        #expect(deep.identityChanges.contains("setuid(65534)"))
        #expect(Set(deep.inheritedDescriptors.map(\.number)).isSuperset(of: [0, 1, 2]))
        let child = try #require(processes.first { $0.execs.first?.arguments == ["true"] })
        #expect(child.deep?.environmentGiven.contains("MADE") == true)
        #expect(child.deep?.files.contains { $0.path == "/usr/bin/true" && $0.actions.contains(.execute) } == true)
    }

    @Test(.enabled(if: isRoot)) func `a traced program does what it does untraced`() async throws {
        let place = try TemporaryDirectory()
        let script = "cd /usr/share/doc && find . -name copyright | sort | head -200 | xargs cat | md5sum > "
        let plain = try await CommandRunner.run(["sh", "-c", script + place.path("plain")])
        #expect(plain.status.isSuccess)
        let seen = try await observe(
            ["sh", "-c", script + place.path("traced")], depth: .systemCalls(keepsValues: true))
        #expect(seen.status == .exited(0))
        #expect(try Files.readText(place.path("plain")) == Files.readText(place.path("traced")))
        #expect(seen.recording.processes.count == 7)
        #expect(seen.recording.processes.contains { $0.deep?.environmentValues["PATH"] == "/usr/bin:/bin" })
    }

    @Test func `nothing is left behind`() async throws {
        let before = await Census.take()
        _ = try await observe(["sh", "-c", "/bin/true; /bin/true & wait"])
        if isRoot { _ = try await observe(["/bin/true"], depth: .systemCalls(keepsValues: false)) }
        let left = await Census.settled(since: before)
        #expect(left == [])
    }
}
