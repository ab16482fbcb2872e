package import Linux
import Synchronization

/// Runs a command and sees every process that it and its descendants start, with complete arguments, however short they
/// live.
///
/// It traces with ptrace(2), for forks, execs and ends alone: no system call stops, but each of those events does. The
/// alternative, a seccomp filter that asks a supervisor about every execve, costs a third of that. It was not taken, because
/// its filter outlives the observer: once nobody answers, every exec of the subtree fails with ENOSYS, daemons that the
/// command left behind included. When a tracer dies, its tracees simply run on.
///
/// Traced by root, set-uid programs get their user; traced by others they do not, as execve(2) says. What traces by itself
/// (a debugger, strace) cannot do so below this.
///
/// Invariant: a record for every process of the subtree, with the arguments of every exec.
/// (test: `thousands of short processes are all recorded with their arguments`)
package final class SubtreeObserver: Sendable {
    package typealias News = LiveObserver.News

    package static let sources = ["ptrace", "/proc"]

    /// What is looked at beyond starts and ends.
    package enum Depth: Sendable, Hashable {
        case processes
        /// System calls too, as `CallDeeds` has them. Calls that the filter names fail once nobody traces, so the subtree
        /// dies with the tracer. Loading the filter without giving up set-uid programs takes CAP_SYS_ADMIN.
        case systemCalls(keepsValues: Bool)
    }

    package static let deepSources = ["ptrace", "seccomp", "/proc"]

    private let command: TracedCommand
    private let depth: Depth
    private let state = Mutex(State())

    private struct State {
        var pid: Int32?
        var status: ExitStatus?
        var waker: WaitWaker?
        var isLeft = false
    }

    package init(_ command: TracedCommand, depth: Depth = .processes) {
        self.command = command
        self.depth = depth
    }

    /// The command's process; nil before it is there.
    package var pid: Int32? { state.withLock { $0.pid } }

    /// How the command itself ended; nil before.
    package var status: ExitStatus? { state.withLock { $0.status } }

    /// Sends the command a signal, unless it has ended.
    ///
    /// The number cannot be another process's: the tracer's thread has not reaped it while `status` is nil.
    package func signal(_ number: Int32) {
        state.withLock { state in
            guard let pid = state.pid, state.status == nil else { return }
            try? ProcessFD(pid: pid).signal(number)
        }
    }

    /// Starts the command on a thread of its own, which ends when the last process of the subtree has.
    ///
    /// - Parameter start: CLOCK_MONOTONIC at the start of the recording.
    package func run(
        from start: Int, origins: [ProgramOrigin], _ tell: @escaping @Sendable (News) -> Void
    ) throws(SystemError) {
        try HelperThread.start("tracer") { [self] in
            var work = TraceWork(start: start, origins: origins, tell: tell, depth: depth)
            do throws(SystemError) {
                try trace(&work)
                work.finish(nil)
            } catch { work.finish(error) }
        }
    }

    /// Has the thread end and leave what still runs of the subtree to itself: it runs on untraced.
    package func leave() {
        let waker = state.withLock { state in
            state.isLeft = true
            return state.waker
        }
        waker?.wake()
    }

    private func trace(_ work: inout TraceWork) throws(SystemError) {
        let waker = try WaitWaker()
        let isLeft = state.withLock { state in
            state.waker = waker
            return state.isLeft
        }
        if isLeft { waker.wake() }
        var filter: [UInt8] = []
        var options: Tracing.Options = [.children, .exec, .exit]
        if case .systemCalls = depth {
            do { filter = try DeepFilter.bytes() } catch { preconditionFailure("\(error)") }
            options.formUnion([.filtered, .systemCalls, .killedWithTracer])
        }
        var child = try TracedStart(
            path: RecordedText.bytes(command.path), arguments: command.arguments.map(RecordedText.bytes),
            environment: command.environment, filter: filter)
        state.withLock { $0.pid = child.pid }
        let root = child.pid
        try Tracing.seize(root, options)
        work.begin(root, parent: ThisProcess.pid)
        try child.release()
        var tasks = TracedTasks(root: root)
        while let (pid, stop) = try Tracing.next() {
            // Somebody has woken us to leave, or the last tracee has: the waker's end is no tracee's.
            if pid == waker.pid { return }
            let (message, isThread) = TraceWork.details(pid, stop)
            for action in tasks.take(pid, stop, message: message, isThread: isThread) {
                if case .exited(root, let status) = action { try ended(status, work.hasExecuted, &child) }
                try work.perform(action)
            }
            if tasks.count == 0 { waker.wake() }
        }
    }

    private func ended(_ status: ExitStatus, _ hasExecuted: Bool, _ child: inout TracedStart) throws(SystemError) {
        state.withLock { $0.status = status }
        guard !hasExecuted, let code = try child.failure() else { return }
        throw SystemError("execute", command.path, code: code)
    }
}

/// What the tracer's thread works on.
struct TraceWork {
    var table: ProcessTable
    /// Whether anything was executed.
    private(set) var hasExecuted = false
    private let tell: @Sendable (LiveObserver.News) -> Void

    private var deep: DeepWork?

    init(
        start: Int, origins: [ProgramOrigin], tell: @escaping @Sendable (LiveObserver.News) -> Void,
        depth: SubtreeObserver.Depth
    ) {
        if case .systemCalls(let keepsValues) = depth { deep = DeepWork(keepsValues: keepsValues) }
        table = ProcessTable(start: start, accounting: .none, origins: origins)
        self.tell = tell
    }

    /// The command's process has been forked by ours.
    mutating func begin(_ root: Int32, parent: Int32) {
        let glimpse = ProcessFiles.glimpse(parent)
        feed(
            .present(
                pid: parent, parent: ProcessFiles.parent(parent) ?? 0, program: glimpse.executable,
                arguments: glimpse.arguments, unit: nil))
        feed(.forked(at: Clock.monotonicNanoseconds(), parent: parent, child: root))
    }

    /// What a stop is about, which has to be asked for while the tracee stands.
    static func details(_ pid: Int32, _ stop: Tracing.Stop) -> (message: Int32?, isThread: Bool) {
        switch stop {
        case .cloned:
            guard let message = Tracing.eventMessage(pid).map({ Int32(truncatingIfNeeded: $0) }) else {
                return (nil, false)
            }
            return (message, Files.exists("/proc/\(pid)/task/\(message)"))
        case .executed: return (Tracing.eventMessage(pid).map { Int32(truncatingIfNeeded: $0) }, false)
        default: return (nil, false)
        }
    }

    mutating func perform(_ action: TracedTasks.Action) throws(SystemError) {
        let now = Clock.monotonicNanoseconds()
        switch action {
        case .resume(let pid, let signal): _ = try Tracing.resume(pid, .run(signal: signal))
        case .listen(let pid): _ = try Tracing.resume(pid, .listen)
        case .forked(let parent, let child):
            feed(.forked(at: now, parent: parent, child: child))
            deep?.forked(child, from: parent)
        case .executed(let process):
            hasExecuted = true
            feed(.executed(at: now, pid: process))
            deep?.executed(process)
        case .ending(let thread, let process):
            feed(.accounted(ThreadAccount.read(thread, of: process), executable: nil))
        case .exited(let process, let status):
            if let facts = deep?.take(process), !facts.isEmpty { feed(.traced(pid: process, facts)) }
            feed(.exited(at: now, pid: process, status: status))
        case .called(let thread, let process, let isEntry):
            let stopsAgain = deep?.called(thread, process, isEntry: isEntry) ?? false
            _ = try Tracing.resume(thread, stopsAgain ? .toSystemCall(signal: 0) : .run(signal: 0))
        }
    }

    mutating func finish(_ error: SystemError?) {
        if let foreign = deep?.foreign { table.lost { $0.untraced += foreign } }
        perform(table.finish())
        tell(.over(table.losses, error))
    }

    mutating func feed(_ event: ProcessTable.Event) { perform(table.take(event)) }

    private mutating func perform(_ actions: [ProcessTable.Action]) {
        for action in actions {
            switch action {
            case .look(let pid, let withUnit): feed(.looked(pid: pid, ProcessFiles.glimpse(pid, withUnit: withUnit)))
            case .measure(let pid):
                let bytes = ProcessFiles.residentBytes(pid)
                feed(.measured(at: Clock.monotonicNanoseconds(), pid: pid, bytes: bytes))
            case .settle: preconditionFailure("the table was told that no accounting follows")
            case .record(let process): tell(.ended(process))
            }
        }
    }
}

/// What a thread that is about to end has used, from /proc.
enum ThreadAccount {
    static func read(_ thread: Int32, of process: Int32) -> TaskRecord {
        let place = "/proc/\(process)/task/\(thread)"
        var record = TaskRecord(thread: thread, process: process)
        record.cpuNanoseconds = ProcessFiles.processorTime(at: place) ?? 0
        // Memory is the process's; its first thread stands for it.
        guard thread == process, let status = try? Files.readText(place + "/status") else { return record }
        for line in status.split(separator: "\n") {
            let fields = line.split(whereSeparator: { $0 == "\t" || $0 == " " })
            guard fields.count > 1 else { continue }
            switch fields[0] {
            case "Name:": record.name = Array(line.dropFirst(6).utf8)
            case "Uid:": record.uid = fields.count > 2 ? UInt32(fields[2]) ?? 0 : 0
            case "Gid:": record.gid = fields.count > 2 ? UInt32(fields[2]) ?? 0 : 0
            case "VmHWM:": record.peakResidentBytes = (Int(fields[1]) ?? 0) * 1024
            default: break
            }
        }
        return record
    }
}
