package import Linux

/// The processes of the machine, or of a subtree: what happens goes in, records of processes come out when they have ended.
///
/// Pure: it reads no clock and no /proc. Whoever feeds it reads what it asks for, at once, since the process may be gone.
///
/// Invariants
/// 1. A process that forked or executed something while it was watched gives exactly one record.
///    (test: `every process gives one record, in whatever order its events come`)
/// 2. What was read of a process is attributed to the program that it ran then: what was read after a later exec belongs to
///    that one. (test: `what was read after the next exec belongs to that one`)
/// 3. Whatever is missing is counted. (test: `what could not be read is counted`)
/// 4. Records refer to parents that have a record too. (test: `parents are referred to by numbers that are recorded`)
package struct ProcessTable: Sendable {
    /// Something that was seen.
    package enum Event: Sendable {
        /// A process that was there when watching began.
        case present(pid: Int32, parent: Int32, program: String?, arguments: [String]?, unit: String?)
        case forked(at: Int, parent: Int32, child: Int32)
        case executed(at: Int, pid: Int32)
        case exited(at: Int, pid: Int32, status: ExitStatus)
        /// What a process's last or only exec ran, answering `.look`.
        case looked(pid: Int32, ProcessGlimpse)
        /// A process's resident memory, answering `.measure`.
        case measured(at: Int, pid: Int32, bytes: Int?)
        /// The accounting of one of its threads. The executable is a path that is known to be that file.
        case accounted(TaskRecord, executable: String?)
        case traced(pid: Int32, DeepFacts)
        /// What the first thread of a process has used, read when its exit was known, answering `.settle`.
        case settled(pid: Int32, cpuNanoseconds: Int?)
    }

    /// What is to be done about it.
    package enum Action: Sendable, Equatable {
        /// Read what it executes.
        case look(Int32, withUnit: Bool)
        /// Read how large it is.
        case measure(Int32)
        case record(RecordedProcess)
        /// Read the time on a processor of a process that has ended and is perhaps not reaped yet.
        case settle(Int32)
    }

    /// Where usage comes from.
    package enum Accounting: Sendable {
        /// A record for every thread follows the exit; so long after it, in nanoseconds, it is given up.
        case following(patience: Int)
        /// There is none, or it came before the exit.
        case none
    }

    /// Below this the time on a processor that accounting names says little, nanoseconds: of a running task the kernel has
    /// booked it up to the last switch or tick, which for a short program is nothing at all.
    private static let bookedEnough = 20_000_000

    /// How old a parent's size may be, nanoseconds: one that forks thousands of times a second is not measured each time.
    private static let sizeAge = 100_000_000

    private var entries: [Int32: ProcessEntry] = [:]
    /// Processes that have ended and wait for their accounting, by pid: the pid may be another's already.
    private var ended: [Int32: ProcessEntry] = [:]
    private var nextNumber = 1
    private let accounting: Accounting
    private let blur: Int
    private let matcher: OriginMatcher
    private let start: Int
    package private(set) var losses = RecordingLosses()

    /// - Parameters:
    ///   - start: CLOCK_MONOTONIC at the start of the recording.
    ///   - blur: how long before its event an exec can have changed what /proc shows, nanoseconds.
    package init(start: Int, accounting: Accounting, origins: [ProgramOrigin] = [], blur: Int = 0) {
        self.start = start
        self.blur = blur
        self.accounting = accounting
        matcher = OriginMatcher(origins)
    }

    /// Processes that run, as far as they are known.
    package var runningCount: Int { entries.count }

    /// How much was lost elsewhere.
    package mutating func lost(_ change: (inout RecordingLosses) -> Void) { change(&losses) }

    package mutating func take(_ event: Event) -> [Action] {
        switch event {
        case .present(let pid, let parent, let program, let arguments, let unit):
            present(pid, parent, program, arguments, unit)
            return []
        case .forked(let at, let parent, let child): return forked(at, parent, child)
        case .executed(let at, let pid): return executed(at, pid)
        case .exited(let at, let pid, let status): return exited(at, pid, status)
        case .looked(let pid, let glimpse):
            looked(pid, glimpse)
            return []
        case .measured(let at, let pid, let bytes):
            measured(at, pid, bytes)
            return []
        case .accounted(let record, let executable): return accounted(record, executable)
        case .traced(let pid, let facts):
            entries[pid]?.deep = facts
            return []
        case .settled(let pid, let nanoseconds):
            ended[pid]?.firstThreadCPU = nanoseconds
            return recordIfComplete(pid)
        }
    }

    /// Gives up waiting for accounting that is overdue at this time.
    package mutating func pass(to now: Int) -> [Action] {
        guard case .following(let patience) = accounting else { return [] }
        let overdue = ended.filter { now - $0.value.exitedAt > patience }.keys.sorted()
        return overdue.flatMap { pid in giveUp(pid) }
    }

    /// The records of all that is left: what waits for accounting, and what still runs.
    package mutating func finish() -> [Action] {
        var actions = ended.keys.sorted().flatMap { pid in giveUp(pid) }
        for entry in entries.values.sorted(by: { $0.number ?? 0 < $1.number ?? 0 }) where entry.number != nil {
            actions.append(.record(record(entry)))
        }
        entries = [:]
        return actions
    }

    // MARK: Events

    private mutating func present(
        _ pid: Int32, _ parent: Int32, _ program: String?, _ arguments: [String]?, _ unit: String?
    ) {
        // What has happened since then is newer.
        guard entries[pid] == nil else { return }
        var entry = ProcessEntry(pid: pid, parent: RecordedParent(pid: parent))
        entry.program = program
        entry.arguments = arguments
        entry.origins = matcher.origins(
            of: OriginMatcher.Subject(program: program, arguments: arguments, unit: unit, parentProgram: nil))
        entries[pid] = entry
    }

    private mutating func forked(_ at: Int, _ parent: Int32, _ child: Int32) -> [Action] {
        var actions = displaced(child)
        if entries[parent] == nil { entries[parent] = ProcessEntry(pid: parent, parent: RecordedParent(pid: 0)) }
        let above = entries[parent]!
        var entry = ProcessEntry(
            pid: child, parent: RecordedParent(pid: parent, number: above.number, program: above.program))
        entry.number = nextNumber
        nextNumber += 1
        entry.fork = at - start
        entry.program = above.program
        entry.arguments = above.arguments
        entry.origins = above.origins
        if let size = above.size, at - size.at <= Self.sizeAge { entry.parent.residentBytes = size.bytes }
        let isMeasured = above.size.map { at - $0.at <= Self.sizeAge } ?? false
        entries[child] = entry
        if !isMeasured { actions.append(.measure(parent)) }
        return actions
    }

    private mutating func executed(_ at: Int, _ pid: Int32) -> [Action] {
        var entry = entries[pid] ?? ProcessEntry(pid: pid, parent: RecordedParent(pid: 0))
        if entry.number == nil {
            entry.number = nextNumber
            nextNumber += 1
        }
        var exec = RecordedExec(at: at - start, program: nil)
        if let last = entry.execs.indices.last, let seen = entry.looked, seen.ended + blur >= at {
            // It was read when this exec had happened, or while it did: then nobody knows whose it is.
            let read = entry.execs[last]
            entry.execs[last] = RecordedExec(at: read.at, program: nil)
            if seen.began >= at {
                exec = read
                exec.at = at - start
            }
        }
        entry.execs.append(exec)
        entries[pid] = entry
        let parentProgram = entry.parent.program
        let isFromInit = entry.parent.pid == 1 && parentProgram != nil
        return [.look(pid, withUnit: isFromInit)]
    }

    private mutating func looked(_ pid: Int32, _ glimpse: ProcessGlimpse) {
        guard var entry = entries[pid], let last = entry.execs.indices.last else { return }
        entry.looked = (glimpse.began, glimpse.ended)
        if let program = glimpse.program {
            entry.execs[last].program = program.path
            entry.execs[last].interpreter = program.interpreter
            entry.program = program.path
        }
        if let arguments = glimpse.arguments { entry.execs[last].arguments = arguments }
        entry.execs[last].directory = glimpse.directory ?? entry.execs[last].directory
        entry.arguments = glimpse.arguments
        let matched = matcher.origins(
            of: OriginMatcher.Subject(
                program: entry.execs[last].program, arguments: glimpse.arguments, unit: glimpse.unit,
                parentProgram: entry.parent.program))
        for origin in matched where !entry.origins.contains(origin) { entry.origins.append(origin) }
        entries[pid] = entry
    }

    private mutating func measured(_ at: Int, _ pid: Int32, _ bytes: Int?) {
        guard let bytes else { return }
        entries[pid]?.size = (at, bytes)
        // The children that were forked since it was last measured.
        for (child, entry) in entries where entry.parent.pid == pid && entry.parent.residentBytes == nil {
            if let fork = entry.fork, at - start - fork <= Self.sizeAge { entries[child]!.parent.residentBytes = bytes }
        }
    }

    private mutating func exited(_ at: Int, _ pid: Int32, _ status: ExitStatus) -> [Action] {
        guard var entry = entries.removeValue(forKey: pid) else { return [] }
        guard entry.number != nil else { return [] }
        entry.exit = RecordedExit(at: max(at - start, entry.execs.last?.at ?? entry.fork ?? .min), status: status)
        entry.exitedAt = at
        if case .following = accounting {
            // The pid's last owner waits no longer.
            let overdue = giveUp(pid)
            ended[pid] = entry
            return overdue + [.settle(pid)]
        }
        if entry.usage.isEmpty { losses.usageMissed += 1 }
        return [.record(record(entry))]
    }

    private mutating func accounted(_ record: TaskRecord, _ executable: String?) -> [Action] {
        let pid = record.process
        guard ended[pid] != nil else {
            entries[pid]?.add(record, executable)
            return []
        }
        ended[pid]!.add(record, executable)
        return recordIfComplete(pid)
    }

    private mutating func recordIfComplete(_ pid: Int32) -> [Action] {
        guard let entry = ended[pid], entry.isAccounted else { return [] }
        ended[pid] = nil
        return [.record(record(entry))]
    }

    // MARK: Records

    /// A pid that is used again while its last owner is still here: its exit was lost, or it waits for accounting.
    private mutating func displaced(_ pid: Int32) -> [Action] {
        var actions = giveUp(pid)
        if let entry = entries.removeValue(forKey: pid), entry.number != nil { actions.append(.record(record(entry))) }
        return actions
    }

    private mutating func giveUp(_ pid: Int32) -> [Action] {
        guard let entry = ended.removeValue(forKey: pid) else { return [] }
        losses.usageMissed += 1
        return [.record(record(entry))]
    }

    private mutating func record(_ ended: ProcessEntry) -> RecordedProcess {
        var entry = ended
        if let last = entry.execs.indices.last, entry.execs[last].program == nil, let executable = entry.executable {
            entry.execs[last].program = executable
            entry.execs[last].evidence = .inode
        }
        if entry.fork != nil, entry.parent.residentBytes == nil { losses.parentSizesMissed += 1 }
        for exec in entry.execs where exec.arguments == nil {
            losses.argumentsMissed += 1
            if exec.program == nil { losses.programsMissed += 1 }
        }
        return RecordedProcess(
            number: entry.number!, pid: entry.pid, parent: entry.parent, uid: entry.uid, gid: entry.gid,
            name: entry.name,
            fork: entry.fork, execs: entry.execs, exit: entry.exit, usage: usage(of: entry), origins: entry.origins,
            deep: entry.deep)
    }
}

extension ProcessTable {
    /// What is known of the time on a processor: of the first thread what was read after its exit, or what was booked
    /// if that is enough to say something; with nothing of it, nothing.
    private func usage(of entry: ProcessEntry) -> RecordedUsage {
        var usage = entry.usage
        guard case .following = accounting, entry.isAccounted else { return usage }
        let others = (usage.cpuNanoseconds ?? 0) - entry.firstThreadBooked
        if let exact = entry.firstThreadCPU {
            usage.cpuNanoseconds = others + max(exact, entry.firstThreadBooked)
        } else if entry.firstThreadBooked < Self.bookedEnough {
            usage.cpuNanoseconds = nil
        }
        return usage
    }
}

/// One process, as the table keeps it.
struct ProcessEntry: Sendable {
    var pid: Int32
    var parent: RecordedParent
    /// nil: nothing that is recorded has happened to it yet.
    var number: Int?
    /// The path of what it runs, from its parent until it executes something.
    var program: String?
    var arguments: [String]?
    var uid: UInt32?
    var gid: UInt32?
    var name: String?
    var fork: Int?
    var execs: [RecordedExec] = []
    var exit: RecordedExit?
    var exitedAt = 0
    var usage = RecordedUsage()
    var origins: [Int] = []
    var deep: DeepFacts?
    /// When its arguments were read last.
    var looked: (began: Int, ended: Int)?
    var size: (at: Int, bytes: Int)?
    /// Time on a processor of its first thread: as accounting has it, and as it was after the exit.
    var firstThreadBooked = 0
    var firstThreadCPU: Int?
    /// What accounting says that it ran at its end; it can come before the event of the exec.
    var executable: String?
    /// Whether the accounting of its last thread has come.
    var isAccounted = false

    init(pid: Int32, parent: RecordedParent) {
        self.pid = pid
        self.parent = parent
    }

    /// Adds what one thread used.
    mutating func add(_ record: TaskRecord, _ executable: String?) {
        func add(_ path: WritableKeyPath<RecordedUsage, Int?>, _ value: Int?) {
            guard let value else { return }
            usage[keyPath: path] = (usage[keyPath: path] ?? 0).addingReportingOverflow(value).partialValue
        }
        add(\.cpuNanoseconds, record.cpuNanoseconds)
        add(\.userNanoseconds, record.userNanoseconds)
        add(\.systemNanoseconds, record.systemNanoseconds)
        add(\.readBytes, record.readBytes)
        add(\.writtenBytes, record.writtenBytes)
        add(\.minorFaults, record.minorFaults)
        add(\.majorFaults, record.majorFaults)
        usage.peakMemoryBytes = max(usage.peakMemoryBytes ?? 0, record.peakResidentBytes)
        isAccounted = isAccounted || record.isLast
        guard record.thread == record.process else { return }
        firstThreadBooked = record.cpuNanoseconds
        uid = record.uid
        gid = record.gid
        name = RecordedText.text(record.name)
        self.executable = executable
    }
}
