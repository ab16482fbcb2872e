package import Linux
package import Sandbox
package import Spawn

/// What a node may ask of the keeper. Version 7 of the protocol.
///
/// One message is one SOCK_SEQPACKET datagram: version (1 byte), kind (1 byte), request number (8 bytes), body.
/// Bodies longer than `MessageSocket.messageBytesLimit` travel in a sealed memory file, the last descriptor of the
/// message. Every request has exactly one answer with its number; events have number 0.
package enum KeeperRequest: Hashable, Sendable {
    /// First message on a connection. The answer tells which keeper this is.
    case hello(node: String)
    /// Compiles a plan; the keeper answers `.template` or says why not. An equal plan gets the same number.
    case define(SandboxPlan)
    /// Forgets a template; what it started runs on.
    case drop(template: UInt32)
    /// Keeps this many children of a template prepared and waiting.
    case prepare(template: UInt32, count: UInt32)
    /// Starts a program: descriptors come with the message as `stdio` says.
    case start(StartRequest)
    /// Runs another program inside a sandbox that runs.
    case execute(ExecuteRequest)
    case signal(sandbox: String, number: Int32, wholeTree: Bool)
    case freeze(sandbox: String)
    case thaw(sandbox: String)
    case resize(sandbox: String, Terminal.Size)
    case usage(sandbox: String)
    /// Makes these the limits of a sandbox that runs; what they leave out is not limited any more. A controller that
    /// it was started without cannot be added.
    case limit(sandbox: String, CgroupLimits)
    /// Everything that runs or whose end has not been acknowledged.
    case list
    /// The node has recorded the end: the keeper may forget it.
    case acknowledge(sandbox: String)
    /// Takes part in the streams of a sandbox whose output is logged. The answer `.done` carries the reading ends of
    /// pipes with copies of the output from now on (stdout, stderr), or for a terminal the reading end of its output
    /// and the writing end of its input. A reader that does not read holds the program up; closing detaches.
    case attach(sandbox: String)
    /// How the keeper itself is doing.
    case status
    /// Ends the keeper; refused while programs run unless `killing`.
    case shutdown(killing: Bool)
}

/// One start. What namespaces the plan says are given are the last descriptors of the message: the network's, then
/// that of IPC.
package struct StartRequest: Hashable, Sendable {
    package var template: UInt32
    /// The name that the node gave: letters, digits, "-", "_", "." (at most 128).
    package var sandbox: String
    package var call: ProgramCall
    package var stdio: StandardStreams
    /// Bytes after which the log is rotated; one older file is kept.
    package var logBytesLimit: Int
    /// Whether the answer carries what an `.attach` right at the start would: not a byte of output is missed.
    package var attached: Bool
    /// For a plan with rooms: the name of one that is there, of a sandbox that has ended; nil: a fresh one.
    package var room: String?
    /// For a plan with rooms: what the files of /etc are to hold.
    package var files: RoomFiles
    /// The name of a sandbox that runs and inside whose pid namespace that of this one is made: with it the new one
    /// ends, and its programs may enter the new one's user namespace and what belongs to that (setns(2)). Descriptors
    /// that lead there follow in the answer: a pidfd of the new sandbox's first process, then the files of its cgroups
    /// into which a process writes "0" to join. nil: the machine's pid namespace.
    package var beneath: String?
    /// For a plan whose pid namespace is given: the name of a sandbox that runs, into whose it is born.
    package var among: String?

    package init(
        template: UInt32, sandbox: String, call: ProgramCall, stdio: StandardStreams, logBytesLimit: Int = 16 << 20,
        attached: Bool = false, room: String? = nil, files: RoomFiles = RoomFiles(), beneath: String? = nil,
        among: String? = nil
    ) {
        self.template = template
        self.sandbox = sandbox
        self.call = call
        self.stdio = stdio
        self.logBytesLimit = logBytesLimit
        self.attached = attached
        self.room = room
        self.files = files
        self.beneath = beneath
        self.among = among
    }
}

/// What a program's standard streams are connected to.
package enum StandardStreams: Hashable, Sendable {
    /// The message carries stdin, stdout and stderr: the program gets exactly these. Nothing is logged.
    case passed
    /// The message carries stdin and the log's directory: output goes through the keeper into the log.
    case logged
    /// The message carries the log's directory: a pseudo-terminal whose output the keeper logs and copies to
    /// whoever attaches.
    case terminal(Terminal.Size)
    /// Pipes of the keeper's making, whose other ends come back with the answer (stdin, stdout, stderr).
    case pipes

    /// How many descriptors the request brings.
    package var descriptorCount: Int {
        switch self {
        case .passed: 3
        case .logged: 2
        case .terminal: 1
        case .pipes: 0
        }
    }
}

/// Another program in a running sandbox: its namespaces, cgroup and filter.
package struct ExecuteRequest: Hashable, Sendable {
    package var sandbox: String
    /// The name of the new program, listed and waited for like a sandbox.
    package var name: String
    package var call: ProgramCall
    /// nil: the message carries stdin, stdout and stderr. Else a pseudo-terminal of the sandbox is made, and its
    /// master comes back with the answer.
    package var terminal: Terminal.Size?
    /// Who to run as; nil: as the sandbox does.
    package var identity: Users.Identity?

    package init(
        sandbox: String, name: String, call: ProgramCall, terminal: Terminal.Size? = nil,
        identity: Users.Identity? = nil
    ) {
        self.sandbox = sandbox
        self.name = name
        self.call = call
        self.terminal = terminal
        self.identity = identity
    }
}

/// What the keeper says: answers, and events with request number 0.
package enum KeeperReply: Hashable, Sendable {
    case hello(KeeperIdentity)
    case done
    case template(UInt32)
    case started(StartReport)
    case usage(CgroupUsage)
    case list([SandboxReport])
    case status(KeeperStatus)
    case failed(KeeperFailure)
    /// An event: a program has ended. Sent to the connected node, and again to each that connects, until
    /// it is acknowledged.
    case ended(sandbox: String, EndReport)
}

/// Which keeper answers.
package struct KeeperIdentity: Hashable, Sendable {
    package var pid: Int32
    /// Different for every keeper that ever ran.
    package var generation: UInt64
    package var build: String

    package init(pid: Int32, generation: UInt64, build: String) {
        self.pid = pid
        self.generation = generation
        self.build = build
    }
}

/// A program was started.
package struct StartReport: Hashable, Sendable {
    /// The pid on the machine.
    package var pid: Int32
    package var startedAt: Timestamp
    /// From the arrival of the request to the end of the exec, nanoseconds.
    package var startNanoseconds: Int
    /// Whether a prepared child was taken.
    package var wasPrepared: Bool
    /// The name of its room; nil for a plan without rooms. Whoever started it owns the room and removes it.
    package var room: String?

    package init(pid: Int32, startedAt: Timestamp, startNanoseconds: Int, wasPrepared: Bool, room: String? = nil) {
        self.pid = pid
        self.startedAt = startedAt
        self.startNanoseconds = startNanoseconds
        self.wasPrepared = wasPrepared
        self.room = room
    }
}

/// A program has ended.
package struct EndReport: Hashable, Sendable {
    package var status: ExitStatus
    package var usage: ResourceUsage
    package var endedAt: Timestamp
    /// What the whole sandbox used; nil where no cgroup counted.
    package var cgroup: CgroupUsage?
    /// The kernel killed a program of the sandbox because its memory limit was reached.
    package var outOfMemory: Bool
    /// Bytes of output that could not be written to the log (a full disk).
    package var lostLogBytes: Int

    package init(
        status: ExitStatus, usage: ResourceUsage, endedAt: Timestamp, cgroup: CgroupUsage?, outOfMemory: Bool,
        lostLogBytes: Int
    ) {
        self.status = status
        self.usage = usage
        self.endedAt = endedAt
        self.cgroup = cgroup
        self.outOfMemory = outOfMemory
        self.lostLogBytes = lostLogBytes
    }
}

/// One entry of the keeper's list.
package struct SandboxReport: Hashable, Sendable {
    package var sandbox: String
    /// The sandbox in which this program was executed; nil for a sandbox's own program.
    package var parent: String?
    package var start: StartReport
    package var isFrozen: Bool
    /// nil while it runs.
    package var end: EndReport?

    package init(sandbox: String, parent: String?, start: StartReport, isFrozen: Bool, end: EndReport?) {
        self.sandbox = sandbox
        self.parent = parent
        self.start = start
        self.isFrozen = isFrozen
        self.end = end
    }
}

/// How the keeper is doing.
package struct KeeperStatus: Hashable, Sendable {
    package var running: Int
    package var prepared: Int
    package var templates: Int
    package var starts: Int
    package var residentBytes: Int
    package var openDescriptors: Int

    package init(
        running: Int, prepared: Int, templates: Int, starts: Int, residentBytes: Int, openDescriptors: Int
    ) {
        self.running = running
        self.prepared = prepared
        self.templates = templates
        self.starts = starts
        self.residentBytes = residentBytes
        self.openDescriptors = openDescriptors
    }
}

/// Why a request was refused or failed.
package struct KeeperFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: UInt8, Sendable {
        /// The request itself is wrong: nothing was changed.
        case badRequest = 1
        /// No sandbox or template of that name.
        case notFound = 2
        /// The name is taken.
        case conflict = 3
        /// The kernel refused a step; nothing is left running.
        case system = 4
        /// The message could not be understood.
        case protocolError = 5
    }

    package var kind: Kind
    package var sentence: String
    /// The kernel's reason; 0 when there is none.
    package var code: Int32

    /// Whether the same request may succeed a moment later.
    package var isMomentary: Bool { kind == .conflict && code == Errno.again.rawValue }

    package init(_ kind: Kind, _ sentence: String, code: Int32 = 0) {
        self.kind = kind
        self.sentence = sentence
        self.code = code
    }

    package var description: String { sentence }
}
