import Linux

/// The threads of a traced subtree: stops go in, what to do about them comes out.
///
/// Pure. A new thread or process stops by itself, and its parent's stop tells of it; either can be seen first.
///
/// Invariants
/// 1. A new process goes on only when its parent's stop has told of it: its fork stands before everything that it does.
///    (test: `a child that is seen before its fork waits for it`)
/// 2. Every stop is answered exactly once. (test: `every stop is answered once`)
struct TracedTasks: Sendable {
    /// What the tracer has to do.
    enum Action: Hashable, Sendable {
        case resume(Int32, signal: Int32)
        case listen(Int32)
        /// A process was forked; the thread that did it stands still.
        case forked(parent: Int32, child: Int32)
        case executed(process: Int32)
        /// A thread is about to end, and its /proc is still there.
        case ending(thread: Int32, process: Int32)
        case exited(process: Int32, ExitStatus)
        /// At the beginning of a call that the filter names, or at its end. The tracer resumes.
        case called(thread: Int32, process: Int32, isEntry: Bool)
    }

    /// The process that a thread belongs to.
    private var processes: [Int32: Int32] = [:]
    /// New threads that have stopped before their parent's stop told of them.
    private var early: Set<Int32> = []

    /// The first tracee.
    init(root: Int32) { processes[root] = root }

    var count: Int { processes.count }

    /// - Parameters:
    ///   - message: of a clone the new thread, of an exec the thread that made it.
    ///   - isThread: whether the new one is a thread of its parent's process.
    mutating func take(_ pid: Int32, _ stop: Tracing.Stop, message: Int32? = nil, isThread: Bool = false) -> [Action] {
        guard let process = processes[pid] else {
            // Whatever it is, it waits until its parent's stop says where it belongs.
            if case .ended = stop { return [] }
            early.insert(pid)
            return []
        }
        switch stop {
        case .ended(let status):
            processes[pid] = nil
            // The kernel tells of the leader last.
            return pid == process ? [.exited(process: process, status)] : []
        case .cloned: return cloned(pid, process, message, isThread)
        case .executed:
            // A thread that executes takes over the leader's number; its own is gone.
            if let former = message, former != pid, processes[former] == process { processes[former] = nil }
            return [.executed(process: process), .resume(pid, signal: 0)]
        case .ending: return [.ending(thread: pid, process: process), .resume(pid, signal: 0)]
        case .groupStop: return [.listen(pid)]
        case .started, .other: return [.resume(pid, signal: 0)]
        case .filtered: return [.called(thread: pid, process: process, isEntry: true)]
        case .systemCall: return [.called(thread: pid, process: process, isEntry: false)]
        case .signal(let number): return [.resume(pid, signal: number)]
        }
    }

    private mutating func cloned(_ pid: Int32, _ process: Int32, _ child: Int32?, _ isThread: Bool) -> [Action] {
        // Killed before it could be asked.
        guard let child else { return [.resume(pid, signal: 0)] }
        processes[child] = isThread ? process : child
        var actions: [Action] = isThread ? [] : [.forked(parent: process, child: child)]
        actions.append(.resume(pid, signal: 0))
        if early.remove(child) != nil { actions.append(.resume(child, signal: 0)) }
        return actions
    }
}
