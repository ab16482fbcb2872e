import Linux

/// A process and its descendants, each held by descriptor so that no signal reaches a stranger.
///
/// Descendants are found through their parents (/proc/PID/task/TID/children). A process whose parent has ended
/// belongs to somebody else by then and is not found: for programs that do that on purpose there is a process
/// group or a cgroup of their own.
///
/// Invariants
/// 1. A member was a child of a member while it was held: pids that end and are given again are no members.
/// 2. `freeze` ends with every member stopped, dead or deep in the kernel, so nothing new is born after it.
///    (test: `a tree of fifty processes that keeps forking is killed whole`)
struct ProcessTree: ~Copyable {
    /// How often `freeze` looks for what was born meanwhile. Each look stops all it finds; a tree that outgrows
    /// this many looks needs a cgroup with a limit on processes.
    private static let roundLimit = 200

    private(set) var members: [Int32: SharedFD]

    /// The tree of a child that has not been reaped.
    init(root pid: Int32, pidfd: SharedFD) { members = [pid: pidfd] }

    /// Stops every member, in rounds, until nothing new appears and all stand still.
    mutating func freeze() throws(SystemError) {
        for _ in 0..<Self.roundLimit {
            for (_, member) in members { try ProcessFD.signal(Signal.stop, to: member.raw) }
            let grown = try grow()
            if !grown, members.keys.allSatisfy({ Self.standsStill($0) }) { return }
        }
    }

    /// Adds the children of members, theirs, and so on; whether there were any.
    @discardableResult
    mutating func grow() throws(SystemError) -> Bool {
        var grown = false
        var queue = Array(members.keys)
        while let parent = queue.popLast() {
            for child in try Self.children(of: parent) where members[child] == nil {
                guard let held = Self.hold(child, whoseParentIsIn: members) else { continue }
                members[child] = held
                queue.append(child)
                grown = true
            }
        }
        return grown
    }

    /// Sends a signal to every member; one that has ended is no error.
    func signal(_ number: Int32) throws(SystemError) {
        for (_, member) in members { try ProcessFD.signal(number, to: member.raw) }
    }

    /// The children of every thread of a process; none when it has ended.
    private static func children(of pid: Int32) throws(SystemError) -> [Int32] {
        guard let threads = try? Files.list("/proc/\(pid)/task") else { return [] }
        var found: [Int32] = []
        for thread in threads {
            do {
                let text = try Files.readText("/proc/\(pid)/task/\(thread)/children")
                found += text.split(separator: " ").compactMap { Int32($0) }
            } catch  where error.code == .noEntry || error.code == .noProcess {
                // The thread has ended, or the kernel was built without CONFIG_PROC_CHILDREN.
                guard Files.exists("/proc/thread-self/children") else {
                    throw SystemError(
                        "find the children of process", "\(pid)", code: .notSupported,
                        advice:
                            "This kernel does not list them; give the program a process group or a cgroup of its own.")
                }
            }
        }
        return found
    }

    /// The process by descriptor, if it is what was found: a child of a member.
    private static func hold(_ pid: Int32, whoseParentIsIn members: [Int32: SharedFD]) -> SharedFD? {
        guard let process = try? ProcessFD(pid: pid), let parent = ProcessStatus.of(pid)?.parent,
            // It is still there, so its pid was its own while the parent was read.
            members[parent] != nil, process.isThere()
        else { return nil }
        return process.shared()
    }

    private static func standsStill(_ pid: Int32) -> Bool {
        guard let state = ProcessStatus.of(pid)?.state else { return true }
        // Stopped, traced, ended, or in the kernel without interruption, as a parent in vfork is.
        return "TtZXD".contains(state)
    }
}

/// What /proc/PID/stat says of a process, proc_pid_stat(5).
struct ProcessStatus: Hashable {
    var state: Character
    var parent: Int32

    static func of(_ pid: Int32) -> ProcessStatus? {
        guard let text = try? Files.readText("/proc/\(pid)/stat") else { return nil }
        return ProcessStatus(text)
    }

    /// Reads "PID (NAME) STATE PPID ..."; the name may hold anything, parentheses too.
    init?(_ text: String) {
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count >= 2, let state = fields[0].first, let parent = Int32(fields[1]) else { return nil }
        self.state = state
        self.parent = parent
    }
}
