package import Linux

// The profile that a sandbox gets unless it asks for another one: an allow-list that ordinary programs never notice.
//
// It allows what Docker's default profile (github.com/moby/profiles, June 2026) allows on x86-64 and arm64, because
// that is what images are tested with, and differs where that one can be got around or the kernel is newer:
//
// - `socket` and `personality` take an int, yet Docker's conditions compare 64 bits, so socket(AF_ALG | 1 << 32)
//   passes there. Here they compare what the kernel reads.
// - TIOCSTI and TIOCLINUX, which type into the terminal of whoever started the sandbox (CVE-2017-5226,
//   CVE-2023-28100), are denied.
// - `uprobe` (Linux 6.18) is allowed like `uretprobe`: programs never make that call, the kernel's own
//   trampolines do, and it kills the program if they are denied.
// - Numbers without a name, and calls so new that every caller has a way without them, fail with ENOSYS, not EPERM.
// - 32-bit programs are killed, not allowed: the profile speaks about the machine's own ABI only.
//
// Invariants
// 1. Without CAP_SYS_ADMIN there is no way to a new namespace or mount.
// 2. Each name in it is a system call of at least one ABI.
// Tests: Tests/SandboxTests/SeccompStandardProfileTests.swift.

extension SeccompProfile {
    /// The standard profile of a sandbox without capabilities.
    package static let standard = SeccompProfile.standard(capabilities: [])

    /// The standard profile of a sandbox that may have these capabilities: a call that the kernel refuses without
    /// a capability is allowed only with it.
    package static func standard(capabilities: Capabilities) -> SeccompProfile {
        var allowed = words(ordinaryCalls)
        for (names, calls) in privilegedCalls where !capabilities.isDisjoint(with: Capabilities(names: words(names))!) {
            allowed += words(calls)
        }
        var rules = [SeccompRule(allowed, .allow)] + argumentRules
        if capabilities.isDisjoint(with: Capabilities(name: "SYS_ADMIN")!) {
            rules += unprivilegedRules
        }
        rules.append(SeccompRule(["file_getattr", "file_setattr"], .errno(.notImplemented)))
        return SeccompProfile(
            defaultAction: .errno(.notPermitted), unnamedAction: .errno(.notImplemented), rules: rules)
    }

    /// Calls that are allowed for some of their arguments.
    private static let argumentRules: [SeccompRule] = [
        // The crypto interface is a long series of kernel holes; a vsock reaches the hypervisor past every
        // network namespace.
        SeccompRule(
            ["socket"], .allow, when: [.int(0, isNot: addressFamilyCrypto), .int(0, isNot: addressFamilyVsock)]),
        SeccompRule(
            ["ioctl"], .allow, when: [.int(1, isNot: simulateTerminalInput), .int(1, isNot: consoleSelection)]),
    ]
        + personalities.map { SeccompRule(["personality"], .allow, when: [.int(0, is: $0)]) }

    /// What takes the place of the CAP_SYS_ADMIN group where that capability is missing.
    private static let unprivilegedRules: [SeccompRule] = [
        SeccompRule(
            ["clone"], .allow, when: [ArgumentCondition(0, .maskedEqual(mask: UInt64(namespaceFlags), 0))]),
        // Its flags stand in memory, where no filter can look; the C library falls back to clone.
        SeccompRule(["clone3", "open_tree_attr"], .errno(.notImplemented)),
    ]

    /// PER_LINUX, PER_LINUX32, each also with UNAME26, and the question which one it is (personality(2)).
    private static let personalities: [UInt32] = [0, 0x0008, 0x2_0000, 0x2_0008, 0xFFFF_FFFF]

    /// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. NEWTIME shares its bit with the exit signal,
    /// so clone(2) has no way to ask for it.
    private static let namespaceFlags: UInt32 = 0x7E02_0000
    private static let addressFamilyCrypto: UInt32 = 38
    private static let addressFamilyVsock: UInt32 = 40
    private static let simulateTerminalInput: UInt32 = 0x5412
    private static let consoleSelection: UInt32 = 0x541C

    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    /// Capabilities, any of which allows the calls beside them.
    private static let privilegedCalls: [(capabilities: String, calls: String)] = [
        (
            "SYS_ADMIN",
            """
            bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
            lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree open_tree_attr perf_event_open
            quotactl quotactl_fd setdomainname sethostname setns syslog umount2 unshare
            """
        ),
        ("DAC_READ_SEARCH", "open_by_handle_at"),
        ("SYS_BOOT", "reboot"),
        ("SYS_CHROOT", "chroot"),
        ("SYS_MODULE", "delete_module init_module finit_module"),
        ("SYS_PACCT", "acct"),
        ("SYS_PTRACE", "kcmp pidfd_getfd process_madvise"),
        ("SYS_RAWIO", "iopl ioperm"),
        ("SYS_TIME", "settimeofday clock_settime"),
        ("SYS_TTY_CONFIG", "vhangup"),
        ("SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
        ("SYSLOG", "syslog"),
        ("BPF", "bpf"),
        ("PERFMON", "perf_event_open"),
    ]

    /// Calls that every program may make. What is missing (io_uring, keyrings, userfaultfd, kexec, swap ...) has had
    /// its share of kernel holes, or is the machine's business.
    private static let ordinaryCalls = """
        accept accept4 access adjtimex alarm arch_prctl bind brk cachestat capget capset chdir chmod chown
        clock_adjtime clock_getres clock_gettime clock_nanosleep close close_range connect copy_file_range creat dup
        dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait
        epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate
        fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fork
        fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex futex_requeue futex_wait futex_waitv futex_wake
        futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups
        getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit
        getrusage getsid getsockname getsockopt gettid gettimeofday getuid getxattr getxattrat inotify_add_watch
        inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit
        ioprio_get ioprio_set kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lgetxattr
        link linkat listen listmount listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat madvise
        map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2
        mlockall mmap modify_ldt mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink
        mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep
        newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free
        pkey_mprotect poll ppoll prctl pread64 preadv preadv2 prlimit64 process_mrelease process_vm_readv
        process_vm_writev pselect6 ptrace pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom
        recvmmsg recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2 restart_syscall rmdir
        rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
        rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
        sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler
        sched_yield seccomp select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto set_robust_list
        set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid
        setresgid setresuid setreuid setrlimit setsid setsockopt setuid setxattr setxattrat shmat shmctl shmdt shmget
        shutdown sigaltstack signalfd signalfd4 socketpair splice stat statfs statmount statx symlink symlinkat sync
        sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime
        timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat
        uprobe uretprobe utime utimensat utimes vfork vmsplice wait4 waitid write writev
        """
}
