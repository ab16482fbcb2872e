package import Linux

/// What calls' processes used, from the kernel's account of every task that ends.
///
/// Like rusage: a process counts with what it was the parent of, as far as that ended before it. Pure.
package struct CallAccounts: Sendable {
    private struct Usage {
        var cpu = 0
        var user = 0
        var system = 0
        var peak = 0
        var minorFaults = 0
        var majorFaults = 0

        mutating func add(_ other: Usage) {
            cpu += other.cpu
            user += other.user
            system += other.system
            peak = max(peak, other.peak)
            minorFaults += other.minorFaults
            majorFaults += other.majorFaults
        }
    }

    /// Threads and children that have ended, by the process they were part or child of.
    private var parts: [Int32: Usage] = [:]
    private var tracked: [Int32: Usage?] = [:]
    /// Beyond it the books of processes nobody tracks are thrown away: those that live on, daemons above all.
    static let partsLimit = 16384

    package init() {}

    package var isEmpty: Bool { tracked.isEmpty }

    /// From now on this process's account is kept until `take`.
    package mutating func track(_ pid: Int32) {
        tracked[pid] = .some(nil)
        parts[pid] = nil
    }

    /// Books the end of a thread.
    package mutating func book(_ task: EndedTask) {
        var usage = Usage(
            cpu: task.cpuNanoseconds, user: task.userNanoseconds, system: task.systemNanoseconds,
            peak: task.peakResidentBytes, minorFaults: task.minorFaults, majorFaults: task.majorFaults)
        if let before = parts.removeValue(forKey: task.process) { usage.add(before) }
        if !task.isLast {
            parts[task.process] = usage
        } else if tracked[task.process] != nil {
            tracked[task.process] = usage
        } else if task.parent > 1 {
            parts[task.parent, default: Usage()].add(usage)
        }
        if parts.count > Self.partsLimit { parts = parts.filter { tracked[$0.key] != nil } }
    }

    /// Whether the account of a tracked process is complete.
    package func isComplete(_ pid: Int32) -> Bool { (tracked[pid] ?? nil) != nil }

    /// The account of a tracked process, which is not tracked any more; nil: the kernel told none.
    package mutating func take(_ pid: Int32) -> ResourceUsage? {
        parts[pid] = nil
        guard let usage = tracked.removeValue(forKey: pid) ?? nil else { return nil }
        // The sum is exact, its parts are ticks of the clock: they tell the proportion.
        let ticks = usage.user + usage.system
        let user = ticks > 0 ? Int(Double(usage.cpu) * Double(usage.user) / Double(ticks)) : usage.cpu
        return ResourceUsage(
            userMicroseconds: user / 1000, systemMicroseconds: (usage.cpu - user) / 1000,
            peakResidentBytes: usage.peak, minorFaults: usage.minorFaults, majorFaults: usage.majorFaults)
    }
}

/// The end of a thread, as the kernel's accounting tells it.
package struct EndedTask: Hashable, Sendable {
    package var process: Int32
    package var parent: Int32
    /// Whether it was the last thread of its process.
    package var isLast: Bool
    package var cpuNanoseconds = 0
    package var userNanoseconds = 0
    package var systemNanoseconds = 0
    package var peakResidentBytes = 0
    package var minorFaults = 0
    package var majorFaults = 0

    package init(process: Int32, parent: Int32, isLast: Bool) {
        self.process = process
        self.parent = parent
        self.isLast = isLast
    }
}

/// Where ends of tasks are heard of.
package protocol TaskEnds: Sendable {
    /// Readable when there are some.
    var fd: CInt { get }
    /// Those that wait; does not block.
    func take() -> (tasks: [EndedTask], mayHaveMore: Bool)
}
