import CKernel

/// Which of the system calls that not every kernel has are there, asked without doing anything.
///
/// Each is called with arguments that no kernel accepts, so that the error tells a call that is missing
/// (ENOSYS) from one that is there. A seccomp filter around this process can refuse one that the kernel has.
public enum KernelCall: String, CaseIterable, Sendable {
    case clone3
    case cloneIntoCgroup = "CLONE_INTO_CGROUP"
    case pidfdOpen = "pidfd_open"
    case openat2
    case openTree = "open_tree"
    case fsopen
    case mountSetattr = "mount_setattr"
    case closeRange = "close_range"
    case seccompFilter = "seccomp filter"

    /// What asking showed.
    public enum Presence: Hashable, Sendable {
        case available
        /// The kernel does not know it.
        case missing
        /// Something keeps this process from it, with this error.
        case refused(Errno)
    }

    /// Asks the kernel.
    public func presence() -> Presence {
        let code = Errno(CInt(-ask()))
        switch (self, code) {
        case (_, .notImplemented): return .missing
        case (.cloneIntoCgroup, .invalid), (.cloneIntoCgroup, .listTooLong), (.seccompFilter, .invalid): return .missing
        // Mounting needs privilege; that the question was answered so shows that the call is there.
        case (.openTree, .notPermitted), (.fsopen, .notPermitted), (.mountSetattr, .notPermitted): return .available
        case (_, .notPermitted), (.seccompFilter, .accessDenied): return .refused(code)
        default: return .available
        }
    }

    private func ask() -> Int {
        switch self {
        case .clone3: return ck_probe_clone3()
        case .cloneIntoCgroup:
            guard let null = try? Files.open("/dev/null", O_RDONLY) else { return Int(-ENOSYS) }
            return ck_probe_clone_into_cgroup(null.raw)
        case .pidfdOpen: return ck_probe_pidfd_open()
        case .openat2: return ck_probe_openat2()
        case .openTree: return ck_probe_open_tree()
        case .fsopen: return ck_probe_fsopen()
        case .mountSetattr: return ck_probe_mount_setattr()
        case .closeRange: return ck_probe_close_range()
        case .seccompFilter: return ck_probe_seccomp_filter()
        }
    }
}

/// Whether the kernel knows these flags of seccomp(2) (SECCOMP_FILTER_FLAG_*), asked without installing anything.
package func kernelTakesSeccompFlags(_ flags: UInt32) -> Bool { ck_probe_seccomp_flags(flags) == Int(-EFAULT) }
