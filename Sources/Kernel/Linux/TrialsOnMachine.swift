import CKernel

/// Trials of what concerns the whole machine. Each asks for something that the kernel refuses to everybody for its
/// arguments, once it has found the caller entitled, or that ends with the child.
extension Trial {
    /// Rebooting without the magic numbers, reboot(2): whoever may gets EINVAL.
    package static func reboot() -> Outcome { allowed(when: .invalid, attempt(Int(SYS_reboot))) }

    /// Loading a kernel of more segments than there may be, kexec_load(2): whoever may gets EINVAL.
    package static func loadKernel() -> Outcome { allowed(when: .invalid, attempt(Int(SYS_kexec_load), 0, 1 << 30)) }

    /// Going before all others: as a real-time process, sched(7), and with a higher priority, setpriority(2):
    /// PRIO_PROCESS is 0.
    package static func goFirst() -> [String: Outcome] {
        var priority: CInt = 1
        let realTime = 1  // SCHED_FIFO
        return [
            "real time": withUnsafeMutablePointer(to: &priority) {
                attempt(Int(SYS_sched_setscheduler), 0, realTime, Int(bitPattern: $0))
            },
            "priority": attempt(Int(SYS_setpriority), 0, 0, -10),
        ]
    }

    /// Counting what a processor does for whatever program, perf_event_open(2).
    package static func watchProcessor() -> Outcome {
        // struct perf_event_attr of the first version: a software event, the processor's clock.
        var attributes = [UInt32](repeating: 0, count: 16)
        attributes[0] = 1
        attributes[1] = 64
        return attributes.withUnsafeBytes {
            attempt(Int(SYS_perf_event_open), Int(bitPattern: $0.baseAddress), -1, 0, -1)
        }
    }

    /// Handling the kernel's own page faults, userfaultfd(2).
    package static func handlePageFaults() -> Outcome { attempt(Int(SYS_userfaultfd), Int(O_CLOEXEC)) }

    /// Opening a file by a handle of no file, open_by_handle_at(2): whoever may gets ESTALE.
    package static func openByHandle() -> Outcome {
        let root = ck_open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard root >= 0 else { return .refused(Errno(CInt(-root))) }
        defer { _ = ck_close(CInt(root)) }
        // struct file_handle: 8 bytes of type FILEID_INO32_GEN (linux/exportfs.h), inode 0 and generation 0.
        let handle: [UInt32] = [8, 1, 0, 0]
        let outcome = handle.withUnsafeBytes {
            attempt(Int(SYS_open_by_handle_at), Int(root), Int(bitPattern: $0.baseAddress), Int(O_RDONLY))
        }
        return allowed(when: Errno(ESTALE), outcome)
    }

    /// Having so many descriptors at a time.
    package static func openDescriptors(count: Int) -> Outcome {
        var signal: CInt = 0
        return outcome(ck_try_descriptors_in_child(0, count, &signal), signal)
    }

    /// Whether this process may write a file or into a directory, access(2): what the mount allows is part of the answer.
    package static func mayWrite(_ path: String) -> Outcome { outcome(ck_faccessat(Files.here, path, 2, 0), 0) }

    /// What `takeDisk` found.
    package enum DiskOutcome: Hashable, Sendable {
        case taken
        case refused(Errno)
        /// A file system in memory, which is no disk.
        case memory
        /// So little is free that taking it would not be harmless.
        case littleRoom
    }

    /// Taking room on the disk below a directory with a file that has no name and is gone with its descriptor, open(2) O_TMPFILE.
    package static func takeDisk(bytes: Int, in directory: String) -> DiskOutcome {
        var status = statfs()
        let result = ck_statfs(directory, &status)
        guard result >= 0 else { return .refused(Errno(CInt(-result))) }
        let memory: Set<Int> = [Int(TMPFS_MAGIC), Int(RAMFS_MAGIC), Int(PROC_SUPER_MAGIC), Int(SYSFS_MAGIC)]
        if memory.contains(Int(status.f_type)) { return .memory }
        guard Int(clamping: status.f_bavail) / 4 >= bytes / max(1, Int(status.f_bsize)) else { return .littleRoom }
        let file = ck_open(directory, nameless | O_WRONLY | O_CLOEXEC, 0o600)
        guard file >= 0 else { return .refused(Errno(CInt(-file))) }
        defer { _ = ck_close(CInt(file)) }
        switch attempt(Int(SYS_fallocate), Int(file), 0, 0, bytes) {
        case .allowed: return .taken
        case .refused(let code), .untried(let code): return .refused(code)
        case .killed: return .refused(.notPermitted)
        }
    }

    /// O_TMPFILE, which glibc declares under _GNU_SOURCE only.
    private static let nameless: CInt = 0o20_000_000 | O_DIRECTORY

    private static func allowed(when code: Errno, _ outcome: Outcome) -> Outcome {
        outcome == .refused(code) ? .allowed : outcome
    }
}
