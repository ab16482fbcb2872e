package import Linux

/// What a recording tells of one program. A call is one exec of it.
package struct RecordedProgram: Hashable, Sendable {
    /// Which program: by its path, or by its process's name where the path was not seen.
    package enum Identity: Hashable, Sendable, Comparable {
        case path(String)
        case name(String)

        /// "/usr/bin/make", "[make]".
        package var text: String {
            switch self {
            case .path(let path): path
            case .name(let name): "[\(name)]"
            }
        }

        package var path: String? { if case .path(let path) = self { path } else { nil } }
    }

    package var identity: Identity
    package var calls = 0
    /// Calls a second over the whole recording; 0 when it took no time.
    package var callsPerSecond = 0.0
    /// Times of the first and the last call.
    package var firstCall = 0
    package var lastCall = 0
    /// Calls that still ran when the recording ended, or whose end was not seen.
    package var unfinished = 0
    /// Who called it, the most frequent first.
    package var callers: [Caller] = []
    /// What its interpreter is, when it is a script.
    package var interpreter: String?
    /// Nanoseconds from the fork to the exec, of calls that began with a fork.
    package var forkToExec = Spread()
    /// Nanoseconds from the exec to the next one or to the end.
    package var lifetime = Spread()
    /// Nanoseconds of CPU time, of processes that executed nothing but this program (`usageIsShared` counts the others).
    package var cpu = Spread()
    /// Bytes of the largest resident set, of the same processes.
    package var peakMemory = Spread()
    package var readBytes = Spread()
    package var writtenBytes = Spread()
    /// Calls in processes that executed several programs, whose usage cannot be told apart.
    package var usageIsShared = 0
    /// How it ended: status or signal, and how often.
    package var exits: [ExitStatus: Int] = [:]
    package var users: [UInt32: Int] = [:]
    package var directories: [String: Int] = [:]
    /// Calls with different arguments, the first ones seen, at most `exampleLimit`.
    package var examples: [Example] = []
    /// Calls whose arguments were not seen.
    package var argumentsMissed = 0
    /// Positions in `Recording.origins`, with the calls that come from there.
    package var origins: [Int: Int] = [:]
    /// Programs that its processes started, and how often.
    package var children: [String: Int] = [:]
    /// Children that it forked and that executed nothing.
    package var forksWithoutExec = 0
    /// How long those lived, nanoseconds.
    package var forkLifetime = Spread()
    /// The union of what was traced; nil when no call was.
    package var deep: DeepFacts?
    /// Calls that were traced.
    package var tracedCalls = 0

    package static let exampleLimit = 8

    package init(_ identity: Identity) { self.identity = identity }

    /// Calls that ended otherwise than with status 0.
    package var failures: Int { exits.reduce(0) { $0 + ($1.key.isSuccess ? 0 : $1.value) } }

    package struct Caller: Hashable, Sendable {
        /// The caller's program; nil: not known.
        package var program: String?
        package var calls: Int
        /// Bytes resident at the fork. Empty when they were not seen.
        package var residentBytes: Spread
        /// Calls by exec alone: the caller's process became this program.
        package var withoutFork: Int

        package init(program: String?, calls: Int, residentBytes: Spread, withoutFork: Int) {
            self.program = program
            self.calls = calls
            self.residentBytes = residentBytes
            self.withoutFork = withoutFork
        }
    }

    package struct Example: Hashable, Sendable {
        package var arguments: [String]
        package var directory: String?

        package init(arguments: [String], directory: String? = nil) {
            self.arguments = arguments
            self.directory = directory
        }
    }
}
