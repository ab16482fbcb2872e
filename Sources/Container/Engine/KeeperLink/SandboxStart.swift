package import Keeper
package import Linux
package import Sandbox
package import Spawn

/// One start, as an owner asks for it.
package struct SandboxStart: Sendable {
    package var plan: SandboxPlan
    /// The name that the keeper knows it by, chosen by the owner and never used twice.
    package var name: String
    package var call: ProgramCall
    package var streams: StandardStreams
    package var logBytes: Int
    /// Whether copies of the output come back with the answer.
    package var isAttached: Bool
    /// For a plan with rooms: the one to go on in; nil: a fresh one.
    package var room: String?
    /// For a plan with rooms: what the files of /etc are to hold.
    package var files: RoomFiles
    /// For a plan whose network is given: its namespace.
    package var network: SharedFD?
    /// For a plan whose IPC namespace is given.
    package var ipc: SharedFD?
    /// A sandbox inside whose pid namespace it is started, and from which it can be entered: `StartRequest.beneath`.
    package var beneath: String?
    /// For a plan whose pid namespace is given: the sandbox whose it is, `StartRequest.among`.
    package var among: String?

    package init(
        plan: SandboxPlan, name: String, call: ProgramCall, streams: StandardStreams,
        logBytes: Int = ContainerSpec.defaultLogBytes, isAttached: Bool = false, room: String? = nil,
        files: RoomFiles = RoomFiles(), network: SharedFD? = nil, ipc: SharedFD? = nil, beneath: String? = nil,
        among: String? = nil
    ) {
        self.plan = plan
        self.name = name
        self.call = call
        self.streams = streams
        self.logBytes = logBytes
        self.isAttached = isAttached
        self.room = room
        self.files = files
        self.network = network
        self.ipc = ipc
        self.beneath = beneath
        self.among = among
    }
}

/// A program that runs, with the descriptors that came back with it.
package struct StartedSandbox: Sendable {
    package var report: StartReport
    package var descriptors: [SharedFD]
    /// The round of adoption after which it was started; 0: before any.
    package var round = 0
}

/// Why a start has no report.
package enum StartProblem: Error, Hashable, Sendable {
    /// Nothing was started.
    case failed(NodeFailure)
    /// The link broke first: it may run, and adoption will tell.
    case unanswered(NodeFailure)

    package var failure: NodeFailure {
        switch self {
        case .failed(let failure), .unanswered(let failure): failure
        }
    }
}

/// Which plans the connected keeper has under which number, the least recently used giving way.
struct TemplateNumbers {
    private struct Entry {
        var number: UInt32
        var lastUse: Int
    }

    private var entries: [SandboxPlan: Entry] = [:]
    private var uses = 0
    let limit: Int

    init(limit: Int) { self.limit = limit }

    mutating func use(_ plan: SandboxPlan) -> UInt32? {
        uses += 1
        guard let number = entries[plan]?.number else { return nil }
        entries[plan]!.lastUse = uses
        return number
    }

    /// Notes a number and returns that of the template which made room, if one had to.
    mutating func add(_ plan: SandboxPlan, _ number: UInt32) -> UInt32? {
        uses += 1
        entries[plan] = Entry(number: number, lastUse: uses)
        guard entries.count > limit, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) else {
            return nil
        }
        entries[oldest.key] = nil
        return oldest.value.number
    }

    mutating func remove(_ plan: SandboxPlan) { entries[plan] = nil }
    mutating func removeAll() { entries = [:] }
}

extension NodeFailure {
    /// What the keeper said, in the API's kinds.
    package init(_ failure: KeeperFailure) {
        let kind: Kind =
            switch (failure.kind, Errno(failure.code)) {
            case (.badRequest, _): .badRequest
            case (.notFound, _): .notFound
            case (.conflict, _): .conflict
            case (.protocolError, _): .protocolError
            // Only the exec itself tells that the program cannot be executed; other steps fail for other reasons.
            case (.system, .noEntry) where failure.sentence.hasPrefix("execute"): .notFound
            case (.system, .accessDenied) where failure.sentence.hasPrefix("execute"): .notExecutable
            case (.system, .badExecutable): .notExecutable
            case (.system, _): .system
            }
        self.init(kind, failure.sentence)
    }
}
