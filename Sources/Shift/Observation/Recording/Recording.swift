package import Linux

/// What was observed: which processes were forked and executed, by whom, for how long and at what cost.
///
/// The file format is docs/recording.md. All times are nanoseconds after `RecordingHeader.start`; what is text but may
/// be any bytes in the kernel (paths, arguments, names) is written by the rules of `RecordedText`.
package struct Recording: Hashable, Sendable {
    package var header: RecordingHeader
    /// Where programs come from: crontabs, units, and so on. Processes refer to them by position.
    package var origins: [ProgramOrigin]
    /// In the order in which they ended; those that still ran come last.
    package var processes: [RecordedProcess]
    /// nil: the recording is cut off.
    package var ending: RecordingEnd?

    package init(
        header: RecordingHeader, origins: [ProgramOrigin] = [], processes: [RecordedProcess] = [],
        ending: RecordingEnd? = nil
    ) {
        self.header = header
        self.origins = origins
        self.processes = processes
        self.ending = ending
    }

    /// How long it was observed, nanoseconds: as the end says, or up to the last thing that a cut-off recording tells of.
    package var durationNanoseconds: Int {
        ending?.at ?? processes.reduce(0) { max($0, $1.exit?.at ?? $1.execs.last?.at ?? $1.fork ?? 0) }
    }

    /// What is known of each program, the most called first.
    package var programs: [RecordedProgram] {
        var tally = ProgramTally(hasTimes: header.hasTimes)
        for process in processes { tally.add(process) }
        return tally.programs(over: durationNanoseconds)
    }
}

/// The first line of a recording: where, when and how it was made.
package struct RecordingHeader: Hashable, Sendable {
    /// How it was observed, which decides what can be in it.
    package enum Mode: String, CaseIterable, Sendable {
        /// The whole machine from the kernel's events: arguments only of processes that lived long enough.
        case system
        /// One command and all that it started, complete.
        case subtree
        /// One program traced: files, sockets and the like in `RecordedProcess.deep`.
        case deep
        /// Made from what strace has written.
        case imported = "import"
    }

    package var mode: Mode
    /// The host's name.
    package var machine: String
    /// The kernel's release: "6.1.0-18-amd64"; empty where it is not known.
    package var kernel: String
    /// As uname(2) says it: "x86_64".
    package var architecture: String
    package var processors: Int?
    package var memoryBytes: Int?
    /// What all times count from. Of an import without times of day it is the time of the import.
    package var start: Timestamp
    /// False: the times only say what came before what, as in a trace that was written without any.
    package var hasTimes = true
    /// What told: "proc connector", "taskstats", "/proc", "ptrace", "seccomp", "strace".
    package var sources: [String]
    /// The command that was observed, or the file that was imported.
    package var command: [String]
    /// The user who observed.
    package var uid: UInt32?
    /// The program that wrote it: "forkless 0.1.0".
    package var writer: String

    package init(
        mode: Mode, machine: String, kernel: String, architecture: String, processors: Int? = nil,
        memoryBytes: Int? = nil,
        start: Timestamp, sources: [String], command: [String] = [], uid: UInt32? = nil, writer: String
    ) {
        self.mode = mode
        self.machine = machine
        self.kernel = kernel
        self.architecture = architecture
        self.processors = processors
        self.memoryBytes = memoryBytes
        self.start = start
        self.sources = sources
        self.command = command
        self.uid = uid
        self.writer = writer
    }
}

/// The last line of a recording: why it ended and what it missed.
package struct RecordingEnd: Hashable, Sendable {
    package enum Reason: String, CaseIterable, Sendable {
        case interrupted
        /// The time that was asked for is over.
        case timeOver = "time over"
        case commandEnded = "command ended"
        /// All of the file has been read.
        case imported
        /// The observer could not go on.
        case failed
    }

    package var at: Int
    package var reason: Reason
    package var losses: RecordingLosses

    package init(at: Int, reason: Reason, losses: RecordingLosses = RecordingLosses()) {
        self.at = at
        self.reason = reason
        self.losses = losses
    }
}

/// What an observer knows that it missed. Zero everywhere: nothing.
package struct RecordingLosses: Hashable, Sendable {
    /// How often the kernel had more events than its buffer held (ENOBUFS): an unknown number is lost each time.
    package var eventOverruns = 0
    /// The same for accounting records.
    package var accountingOverruns = 0
    /// Events that could not be understood.
    package var unreadableEvents = 0
    /// Programs executed whose arguments were gone before they could be read.
    package var argumentsMissed = 0
    /// Of those, programs whose path could not be told either.
    package var programsMissed = 0
    /// Ends without a record of what was used.
    package var usageMissed = 0
    /// Forks where the size of the parent could not be read.
    package var parentSizesMissed = 0
    /// Processes that the tracer lost or may not trace, such as those of another architecture.
    package var untraced = 0
    /// Lines of a trace that could not be read.
    package var badLines = 0

    package init() {}
}
