import CKernel

/// Tracing other processes, ptrace(2). A process is traced by one thread: all of these are for that thread alone.
package enum Tracing {
    /// What the tracee stops for, PTRACE_O_*.
    package struct Options: OptionSet, Sendable {
        package var rawValue: UInt
        package init(rawValue: UInt) { self.rawValue = rawValue }

        /// Stops at system calls look different from those of SIGTRAP.
        package static let systemCalls = Options(rawValue: 1)
        /// Forks, vforks and clones; what is made so is traced as well.
        package static let children = Options(rawValue: 1 << 1 | 1 << 2 | 1 << 3)
        package static let exec = Options(rawValue: 1 << 4)
        package static let exit = Options(rawValue: 1 << 6)
        /// System calls for which a filter says SECCOMP_RET_TRACE.
        package static let filtered = Options(rawValue: 1 << 7)
        /// Tracees die with the tracer.
        package static let killedWithTracer = Options(rawValue: 1 << 20)
    }

    /// How a stopped tracee goes on.
    package enum Continuation: Sendable {
        /// Runs, with this signal delivered, 0 for none.
        case run(signal: Int32)
        /// The same up to the end of the system call that it is in, or the beginning of the next.
        case toSystemCall(signal: Int32)
        /// Stays stopped as SIGSTOP and its like have it, and tells when SIGCONT comes.
        case listen
    }

    /// PTRACE_SEIZE: traced from here on, without a stop.
    package static func seize(_ pid: Int32, _ options: Options) throws(SystemError) {
        do { try call("trace process", "\(pid)") { ck_ptrace(0x4206, pid, 0, options.rawValue) } } catch {
            guard error.code == .notPermitted else { throw error }
            throw SystemError(
                "trace process", "\(pid)", code: error.code,
                advice: "It is traced by somebody else already, or kernel.yama.ptrace_scope forbids it.")
        }
    }

    /// Lets a stopped tracee go on; false: it was killed meanwhile.
    package static func resume(_ pid: Int32, _ how: Continuation) throws(SystemError) -> Bool {
        let (request, signal): (CInt, Int32) =
            switch how {
            case .run(let signal): (7, signal)
            case .toSystemCall(let signal): (24, signal)
            case .listen: (0x4208, 0)
            }
        do { try call("resume process", "\(pid)") { ck_ptrace(request, pid, 0, UInt(bitPattern: Int(signal))) } } catch
        {
            guard error.code == .noProcess else { throw error }
            return false
        }
        return true
    }

    /// What an event is about: the new process's id, the exit status, the former thread id; nil: it was killed.
    package static func eventMessage(_ pid: Int32) -> UInt? {
        var message: UInt = 0
        return ck_ptrace_event_message(pid, &message) < 0 ? nil : message
    }

    /// The system call at which a tracee stands.
    package struct CallInfo: Hashable, Sendable {
        package enum Place: Hashable, Sendable {
            case entry(number: Int, arguments: [UInt64])
            /// The result, or the negated errno.
            case exit(result: Int)
            /// It stands at no system call.
            case none
        }

        /// AUDIT_ARCH_*: which table the number is from.
        package var architecture: UInt32
        package var place: Place
    }

    /// PTRACE_GET_SYSCALL_INFO (Linux 5.3); nil: the tracee was killed.
    package static func callInfo(of pid: Int32) -> CallInfo? {
        var info = ptrace_syscall_info()
        guard ck_ptrace_call_info(pid, &info) >= 0 else { return nil }
        let place: CallInfo.Place
        switch ck_call_info_kind(&info) {
        case 1, 3:
            place = .entry(
                number: Int(truncatingIfNeeded: ck_call_info_number(&info)),
                arguments: (0..<6).map { ck_call_info_argument(&info, CInt($0)) })
        case 2: place = .exit(result: Int(ck_call_info_result(&info)))
        default: place = .none
        }
        return CallInfo(architecture: info.arch, place: place)
    }

    /// Bytes of a tracee's memory: as many as are there, none when it is gone.
    package static func memory(of pid: Int32, at address: UInt64, count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = bytes.withUnsafeMutableBytes { ck_read_memory(pid, address, $0.baseAddress, count) }
        bytes.removeLast(count - max(0, got))
        return bytes
    }

    /// Text up to its NUL, at most `limit` bytes; nil: it is not there.
    package static func text(of pid: Int32, at address: UInt64, limit: Int = 4096) -> [UInt8]? {
        guard address != 0 else { return nil }
        var text: [UInt8] = []
        while text.count < limit {
            // Never across the end of a page, behind which there may be nothing.
            let at = address &+ UInt64(text.count)
            let part = memory(of: pid, at: at, count: min(4096 - Int(at % 4096), 256))
            guard !part.isEmpty else { return nil }
            if let end = part.firstIndex(of: 0) { return text + part[..<end] }
            text += part
        }
        return text
    }

    /// What a tracee does or what became of it.
    package enum Stop: Hashable, Sendable {
        case ended(ExitStatus)
        /// A fork, a vfork or a clone; the message is the new process or thread.
        case cloned
        case executed
        /// It is about to end; its /proc is still there.
        case ending
        /// SIGSTOP and its like have stopped it.
        case groupStop
        /// The first stop of a new tracee, or one that was stopped and got SIGCONT.
        case started
        /// At a system call that a filter named.
        case filtered
        /// At the beginning or the end of a system call.
        case systemCall
        /// A signal is about to be delivered.
        case signal(Int32)
        /// An event that was not asked for.
        case other

        /// From what wait(2) says.
        package init(waitStatus status: Int32) {
            guard status & 0xff == 0x7f else {
                self = .ended(ExitStatus(waitStatus: status))
                return
            }
            let signal = status >> 8 & 0xff
            switch status >> 16 {
            case 0: self = signal == SIGTRAP | 0x80 ? .systemCall : .signal(signal)
            case 1, 2, 3: self = .cloned
            case 4: self = .executed
            case 6: self = .ending
            case 7: self = .filtered
            case 128: self = signal == SIGTRAP ? .started : .groupStop
            default: self = .other
            }
        }
    }

    /// The next stop of any tracee of this thread; nil: there is none left. Blocks.
    package static func next() throws(SystemError) -> (pid: Int32, stop: Stop)? {
        var status: CInt = 0
        do {
            let pid = try call("wait for traced processes") { ck_wait_traced(&status, 0) }
            return (Int32(pid), Stop(waitStatus: status))
        } catch {
            guard error.code == .noChild else { throw error }
            return nil
        }
    }
}
