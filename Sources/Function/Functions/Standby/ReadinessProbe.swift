package import Linux

/// Whether a process waits for its input: read from /proc/PID/task/TID/syscall, proc(5), which shows the system call
/// in which a thread sleeps and its arguments.
///
/// A process counts as waiting when one of its threads sleeps in a read of descriptor 0, or when its first thread
/// sleeps in poll(2), select(2), epoll_wait(2) or one of their variants: at what these look is not visible, and before
/// it was given any input a program has little else to wait for. Limits, on purpose:
/// - Only the first process of an instance counts. A shell script that starts another program which reads the input is
///   never seen waiting; `exec` in front of that program's name helps.
/// - The numbers are those of 64-bit programs.
///
/// Reading these files needs the right to trace the process, ptrace(2). It neither stops the process nor waits for
/// it, except for the microseconds in which an exec of it replaces its memory; that is why this is called without a
/// detour over a thread.
package enum ReadinessProbe {
    /// - Returns: false also when there is no such process any more.
    /// - Throws: `SystemError` when the kernel does not say (EACCES, EPERM: not allowed to trace it).
    package static func isWaitingForInput(pid: Int32) throws(SystemError) -> Bool {
        do throws(SystemError) {
            if try isWaiting(pid: pid, thread: pid, isFirst: true) { return true }
            for name in try Files.list("/proc/\(pid)/task") {
                guard let thread = Int32(name), thread != pid else { continue }
                if try isWaiting(pid: pid, thread: thread, isFirst: false) { return true }
            }
            return false
        } catch {
            switch error.code {
            case .noEntry where Files.exists("/proc/\(pid)/stat") && !Files.exists("/proc/\(pid)/syscall"):
                throw advised(error, "This kernel does not show system calls (CONFIG_HAVE_ARCH_TRACEHOOK).")
            // A thread that ends while it is looked at: with it, or instead of it, another look will tell.
            case .noEntry, .noProcess: return false
            case .notPermitted, .accessDenied:
                throw advised(error, "To see whether a program waits, run as its user or as root (ptrace(2)).")
            default: throw error
            }
        }
    }

    private static func isWaiting(pid: Int32, thread: Int32, isFirst: Bool) throws(SystemError) -> Bool {
        let place = "/proc/\(pid)/task/\(thread)"
        guard let call = SleepingCall(try Files.readText(place + "/syscall")) else { return false }
        guard call.readsInput || (isFirst && call.waitsForDescriptors) || readsCopyOfInput(call, pid: pid) else {
            return false
        }
        // A thread that was stopped in the middle of the call (SIGSTOP, a tracer) waits for something else.
        return state(stat: try Files.readText(place + "/stat")) == "S"
    }

    /// Whether it reads its input under another number: libxml2 and zlib duplicate descriptor 0 and read the copy.
    private static func readsCopyOfInput(_ call: SleepingCall, pid: Int32) -> Bool {
        guard let number = call.readDescriptor, number > 2, let input = try? Files.link("/proc/\(pid)/fd/0") else {
            return false
        }
        return (try? Files.link("/proc/\(pid)/fd/\(number)")) == input
    }

    private static func advised(_ error: SystemError, _ advice: String) -> SystemError {
        SystemError(error.operation, error.subject, code: error.code, advice: advice)
    }

    /// The state in `pid (name) state ...`; the name may hold anything, so it ends at the last parenthesis.
    static func state(stat: String) -> Character? {
        guard let close = stat.lastIndex(of: ")") else { return nil }
        return stat[close...].dropFirst().first { $0 != " " }
    }
}

/// The system call in which a thread sleeps.
struct SleepingCall: Hashable {
    var number: Int
    var firstArgument: UInt64

    /// Reads "0 0x0 0x7f52 ...". nil for "running" and for "-1 ...": asleep, but in no system call.
    init?(_ line: String) {
        let fields = line.split(separator: " ")
        guard fields.count >= 2, let number = Int(fields[0]), number >= 0,
            fields[1].hasPrefix("0x"), let argument = UInt64(fields[1].dropFirst(2), radix: 16)
        else { return nil }
        self.number = number
        firstArgument = argument
    }

    /// The kernel takes descriptors as 32-bit numbers, whatever stands above.
    var readsInput: Bool { Self.readers.contains(number) && UInt32(truncatingIfNeeded: firstArgument) == 0 }
    /// The descriptor of a call that reads.
    var readDescriptor: UInt32? { Self.readers.contains(number) ? UInt32(truncatingIfNeeded: firstArgument) : nil }
    var waitsForDescriptors: Bool { Self.waiters.contains(number) }

    #if arch(x86_64)
        // read, pread64, readv, recvfrom, recvmsg, splice, tee, preadv, recvmmsg, preadv2
        private static let readers: Set<Int> = [0, 17, 19, 45, 47, 275, 276, 295, 299, 327]
        // poll, select, epoll_wait, pselect6, ppoll, epoll_pwait, epoll_pwait2
        private static let waiters: Set<Int> = [7, 23, 232, 270, 271, 281, 441]
    #elseif arch(arm64)
        // read, readv, pread64, preadv, splice, tee, recvfrom, recvmsg, recvmmsg, preadv2
        private static let readers: Set<Int> = [63, 65, 67, 69, 76, 77, 207, 212, 243, 286]
        // epoll_pwait, pselect6, ppoll, epoll_pwait2
        private static let waiters: Set<Int> = [22, 72, 73, 441]
    #else
        #error("The system call numbers of this architecture are missing.")
    #endif
}
