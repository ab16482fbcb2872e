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
        ProbeAttempt("bpf", "load BPF objects") { settings throws(ProbeGap) in
            try verdict(["bpf": Trial.bpfMap()])
        },
        ProbeAttempt("io-uring", "use io_uring") { settings throws(ProbeGap) in
            try verdict(["io_uring_setup": Trial.ioUring()])
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
    ]
}
