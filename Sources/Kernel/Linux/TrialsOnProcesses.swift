import CKernel

/// Trials of reaching into a process outside. The process goes on as it was.
extension Trial {
    /// Reading a byte of a process' memory at an address at which there is none, process_vm_readv(2): whoever may read gets
    /// EFAULT, anybody else EPERM or ESRCH.
    package static func readMemory(of pid: Int32) -> Outcome {
        var byte: UInt8 = 0
        let outcome = withUnsafeMutablePointer(to: &byte) { pointer in
            let here = iovec(iov_base: pointer, iov_len: 1)
            let there = iovec(iov_base: UnsafeMutableRawPointer(bitPattern: 16), iov_len: 1)
            return withUnsafePointer(to: here) { here in
                withUnsafePointer(to: there) { there in
                    attempt(Int(SYS_process_vm_readv), Int(pid), Int(bitPattern: here), 1, Int(bitPattern: there), 1)
                }
            }
        }
        return outcome == .refused(Errno(EFAULT)) ? .allowed : outcome
    }

    /// Attaching to a process as a debugger without stopping it, ptrace(2): PTRACE_SEIZE. It ends with the child.
    package static func seize(_ pid: Int32) -> Outcome { attempt(Int(SYS_ptrace), 0x4206, Int(pid)) }

    /// Taking a copy of a process' standard input, pidfd_getfd(2). It is closed with the child.
    package static func takeDescriptor(of pid: Int32) -> Outcome {
        withProcess(pid) { attempt(Int(SYS_pidfd_getfd), Int($0), 0) }
    }

    /// Entering namespaces of a process, setns(2), each in a child of its own.
    package static func enterNamespaces(of pid: Int32) -> [String: Outcome] {
        let kinds = [
            ("mnt", CLONE_NEWNS), ("net", CLONE_NEWNET), ("pid", CLONE_NEWPID), ("ipc", CLONE_NEWIPC),
            ("user", CLONE_NEWUSER),
        ]
        return Dictionary(
            uniqueKeysWithValues: kinds.map { name, flag in
                (name, withProcess(pid) { attempt(Int(SYS_setns), Int($0), Int(flag)) })
            })
    }

    /// Attaching a segment of System V's shared memory to read it, shmat(2).
    package static func attachShared(_ id: Int32) -> Outcome { attempt(Int(SYS_shmat), Int(id), 0, 0o10000) }

    private static func withProcess(_ pid: Int32, _ body: (CInt) -> Outcome) -> Outcome {
        let fd = ck_pidfd_open(pid, 0)
        guard fd >= 0 else { return .refused(Errno(CInt(-fd))) }
        defer { _ = ck_close(CInt(fd)) }
        return body(CInt(fd))
    }
}

/// A segment of System V's shared memory that goes away with the process that made it.
package final class SharedSegment: @unchecked Sendable {
    // Sendable: nothing changes after init.
    package let id: Int32
    private let address: UnsafeMutableRawPointer?

    package init(bytes: Int) throws(SystemError) {
        var at: UnsafeMutableRawPointer?
        id = Int32(try call("make a segment of shared memory") { ck_shared_segment(bytes, &at) })
        address = at
    }

    deinit { _ = ck_detach_shared(address) }
}
