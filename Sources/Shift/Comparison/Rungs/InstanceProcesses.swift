import Linux

/// Processes of instances, as those who measure them look for and end them.
package enum InstanceProcesses {
    /// The number of a process in each process namespace from ours to its own (proc(5), NSpid); nil: it is gone.
    package static func numbers(of pid: Int32) -> [Int32]? {
        guard let status = try? Files.readText("/proc/\(pid)/status") else { return nil }
        return status.split(separator: "\n").first { $0.hasPrefix("NSpid:") }?
            .split(separator: "\t").dropFirst().compactMap { Int32($0) }
    }

    /// Kills, with SIGKILL, the first that is there still: one that ended before may be listed until its end is known.
    ///
    /// - Parameter none: what is said when there is none.
    /// - Returns: when it was killed, monotonic nanoseconds.
    package static func killFirst(of pids: [Int32], none: String) throws(ComparisonError) -> Int {
        for pid in pids {
            guard let process = try? ProcessFD(pid: pid) else { continue }
            let now = Clock.monotonicNanoseconds()
            do { try process.signal(Signal.kill) } catch { throw ComparisonError("kill an instance: \(error)") }
            return now
        }
        throw ComparisonError(none)
    }
}
