import Linux

/// How much memory processes hold, as /proc tells (proc(5)).
package enum MemoryOfProcess {
    /// How long a program may take until it waits for its input.
    private static let waitingLimitMilliseconds = 5000

    /// The proportional set size of a process once it sleeps: what it costs, shared pages divided among their users.
    static func whenWaiting(_ pid: Int32) async -> Reading<Int> {
        for _ in 0..<(waitingLimitMilliseconds / 5) {
            try? await Task.sleep(for: .milliseconds(5))
            guard let stat = try? Files.readText("/proc/\(pid)/stat"), let end = stat.lastIndex(of: ")") else {
                return .unavailable("it ended before it was given input")
            }
            if stat[end...].dropFirst(2).first == "S" { return proportional(pid) }
        }
        return .unavailable("it does not wait for its input")
    }

    /// How the memory of instances that wait is counted.
    package static let method = "sum of the proportional set sizes (Pss) of their first processes, /proc/PID/smaps_rollup"

    /// Returns when every one of these processes sleeps.
    static func allWait(_ pids: [Int32]) async throws(ComparisonError) {
        let limit = Clock.monotonicNanoseconds() + waitingLimitMilliseconds * 1_000_000
        for pid in pids {
            while true {
                guard let stat = try? Files.readText("/proc/\(pid)/stat"), let end = stat.lastIndex(of: ")"),
                    let state = stat[end...].dropFirst(2).first, state != "Z"
                else {
                    throw ComparisonError(
                        "an instance ended before it was given input: the program does not wait for it")
                }
                if state == "S" { break }
                guard Clock.monotonicNanoseconds() < limit else {
                    throw ComparisonError("it does not wait for its input")
                }
                do { try await Task.sleep(for: .milliseconds(1)) } catch {
                    throw ComparisonError("waiting was taken back")
                }
            }
        }
    }

    /// The proportional set sizes of several processes together.
    package static func proportional(_ pids: [Int32]) -> Reading<Int> {
        var sum = 0
        for pid in pids {
            switch proportional(pid) {
            case .measured(let bytes): sum += bytes
            case .unavailable(let reason): return .unavailable(reason)
            }
        }
        return pids.isEmpty ? .unavailable("no instance was found") : .measured(sum)
    }

    /// The proportional set size now.
    package static func proportional(_ pid: Int32) -> Reading<Int> {
        guard let text = try? Files.readText("/proc/\(pid)/smaps_rollup"), let bytes = field("Pss:", in: text) else {
            return .unavailable("its memory could not be read")
        }
        return .measured(bytes)
    }

    /// How long a call is watched for its memory at most.
    static let watchNanoseconds = 5_000_000_000

    /// The largest resident set that any of these processes had, looked at without pause until the first one ends or the
    /// limit is over.
    static func mostUntilEnd(_ pids: [Int32], limit nanoseconds: Int = watchNanoseconds) -> Reading<Int> {
        var most = 0
        let limit = Clock.monotonicNanoseconds() + nanoseconds
        while true {
            if Clock.monotonicNanoseconds() > limit {
                return most > 0 ? .measured(most) : .unavailable("it was not seen")
            }
            for pid in pids {
                // A process that has ended and waits to be reaped has no VmHWM any more.
                guard let text = try? Files.readText("/proc/\(pid)/status"), let bytes = field("VmHWM:", in: text)
                else {
                    return most > 0 ? .measured(most) : .unavailable("it ended before it could be looked at")
                }
                most = max(most, bytes)
            }
        }
    }

    /// A line such as "Pss:  123 kB", in bytes.
    private static func field(_ name: String, in text: String) -> Int? {
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            let words = line.split(separator: " ")
            return words.count >= 2 ? words[1].split(separator: "\t").last.flatMap { Int($0) }.map { $0 * 1024 } : nil
        }
        return nil
    }
}

/// Memory that this process holds, so that it is as large as the legacy parent.
package final class ResidentMemory: @unchecked Sendable {
    // Sendable: the memory is written in init and never read.
    private let memory: UnsafeMutableRawPointer

    /// Allocates and touches every page.
    package init(bytes: Int) {
        memory = .allocate(byteCount: max(bytes, 1), alignment: 4096)
        var at = 0
        while at < bytes {
            memory.storeBytes(of: UInt8(truncatingIfNeeded: at >> 12), toByteOffset: at, as: UInt8.self)
            at += 4096
        }
    }

    deinit { memory.deallocate() }
}
