public import Linux

/// What a template's programs are given and under which constraints they run.
///
/// Nothing of it changes this process. Everything is set in the child, between its birth and its exec, in this
/// order: descriptors; session or process group and terminal; umask; limits, priority, scheduler and processors
/// (as long as it may still do what the caller may); groups, group and user; the parent-death signal (which a
/// change of user would clear); no-new-privileges; the working directory (as the user); signals.
public struct Options: Sendable {
    public var environment = Environment.inherited
    /// Where programs start; nil: this process's working directory at that moment.
    public var directory: String?
    /// `argv[0]`; nil: the program's path or name as it was given.
    public var argumentZero: String?

    public var standardInput = Input.inherit
    public var standardOutput = Output.inherit
    public var standardError = Output.inherit
    /// The size of the terminal that programs get where a stream says `.terminal`.
    public var terminalSize = Terminal.Size(rows: 24, columns: 80)
    /// Descriptors beside the standard streams: number in the program, open file here. Nothing else that is open
    /// in this process reaches the program, marked close-on-exec or not.
    public var descriptors: [CInt: SharedFD] = [:]

    /// Who the program runs as; nil: as this process.
    public var user: Users.Identity?
    public var umask: UInt32?
    public var limits: [ResourceLimit] = []
    /// -20 (first) to 19 (last), setpriority(2).
    public var nice: Int32?
    /// The processors that it may use, by number from 0; nil: as this process.
    public var processors: Set<Int>?
    public var scheduler: Scheduler?
    /// Never gain privileges by executing a file (set-user-ID and the like), PR_SET_NO_NEW_PRIVS.
    public var noNewPrivileges = false

    public var group = ProcessGroup.inherited
    /// A signal that the program gets when the *thread* that started it ends, PR_SET_PDEATHSIG; with this process
    /// at the latest. Threads of Swift's cooperative pool live as long as the process.
    public var deathSignal: Int32?
    /// Signals that are blocked when the program begins. None by default, whatever the calling thread blocks.
    public var blockedSignals: [Int32] = []
    /// Signals whose being ignored is not passed on. SIGPIPE always belongs to them. Handlers are reset by any exec.
    public var defaultSignals: [Int32] = []

    /// A directory of the cgroup v2 file system in which programs are born (CLONE_INTO_CGROUP) and through which
    /// their tree is killed: nobody else's processes may be in it.
    public var cgroup: SharedFD?

    /// How the child's memory relates to ours until its exec; `.copied` is the baseline that benchmarks need.
    package var memory = CompiledProgram.MemorySharing.shared

    public init() {}

    /// The scheduling policies of sched(7).
    public enum Scheduler: Hashable, Sendable {
        case other
        case batch
        case idle
        /// Real time, first in first out; priority 1 to 99.
        case firstInFirstOut(priority: Int32)
        /// Real time, in turns; priority 1 to 99.
        case roundRobin(priority: Int32)
    }

    /// The process group and session of a program, setpgid(2) and setsid(2).
    public enum ProcessGroup: Hashable, Sendable {
        /// This process's.
        case inherited
        /// A group of its own: signals from the terminal's keys do not reach it.
        case own
        /// A group that exists in this session.
        case joining(Int32)
        /// A session of its own, without a terminal unless a stream says `.terminal`, which implies it.
        case ownSession
    }

    /// Gives programs a terminal of their own on all three streams.
    public mutating func useTerminal(_ size: Terminal.Size = Terminal.Size(rows: 24, columns: 80)) {
        terminalSize = size
        standardInput = .terminal
        standardOutput = .terminal
        standardError = .terminal
    }

    /// Whether programs get a terminal of their own.
    var usesTerminal: Bool {
        standardInput == .terminal || standardOutput == .terminal || standardError == .terminal
    }

    /// Whether programs lead a process group of their own.
    var leadsGroup: Bool { usesTerminal || group == .own || group == .ownSession }
}
