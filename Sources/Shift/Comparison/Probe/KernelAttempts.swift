import Glibc
import Linux

/// Attempts to use parts of the kernel that programs of this kind never need and attackers often do.
extension ProbeAttempt {
    static let ofKernel = [
        ProbeAttempt("keyring", "use the kernel's keyrings") { settings throws(ProbeGap) in
            try verdict(["keyctl": Trial.keyring()])
        },
        ProbeAttempt("ptrace", "trace programs") { settings throws(ProbeGap) in
            try verdict(["ptrace": Trial.trace()])
        },
        ProbeAttempt("bpf", "watch the machine from inside of the kernel") { settings throws(ProbeGap) in
            try verdict(["bpf": Trial.bpfMap(), "perf_event_open": Trial.watchProcessor()])
        },
        ProbeAttempt("io-uring", "use interfaces of the kernel that attacks are built on") {
            settings throws(ProbeGap) in
            try verdict(["io_uring_setup": Trial.ioUring(), "userfaultfd": Trial.handlePageFaults()])
        },
        ProbeAttempt("kernel-log", "read the kernel's log") { settings throws(ProbeGap) in
            let device = reading("/dev/kmsg")
            if device.isPossible { return device }
            do throws(SystemError) {
                let count = try Trial.kernelLog()
                guard count > 0 else { return .stopped("\(device.detail), syslog(2) is empty") }
                return .possible("syslog(2) gave \(count) bytes")
            } catch { return .stopped("\(device.detail), syslog(2): \(error.code.name)") }
        },
        ProbeAttempt("kernel-memory", "read the kernel's memory") { settings throws(ProbeGap) in
            let core = reading("/proc/kcore")
            if core.isPossible { return core }
            let memory = reading("/dev/mem")
            return memory.isPossible ? memory : .stopped("\(core.detail), \(memory.detail)")
        },
        ProbeAttempt("read-disks", "read the machine's disks past its files") { settings throws(ProbeGap) in
            let names = disks(inTable: (try? Files.readText("/proc/partitions")) ?? "").prefix(16)
            var refusals: [String] = []
            for name in names {
                let verdict = reading("/dev/\(name)")
                if verdict.isPossible { return verdict }
                refusals.append(verdict.detail)
            }
            let handle = try verdict(["open_by_handle_at": Trial.openByHandle()])
            return handle.isPossible ? handle : .stopped((refusals + [handle.detail]).joined(separator: ", "))
        },
    ]

    /// The names in /proc/partitions, proc(5): a heading, then "major minor blocks name".
    static func disks(inTable table: String) -> [String] {
        table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            return fields.count == 4 ? String(fields[3]) : nil
        }
    }
}
