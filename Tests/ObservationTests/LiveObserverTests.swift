import Linux
import Synchronization
import TestKit
import Testing

@testable import Observation

@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(5))) struct LiveObserverTests {
    /// - Parameter isComplete: whether everything that is looked at afterwards has been heard of.
    private func observe(
        origins: [ProgramOrigin] = [], until isComplete: ([RecordedProcess]) -> Bool = { _ in true },
        _ body: () async throws -> Void
    ) async throws -> Recording {
        let observer = try LiveObserver()
        let records = Mutex<[RecordedProcess]>([])
        let header = RecordingHeader.here(.system, sources: LiveObserver.sources, writer: "test")
        let session = try RecordingSession(header, start: Clock.monotonicNanoseconds(), origins: origins, to: nil) {
            process in
            records.withLock { $0.append(process) }
        }
        try observer.run(from: session.start, origins: origins, session.listener)
        try await body()
        // The kernel tells a parent of an end before it tells anybody else (do_exit): the last event may still be to
        // come. What never comes is named below.
        try? await eventually { isComplete(records.withLock { $0 }) }
        observer.stop()
        await session.wait()
        let end = try session.finish(.interrupted)
        let recording = Recording(header: header, origins: origins, processes: records.withLock { $0 }, ending: end)
        #expect(try RecordingReader.read(RecordingEncoder.bytes(recording)) == recording)
        return recording
    }

    @Test func `a burst of short processes is seen, every one, whoever starts them`() async throws {
        func isCall(_ process: RecordedProcess) -> Bool {
            process.execs.last?.program == "/usr/bin/true" && process.parent.program == "/usr/bin/dash"
        }
        let recording = try await observe(until: { $0.count { isCall($0) && $0.exit != nil } >= 1000 }) {
            let run = try await CommandRunner.run([
                "sh", "-c", "i=0; while [ $i -lt 1000 ]; do /bin/true $i; i=$((i+1)); done",
            ])
            #expect(run.status.isSuccess)
        }
        // Accounting names the file even of those that were gone at once.
        let calls = recording.processes.filter(isCall)
        #expect(calls.count == 1000, "\(recording.processes.filter { $0.name == "true" && !calls.contains($0) })")
        #expect(calls.allSatisfy { $0.exit?.status == .exited(0) && $0.fork != nil && $0.usage.peakMemoryBytes != nil })
        let losses = try #require(recording.ending).losses
        #expect(losses.eventOverruns == 0)
        #expect(losses.accountingOverruns == 0)
        // What could not be read is counted, not made up.
        let withoutArguments = recording.processes.flatMap(\.execs).count { $0.arguments == nil }
        #expect(losses.argumentsMissed == withoutArguments)
        #expect(calls.contains { ($0.parent.residentBytes ?? 0) > 0 })
        #expect(
            losses.parentSizesMissed == recording.processes.count { $0.fork != nil && $0.parent.residentBytes == nil })
    }

    @Test func `what lives long enough is seen with its arguments, directory, ends and identity`() async throws {
        let place = try TemporaryDirectory()
        let script = try place.write("#!/bin/sh\nsleep 1\nexit 3\n", to: "a script", mode: 0o755)
        let odd = "odd\nargument \u{1F600}"
        let recording = try await observe(until: { seen in
            seen.contains { $0.execs.last?.program == script && $0.exit != nil }
                && seen.contains { $0.exit?.status == .signaled(9, coreDumped: false) }
        }) {
            _ = try await CommandRunner.run([
                "sh", "-c", "cd \(place.path); './a script' '\(odd)'; sleep 60 & kill -9 $!; wait",
            ])
        }
        let process = try #require(recording.processes.first { $0.execs.last?.program == script })
        #expect(process.execs.last?.arguments == ["/bin/sh", "./a script", odd])
        #expect(process.execs.last?.interpreter == "/usr/bin/dash")
        #expect(process.execs.last?.directory == place.path)
        #expect(process.exit?.status == .exited(3))
        #expect(process.uid == 0)
        #expect(recording.processes.contains { $0.exit?.status == .signaled(9, coreDumped: false) })
    }

    @Test func `threads are no processes, and a process with threads is one`() async throws {
        let program =
            "import threading,time\nfor i in range(50): threading.Thread(target=time.sleep, args=(1,)).start()"
        let recording = try await observe(until: {
            $0.contains { $0.execs.last?.arguments?.last == program && $0.exit != nil }
        }) {
            _ = try await CommandRunner.run(["/usr/bin/python3", "-c", program])
        }
        let python = recording.processes.filter { $0.execs.last?.arguments?.last == program }
        #expect(python.count == 1)
        #expect(python.first?.exit?.status == .exited(0))
    }

    @Test func `what a crontab names is joined with what cron starts`() async throws {
        // A cron of our own, by name: what matters is who starts it.
        let place = try TemporaryDirectory()
        let cron = place.path("cron")
        _ = try await CommandRunner.run(["cp", "/bin/dash", cron])
        let recording = try await observe(origins: [
            ProgramOrigin(
                kind: .cron, file: "/etc/crontab", line: 3, name: "/etc/crontab", schedule: "* * * * *", user: "root",
                command: "sleep 1; true", programs: [])
        ], until: { seen in
            [["/bin/sh", "-c", "sleep 1; true"], ["sleep", "1"]].allSatisfy { words in
                seen.contains { $0.execs.last?.arguments == words && $0.exit != nil }
            }
        }) {
            _ = try await CommandRunner.run([cron, "-c", "/bin/sh -c 'sleep 1; true'; true"])
        }
        let shell = try #require(
            recording.processes.first { $0.execs.last?.arguments == ["/bin/sh", "-c", "sleep 1; true"] })
        #expect(shell.origins == [0])
        // What it starts comes from there as well.
        #expect(recording.processes.contains { $0.execs.last?.arguments == ["sleep", "1"] && $0.origins == [0] })
        #expect(recording.programs.contains { $0.origins[0] != nil })
    }

    @Test func `nothing is left behind`() async throws {
        let before = await Census.take()
        _ = try await observe { _ = try await CommandRunner.run(["/bin/true"]) }
        let left = await Census.settled(since: before)
        #expect(left == [])
    }
}
