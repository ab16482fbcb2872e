import Linux
import TestKit
import Testing

@testable import Observation

@Suite struct ProcessTableTests {
    /// Feeds events and answers what is asked for; the records that came out.
    private struct Feeder {
        var table: ProcessTable
        var glimpses: [Int32: [ProcessGlimpse]] = [:]
        var records: [RecordedProcess] = []
        var asked: [ProcessTable.Action] = []

        init(_ accounting: ProcessTable.Accounting = .none, origins: [ProgramOrigin] = [], blur: Int = 0) {
            table = ProcessTable(start: 1000, accounting: accounting, origins: origins, blur: blur)
        }

        mutating func take(_ events: ProcessTable.Event...) { for event in events { perform(table.take(event)) } }
        mutating func pass(_ now: Int) { perform(table.pass(to: now)) }
        mutating func finish() { perform(table.finish()) }

        private mutating func perform(_ actions: [ProcessTable.Action]) {
            for action in actions {
                if case .record(let process) = action { records.append(process) } else { asked.append(action) }
                if case .look(let pid, _) = action, let glimpse = glimpses[pid]?.first {
                    glimpses[pid]!.removeFirst()
                    take(.looked(pid: pid, glimpse))
                }
                if case .settle(let pid) = action { take(.settled(pid: pid, cpuNanoseconds: nil)) }
            }
        }
    }

    private func glimpse(_ at: Int, _ path: String?, _ arguments: [String]? = nil) -> ProcessGlimpse {
        ProcessGlimpse(
            began: at, ended: at + 1, executable: path, arguments: arguments ?? path.map { [$0] }, directory: "/")
    }

    @Test func `a fork, an exec and an exit make one record`() throws {
        var feeder = Feeder()
        feeder.take(.present(pid: 5, parent: 1, program: "/bin/sh", arguments: ["sh"], unit: nil))
        feeder.take(.forked(at: 2000, parent: 5, child: 6))
        #expect(feeder.asked == [.measure(5)])
        feeder.take(.measured(at: 2001, pid: 5, bytes: 4096))
        feeder.glimpses[6] = [glimpse(3001, "/bin/a", ["a", "x"])]
        feeder.take(.executed(at: 3000, pid: 6))
        feeder.take(.exited(at: 9000, pid: 6, status: .exited(4)))
        let record = try #require(feeder.records.first)
        #expect(record.fork == 1000)
        #expect(record.parent == RecordedParent(pid: 5, program: "/bin/sh", residentBytes: 4096))
        #expect(record.execs == [RecordedExec(at: 2000, program: "/bin/a", arguments: ["a", "x"], directory: "/")])
        #expect(record.exit == RecordedExit(at: 8000, status: .exited(4)))
    }

    @Test func `what was read after the next exec belongs to that one`() throws {
        var feeder = Feeder()
        feeder.take(.forked(at: 2000, parent: 5, child: 6))
        // Both events waited; what was read for the first is already of the second.
        feeder.glimpses[6] = [glimpse(4500, "/bin/second"), ProcessGlimpse(began: 4600, ended: 4601)]
        feeder.take(
            .executed(at: 3000, pid: 6), .executed(at: 4000, pid: 6), .exited(at: 5000, pid: 6, status: .exited(0)))
        let execs = try #require(feeder.records.first).execs
        #expect(execs.map(\.program) == [nil, "/bin/second"])
        #expect(execs.map(\.at) == [2000, 3000])
        #expect(feeder.table.losses.argumentsMissed == 1)
    }

    @Test func `what was read while the next exec happened belongs to nobody`() throws {
        var feeder = Feeder(blur: 100)
        feeder.take(.forked(at: 2000, parent: 5, child: 6))
        feeder.glimpses[6] = [glimpse(3950, "/bin/either"), ProcessGlimpse(began: 4600, ended: 4601)]
        feeder.take(
            .executed(at: 3000, pid: 6), .executed(at: 4000, pid: 6), .exited(at: 5000, pid: 6, status: .exited(0)))
        #expect(try #require(feeder.records.first).execs.map(\.program) == [nil, nil])
    }

    @Test func `what could not be read is counted`() throws {
        var feeder = Feeder(.following(patience: 100))
        feeder.take(.forked(at: 2000, parent: 5, child: 6))
        feeder.take(.measured(at: 2000, pid: 5, bytes: nil))
        feeder.glimpses[6] = [ProcessGlimpse(began: 3100, ended: 3101)]
        feeder.take(.executed(at: 3000, pid: 6), .exited(at: 3050, pid: 6, status: .exited(0)))
        #expect(feeder.records.isEmpty)
        feeder.pass(3120)
        #expect(feeder.records.isEmpty)
        feeder.pass(3200)
        #expect(feeder.records.count == 1)
        #expect(feeder.table.losses.argumentsMissed == 1)
        #expect(feeder.table.losses.programsMissed == 1)
        #expect(feeder.table.losses.usageMissed == 1)
        #expect(feeder.table.losses.parentSizesMissed == 1)
    }

    @Test func `accounting names the program of a process that was gone`() throws {
        var feeder = Feeder(.following(patience: 100))
        feeder.take(.forked(at: 2000, parent: 5, child: 6))
        feeder.take(.executed(at: 3000, pid: 6))
        var account = TaskRecord(thread: 6, process: 6)
        account.name = Array("gone".utf8)
        account.cpuNanoseconds = 50_000_000
        account.peakResidentBytes = 4096
        account.uid = 33
        feeder.take(.accounted(account, executable: "/bin/gone"), .exited(at: 3500, pid: 6, status: .exited(0)))
        let record = try #require(feeder.records.first)
        #expect(record.execs == [RecordedExec(at: 2000, program: "/bin/gone", evidence: .inode)])
        #expect(record.name == "gone")
        #expect(record.uid == 33)
        #expect(record.usage.cpuNanoseconds == 50_000_000)
    }

    // Events and accounting come over two sockets: a process can execute and end between the looks at them.
    @Test func `accounting that comes before the event of its exec names the program all the same`() throws {
        var feeder = Feeder(.following(patience: 100))
        feeder.take(.forked(at: 2000, parent: 5, child: 6))
        feeder.take(.accounted(TaskRecord(thread: 6, process: 6), executable: "/bin/gone"))
        feeder.take(.executed(at: 3000, pid: 6), .exited(at: 3500, pid: 6, status: .exited(0)))
        #expect(
            try #require(feeder.records.first).execs == [RecordedExec(at: 2000, program: "/bin/gone", evidence: .inode)]
        )
    }

    @Test func `time on a processor that was not booked is not known`() throws {
        func cpu(booked: Int, settled: Int?) throws -> Int? {
            var table = ProcessTable(start: 0, accounting: .following(patience: 100))
            _ = table.take(.forked(at: 1, parent: 5, child: 6))
            _ = table.take(.executed(at: 2, pid: 6))
            var account = TaskRecord(thread: 6, process: 6)
            account.cpuNanoseconds = booked
            _ = table.take(.accounted(account, executable: nil))
            #expect(table.take(.exited(at: 3, pid: 6, status: .exited(0))) == [.settle(6)])
            guard case .record(let record) = table.take(.settled(pid: 6, cpuNanoseconds: settled)).first else {
                return -1
            }
            return record.usage.cpuNanoseconds
        }
        #expect(try cpu(booked: 0, settled: nil) == nil)
        #expect(try cpu(booked: 0, settled: 700_000) == 700_000)
        #expect(try cpu(booked: 30_000_000, settled: nil) == 30_000_000)
        #expect(try cpu(booked: 30_000_000, settled: 31_000_000) == 31_000_000)
    }

    @Test func `threads of a process are added up`() throws {
        var feeder = Feeder(.following(patience: 100))
        feeder.take(.forked(at: 2000, parent: 5, child: 6), .executed(at: 3000, pid: 6))
        for (thread, isLast) in [(7, false), (6, false), (8, true)] as [(Int32, Bool)] {
            var account = TaskRecord(thread: thread, process: 6, isLast: isLast)
            account.cpuNanoseconds = 30_000_000
            account.peakResidentBytes = Int(thread)
            if isLast { feeder.take(.exited(at: 5000, pid: 6, status: .exited(0))) }
            feeder.take(.accounted(account, executable: nil))
        }
        let record = try #require(feeder.records.first)
        #expect(record.usage.cpuNanoseconds == 90_000_000)
        #expect(record.usage.peakMemoryBytes == 8)
    }

    @Test func `a script is told from its interpreter by the process's name`() {
        func program(_ name: String?, _ arguments: [String], _ executable: String) -> String? {
            ProcessGlimpse(
                began: 0, ended: 0, executable: executable, arguments: arguments, directory: "/srv", name: name
            ).program?.path
        }
        #expect(program("run.sh", ["/bin/sh", "/opt/run.sh", "x"], "/usr/bin/dash") == "/opt/run.sh")
        #expect(program("run.sh", ["/bin/sh", "-e", "./run.sh"], "/usr/bin/dash") == "/srv/run.sh")
        #expect(
            program("a-name-longer-t", ["/bin/sh", "/a-name-longer-than-15"], "/usr/bin/dash")
                == "/a-name-longer-than-15")
        #expect(program("sh", ["/bin/sh", "/opt/run.sh"], "/usr/bin/dash") == "/usr/bin/dash")
        #expect(program("dash", ["/bin/sh", "/opt/dash"], "/usr/bin/dash") == "/usr/bin/dash")
        #expect(program(nil, ["sh", "run.sh"], "/usr/bin/dash") == "/usr/bin/dash")
    }

    @Test func `parents are referred to by numbers that are recorded`() throws {
        var feeder = Feeder()
        feeder.take(.present(pid: 5, parent: 1, program: "/bin/sh", arguments: ["sh"], unit: nil))
        feeder.take(.forked(at: 2000, parent: 5, child: 6), .forked(at: 2100, parent: 6, child: 7))
        feeder.take(.exited(at: 2200, pid: 7, status: .exited(0)))
        feeder.finish()
        #expect(feeder.records.map(\.pid) == [7, 6])
        #expect(feeder.records[0].parent.number == feeder.records[1].number)
        #expect(feeder.records[1].parent.number == nil)
        let bytes = RecordingEncoder.bytes(
            Recording(
                header: Examples.header, processes: feeder.records, ending: RecordingEnd(at: 9000, reason: .interrupted)
            ))
        #expect(throws: Never.self) { try RecordingReader.read(bytes) }
    }

    @Test func `every process gives one record, in whatever order its events come`() throws {
        var chance = SeededChance(seed: 21)
        for _ in 0..<200 {
            var feeder = Feeder(.following(patience: 50))
            var seen: Set<Int32> = []
            var now = 1000
            for _ in 0..<100 {
                now += 10
                let pid = Int32.random(in: 2..<8, using: &chance)
                let other = Int32.random(in: 2..<8, using: &chance)
                switch Int.random(in: 0..<6, using: &chance) {
                case 0 where pid != other: feeder.take(.forked(at: now, parent: pid, child: other))
                case 1: feeder.take(.executed(at: now, pid: pid))
                case 2: feeder.take(.exited(at: now, pid: pid, status: .exited(0)))
                case 3: feeder.take(.accounted(TaskRecord(thread: pid, process: pid), executable: nil))
                case 4: feeder.take(.looked(pid: pid, glimpse(now, "/bin/x")))
                default: feeder.pass(now)
                }
                seen.insert(pid)
            }
            feeder.finish()
            let numbers = feeder.records.map(\.number)
            #expect(numbers.sorted() == Array(1..<(numbers.count + 1)), "\(chance)")
            // What came out is a recording that its own reader takes.
            let bytes = RecordingEncoder.bytes(
                Recording(
                    header: Examples.header, processes: feeder.records,
                    ending: RecordingEnd(at: now, reason: .interrupted)))
            #expect(throws: Never.self, "\(chance)") { try RecordingReader.read(bytes) }
        }
    }
}
