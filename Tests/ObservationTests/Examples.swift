import Linux
import Observation

/// Recordings to test with.
enum Examples {
    static let header = RecordingHeader(
        mode: .system, machine: "bank7", kernel: "6.1.0-18-amd64", architecture: "x86_64", processors: 4,
        memoryBytes: 8 << 30, start: Timestamp("2026-03-01T08:00:00Z")!,
        sources: ["proc connector", "taskstats", "/proc"],
        uid: 0, writer: "forkless test")

    static let cron = ProgramOrigin(
        kind: .cron, file: "/etc/crontab", line: 7, name: "/etc/crontab", schedule: "*/5 * * * *", user: "root",
        command: "/usr/local/bin/score --all", programs: ["/usr/local/bin/score"])

    static func process(
        _ number: Int, _ program: String?, arguments: [String]? = nil, fork: Int = 1000, exec: Int = 2000,
        exit: Int? = 5000,
        status: ExitStatus = .exited(0), parent: String? = "/usr/sbin/cron", parentBytes: Int? = 4096, cpu: Int? = 700
    ) -> RecordedProcess {
        RecordedProcess(
            number: number, pid: Int32(100 + number),
            parent: RecordedParent(pid: 50, program: parent, residentBytes: parentBytes), uid: 0, gid: 0, name: "score",
            fork: fork, execs: [RecordedExec(at: exec, program: program, arguments: arguments, directory: "/root")],
            exit: exit.map { RecordedExit(at: $0, status: status) },
            usage: RecordedUsage(cpuNanoseconds: cpu, peakMemoryBytes: 1 << 20))
    }

    static var deep: DeepFacts {
        var facts = DeepFacts()
        facts.files = [
            FileUse(path: "/etc/hosts", actions: [.read]), FileUse(path: "/tmp/x", actions: [.create, .write]),
        ]
        facts.sockets = [SocketUse(family: "inet", type: "stream", address: "127.0.0.1:5432", action: .connect)]
        facts.environmentGiven = ["PATH", "HOME"]
        facts.environmentValues = ["HOME": "/root"]
        facts.environmentChangedForChildren = ["LANG"]
        facts.inheritedDescriptors = [
            InheritedDescriptor(number: 0, target: "/dev/null", access: .read),
            InheritedDescriptor(number: 3, target: "/var/log/x", access: .write, appends: true, isUsed: true),
        ]
        facts.terminals = ["/dev/pts/3"]
        facts.sharedMemory = ["/dev/shm/x"]
        facts.identityChanges = ["setuid(33)"]
        facts.signalsSent = ["TERM to 17"]
        facts.notableCalls = ["mount": 2]
        return facts
    }

    /// One of everything that a recording can hold.
    static var recording: Recording {
        var first = process(1, "/usr/local/bin/score", arguments: ["score", "--all", "line\nbreak", "\u{10F7FF}"])
        first.origins = [0]
        var second = process(2, nil, exit: nil, cpu: nil)
        second.parent.number = 1
        second.execs[0].evidence = .inode
        second.execs.append(
            RecordedExec(
                at: 3000, program: "/opt/run.sh", interpreter: "/usr/bin/dash", arguments: ["/bin/sh", "/opt/run.sh"]))
        var third = process(3, "/bin/false", status: .signaled(11, coreDumped: true))
        third.deep = deep
        third.usage = RecordedUsage(
            cpuNanoseconds: 3, userNanoseconds: 1, systemNanoseconds: 2, peakMemoryBytes: 4, readBytes: 5,
            writtenBytes: 6,
            minorFaults: 7, majorFaults: 8)
        var losses = RecordingLosses()
        losses.eventOverruns = 1
        losses.argumentsMissed = 2
        return Recording(
            header: header, origins: [cron], processes: [first, second, third],
            ending: RecordingEnd(at: 9_000_000_000, reason: .interrupted, losses: losses))
    }
}
