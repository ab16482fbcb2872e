package import Linux

/// One process from its fork to its end, as far as it was seen.
package struct RecordedProcess: Hashable, Sendable {
    /// Unique in the recording, from 1; process ids are used again.
    package var number: Int
    package var pid: Int32
    package var parent: RecordedParent
    package var uid: UInt32?
    package var gid: UInt32?
    /// The kernel's name for it, at most 15 bytes; the last one seen.
    package var name: String?
    /// nil: it was there before the recording began.
    package var fork: Int?
    /// Every program that it executed, in order. None: it ran on as a copy of its parent.
    package var execs: [RecordedExec]
    /// nil: it still ran when the recording ended.
    package var exit: RecordedExit?
    package var usage: RecordedUsage
    /// Positions in `Recording.origins`.
    package var origins: [Int]
    /// What tracing showed; nil when it was not traced.
    package var deep: DeepFacts?

    package init(
        number: Int, pid: Int32, parent: RecordedParent, uid: UInt32? = nil, gid: UInt32? = nil, name: String? = nil,
        fork: Int? = nil, execs: [RecordedExec] = [], exit: RecordedExit? = nil, usage: RecordedUsage = RecordedUsage(),
        origins: [Int] = [], deep: DeepFacts? = nil
    ) {
        self.number = number
        self.pid = pid
        self.parent = parent
        self.uid = uid
        self.gid = gid
        self.name = name
        self.fork = fork
        self.execs = execs
        self.exit = exit
        self.usage = usage
        self.origins = origins
        self.deep = deep
    }
}

/// Who forked a process, as it was then.
package struct RecordedParent: Hashable, Sendable {
    /// 0: unknown, or outside this pid namespace.
    package var pid: Int32
    /// nil: it is not in the recording.
    package var number: Int?
    /// The path of its program at the time.
    package var program: String?
    /// Its resident memory at the fork, bytes: what fork(2) copies the page tables of.
    package var residentBytes: Int?

    package init(pid: Int32, number: Int? = nil, program: String? = nil, residentBytes: Int? = nil) {
        self.pid = pid
        self.number = number
        self.program = program
        self.residentBytes = residentBytes
    }
}

/// A program executed.
package struct RecordedExec: Hashable, Sendable {
    /// How the program's path is known.
    package enum Evidence: String, CaseIterable, Sendable {
        /// It was read while the program ran, or is what was handed to execve(2).
        case seen
        /// The kernel's accounting named the file by device and inode, and its path was known.
        case inode
    }

    package var at: Int
    /// The file: of a script the script. nil: it was gone too soon, and only the process's name is known.
    package var program: String?
    package var evidence: Evidence
    /// What runs the script, when it is one.
    package var interpreter: String?
    /// `argv`; nil when it was gone too soon.
    package var arguments: [String]?
    /// The working directory.
    package var directory: String?

    package init(
        at: Int, program: String?, evidence: Evidence = .seen, interpreter: String? = nil, arguments: [String]? = nil,
        directory: String? = nil
    ) {
        self.at = at
        self.program = program
        self.evidence = evidence
        self.interpreter = interpreter
        self.arguments = arguments
        self.directory = directory
    }
}

/// How and when a process ended.
package struct RecordedExit: Hashable, Sendable {
    package var at: Int
    /// nil: the trace does not say.
    package var status: ExitStatus?

    package init(at: Int, status: ExitStatus?) {
        self.at = at
        self.status = status
    }
}

/// What a process used, its children not counted. nil: not known.
package struct RecordedUsage: Hashable, Sendable {
    /// CPU time, nanoseconds: user mode and kernel together.
    package var cpuNanoseconds: Int?
    package var userNanoseconds: Int?
    package var systemNanoseconds: Int?
    /// Largest resident set, bytes.
    package var peakMemoryBytes: Int?
    /// Bytes read from and written to storage.
    package var readBytes: Int?
    package var writtenBytes: Int?
    package var minorFaults: Int?
    package var majorFaults: Int?

    package init(
        cpuNanoseconds: Int? = nil, userNanoseconds: Int? = nil, systemNanoseconds: Int? = nil,
        peakMemoryBytes: Int? = nil,
        readBytes: Int? = nil, writtenBytes: Int? = nil, minorFaults: Int? = nil, majorFaults: Int? = nil
    ) {
        self.cpuNanoseconds = cpuNanoseconds
        self.userNanoseconds = userNanoseconds
        self.systemNanoseconds = systemNanoseconds
        self.peakMemoryBytes = peakMemoryBytes
        self.readBytes = readBytes
        self.writtenBytes = writtenBytes
        self.minorFaults = minorFaults
        self.majorFaults = majorFaults
    }

    package var isEmpty: Bool { self == RecordedUsage() }
}
