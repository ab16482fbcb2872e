import Linux

/// Processes of instances, as those who measure them look for and end them.
package enum InstanceProcesses {
    /// The number of a process in each process namespace from ours to its own (proc(5), NSpid); nil: it is gone.
    package static func numbers(of pid: Int32) -> [Int32]? {
        guard let status = try? Files.readText("/proc/\(pid)/status") else { return nil }
        return status.split(separator: "\n").first { $0.hasPrefix("NSpid:") }?
            .split(separator: "\t").dropFirst().compactMap { Int32($0) }
    }

    /// What an instance that waits has of memory: of the first that can be looked at.
    ///
    /// - Parameters:
    ///   - waiting: those that wait now. One that has had its call may end while it is looked at: then it is asked again.
    ///   - none: what is said when there is none.
    package static func idleBytes(
        of waiting: () async throws(ComparisonError) -> [Int32], none: String
    ) async -> Reading<Int> {
        do throws(ComparisonError) {
            for _ in 0..<5 {
                for pid in try await waiting() {
                    if case .measured(let bytes) = MemoryOfProcess.proportional(pid) { return .measured(bytes) }
                }
            }
            return .unavailable(none)
        } catch { return .unavailable(error.description) }
    }

    /// Those that take the next calls, the newest first: what is there for a while, since an instance that has had its only
    /// call ends, and the next may just be on its way.
    ///
    /// - Parameter all: the processes that are instances now.
    package static func waiting(
        among all: () -> [Int32], none: String
    ) async throws(ComparisonError) -> [Int32] {
        var before: [Int32] = []
        for _ in 0..<100 {
            let now = all()
            let staying = now.filter { before.contains($0) }
            if !staying.isEmpty { return staying.sorted(by: >) }
            before = now
            do { try await Task.sleep(for: .milliseconds(20)) } catch { break }
        }
        throw ComparisonError(none)
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
