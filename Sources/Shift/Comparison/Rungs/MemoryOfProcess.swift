import Linux

/// How much memory processes hold, as /proc tells (proc(5)).
enum MemoryOfProcess {
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

    /// The proportional set size now.
    static func proportional(_ pid: Int32) -> Reading<Int> {
        guard let text = try? Files.readText("/proc/\(pid)/smaps_rollup"), let bytes = field("Pss:", in: text) else {
            return .unavailable("its memory could not be read")
        }
        return .measured(bytes)
    }

    /// The largest resident set that any of these processes had, looked at without pause until the first one ends.
    static func mostUntilEnd(_ pids: [Int32]) -> Reading<Int> {
        var most = 0
        while true {
            for pid in pids {
                // A process that has ended and waits to be reaped has no VmHWM any more.
                guard let text = try? Files.readText("/proc/\(pid)/status"), let bytes = field("VmHWM:", in: text) else {
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
