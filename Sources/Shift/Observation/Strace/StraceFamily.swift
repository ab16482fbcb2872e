import Linux

/// Who forked whom in a trace, learned in a first round.
struct StraceFamily {
    private var parents: [Int32: Int32] = [:]
    private var threads: Set<Int32> = []
    private var seen: Set<Int32> = []
    private var ended: Set<Int32> = []
    /// Whoever has an unfinished fork, with its arguments.
    private var forking: [Int32: String] = [:]
    /// The process that lines without a number are of, 0 where strace never wrote one.
    private var first: Int32 = 0
    private var living: Set<Int32> = []

    private static let forks: Set<String> = ["fork", "vfork", "clone", "clone3", "clone2"]

    mutating func learn(_ line: StraceLine) {
        let pid = line.pid ?? 0
        if let known = line.pid { seen.insert(known) }
        switch line.content {
        case .call(let name, let arguments, let result) where Self.forks.contains(name):
            note(pid, arguments, result)
        case .unfinished(let name, let arguments) where Self.forks.contains(name): forking[pid] = arguments
        case .resumed(let name, let arguments, let result) where Self.forks.contains(name):
            note(pid, (forking.removeValue(forKey: pid) ?? "") + arguments, result)
        default: break
        }
    }

    private mutating func note(_ parent: Int32, _ arguments: String, _ result: String) {
        guard let value = StraceArguments.result(result)?.value, value > 0, let child = Int32(exactly: value),
            child != parent
        else { return }
        parents[child] = parent
        if arguments.contains("CLONE_THREAD") { threads.insert(child) }
    }

    /// Ends the first round.
    mutating func settle() {
        // Until there is a second process, strace on a terminal writes no numbers: those lines are of the one that
        // nobody has forked.
        first = seen.filter { parents[$0] == nil }.min() ?? 0
        for (child, parent) in parents where parent == 0 { parents[child] = first }
        if first != 0 { parents[first] = nil }
        living = [first]
    }

    /// Whose line it is.
    mutating func pid(of line: StraceLine) -> Int32 {
        let pid = line.pid ?? (living.count == 1 ? living.first! : first)
        living.insert(pid)
        switch line.content {
        case .exited, .killed: living.remove(pid)
        default: break
        }
        return pid
    }

    /// The thread that forked it.
    func parent(of pid: Int32) -> Int32? { parents[pid] }

    func isThread(_ pid: Int32) -> Bool { threads.contains(pid) }

    /// The process of a thread.
    func process(of thread: Int32) -> Int32 {
        var pid = thread
        // A trace that says a thread is its own ancestor ends here.
        for _ in 0..<64 {
            guard threads.contains(pid), let parent = parents[pid] else { return pid }
            pid = parent
        }
        return pid
    }
}

/// The times of a trace, as nanoseconds after its first line, each later than the one before.
struct StraceClock {
    /// nil where the trace does not say which day it was.
    private(set) var start: Timestamp?
    private(set) var hasTimes = false
    private(set) var last = -1
    private var origin: Int?
    private var days = 0
    private var sum = 0
    private var before = 0

    private static let day = 86_400_000_000
    /// 17 years in microseconds: what a broken line says must not overflow.
    private static let longest = 1 << 49

    mutating func take(_ time: StraceLine.Time) -> Int {
        let micros: Int
        switch time {
        case .none:
            last += 1
            return last
        case .epoch(let value):
            if origin == nil { start = Timestamp(nanoseconds: value * 1000) }
            micros = value
        case .clock(let value):
            // Midnight: times go on at 0.
            if value < before - Self.day / 2 { days += 1 }
            before = value
            micros = value + days * Self.day
        case .relative(let value):
            sum = min(sum + value, Self.longest)
            micros = sum
        }
        hasTimes = true
        if origin == nil { origin = micros }
        last = max(min(max(micros - origin!, 0), Self.longest) * 1000, last + 1)
        return last
    }
}
