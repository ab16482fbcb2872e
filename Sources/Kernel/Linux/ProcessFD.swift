import CKernel

/// A process by descriptor, pidfd_open(2): it never names another process, whatever happens to its pid.
public struct ProcessFD: ~Copyable, Sendable {
    public let fd: OwnedFD

    public init(adopting fd: consuming OwnedFD) { self.fd = fd }

    /// Opens the process that has `pid` now.
    public init(pid: Int32) throws(SystemError) {
        fd = OwnedFD(adopting: CInt(try call("open process", "\(pid)") { ck_pidfd_open(pid, 0) }))
    }

    /// Sends a signal. A process that has ended already is no error.
    public borrowing func signal(_ number: Int32) throws(SystemError) {
        try Self.signal(number, to: fd.raw)
    }

    /// The same through a descriptor that is held elsewhere.
    package static func signal(_ number: Int32, to pidfd: CInt) throws(SystemError) {
        do {
            try call("send signal \(number) to", "a process") { ck_pidfd_send_signal(pidfd, number) }
        } catch where error.code == .noProcess {}
    }

    /// The pid of the process behind a descriptor as this process sees it, /proc/self/fdinfo; -1 when it has been reaped.
    package static func pid(of pidfd: CInt) -> Int32 {
        let text = (try? Files.readText("/proc/self/fdinfo/\(pidfd)")) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("Pid:") }
        return line.flatMap { Int32($0.dropFirst(4).drop { $0 == "\t" || $0 == " " }) } ?? -1
    }

    /// Hands the descriptor over to several holders.
    package consuming func shared() -> SharedFD { SharedFD(fd) }

    /// Sends a signal to every process of the group that this process leads or led, whatever became of it.
    ///
    /// - Throws: `SystemError`; EINVAL from a kernel before 6.9. An empty group is no error.
    package static func signalGroup(_ number: Int32, of pidfd: CInt) throws(SystemError) {
        do {
            try call("send signal \(number) to", "a process group") { ck_pidfd_signal_group(pidfd, number) }
        } catch where error.code == .noProcess {}
    }

    /// The same by its leader's number: only for a child of ours that has not been reaped, so that the number, and with
    /// it the group, is its own; kill(2). Every kernel can do that.
    package static func signalGroup(_ number: Int32, ledBy child: Int32) throws(SystemError) {
        precondition(child > 1, "no child has this number")
        do {
            try call("send signal \(number) to process group", "\(child)") { ck_kill(-child, number) }
        } catch where error.code == .noProcess {}
    }

    /// Whether the process has not been reaped yet, so that its pid is still its own.
    package borrowing func isThere() -> Bool { ck_pidfd_send_signal(fd.raw, 0) != -Int(ESRCH) }

    /// Reaps the child if it has ended, waitid(2); nil while it runs.
    package borrowing func reapIfEnded() throws(SystemError) -> ExitRecord? {
        try Self.reapIfEnded(fd.raw)
    }

    /// The same through a descriptor that is held elsewhere.
    package static func reapIfEnded(_ pidfd: CInt) throws(SystemError) -> ExitRecord? {
        try ExitRecord.reap(type: Int32(P_PIDFD.rawValue), id: pidfd, options: WEXITED | WNOHANG)
    }

    /// Waits for the child's end on this thread and reaps it.
    package borrowing func reapBlocking() throws(SystemError) -> ExitRecord {
        while true {
            if let record = try ExitRecord.reap(type: Int32(P_PIDFD.rawValue), id: fd.raw, options: WEXITED) { return record }
        }
    }
}

/// How a process ended.
public enum ExitStatus: Hashable, Sendable, CustomStringConvertible {
    /// It called exit with this status, 0 to 255.
    case exited(Int32)
    /// A signal ended it.
    case signaled(Int32, coreDumped: Bool)

    /// The status a shell would report: the exit status, or 128 plus the signal.
    public var shellStatus: Int32 {
        switch self {
        case .exited(let status): status
        case .signaled(let number, _): 128 + number
        }
    }

    public var isSuccess: Bool { self == .exited(0) }

    public var description: String {
        switch self {
        case .exited(let status): "exited with status \(status)"
        case .signaled(let number, let dumped):
            "killed by \(Signal.name(of: number))\(dumped ? " (core dumped)" : "")"
        }
    }
}

/// What a process and its waited-for descendants used, getrusage(2).
public struct ResourceUsage: Hashable, Sendable {
    /// CPU time in user mode, microseconds.
    public var userMicroseconds: Int
    /// CPU time in the kernel, microseconds.
    public var systemMicroseconds: Int
    /// Largest resident set, bytes.
    public var peakResidentBytes: Int
    public var minorFaults: Int
    public var majorFaults: Int
    public var voluntarySwitches: Int
    public var involuntarySwitches: Int

    public init(
        userMicroseconds: Int = 0, systemMicroseconds: Int = 0, peakResidentBytes: Int = 0, minorFaults: Int = 0,
        majorFaults: Int = 0, voluntarySwitches: Int = 0, involuntarySwitches: Int = 0
    ) {
        self.userMicroseconds = userMicroseconds
        self.systemMicroseconds = systemMicroseconds
        self.peakResidentBytes = peakResidentBytes
        self.minorFaults = minorFaults
        self.majorFaults = majorFaults
        self.voluntarySwitches = voluntarySwitches
        self.involuntarySwitches = involuntarySwitches
    }

    /// User and system time together, microseconds.
    public var cpuMicroseconds: Int { userMicroseconds + systemMicroseconds }
}

/// A child's end as the kernel reported it to its parent.
public struct ExitRecord: Hashable, Sendable {
    public var pid: Int32
    public var status: ExitStatus
    public var usage: ResourceUsage

    /// Reaps the child behind a pidfd; nil: it runs on and `block` is false.
    package static func reap(pidfd: CInt, block: Bool) throws(SystemError) -> ExitRecord? {
        try reap(type: Int32(P_PIDFD), id: pidfd, options: block ? WEXITED : WEXITED | WNOHANG)
    }

    /// Waits for any child to end and reaps it.
    ///
    /// - Throws: `SystemError` (ECHILD) when there is none.
    package static func reapAny() throws(SystemError) -> ExitRecord? {
        try reap(type: Int32(P_ALL.rawValue), id: 0, options: WEXITED)
    }

    /// waitid(2) in any of its forms; nil when nothing has ended (WNOHANG).
    package static func reap(type: Int32, id: Int32, options: Int32) throws(SystemError) -> ExitRecord? {
        var exit = ck_exit()
        try call("wait for a child") { ck_waitid(type, id, &exit, options) }
        guard exit.pid != 0 else { return nil }
        let status: ExitStatus =
            exit.code == CLD_EXITED ? .exited(exit.status) : .signaled(exit.status, coreDumped: exit.code == CLD_DUMPED)
        let usage = ResourceUsage(
            userMicroseconds: microseconds(exit.usage.ru_utime), systemMicroseconds: microseconds(exit.usage.ru_stime),
            peakResidentBytes: Int(exit.usage.ru_maxrss) * 1024, minorFaults: Int(exit.usage.ru_minflt),
            majorFaults: Int(exit.usage.ru_majflt), voluntarySwitches: Int(exit.usage.ru_nvcsw),
            involuntarySwitches: Int(exit.usage.ru_nivcsw))
        return ExitRecord(pid: exit.pid, status: status, usage: usage)
    }

    private static func microseconds(_ time: timeval) -> Int { Int(time.tv_sec) * 1_000_000 + Int(time.tv_usec) }
}
