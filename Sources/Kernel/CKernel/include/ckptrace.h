// Tracing of other processes, ptrace(2), and the child that waits to be traced.
#ifndef FORKLESS_CKPTRACE_H
#define FORKLESS_CKPTRACE_H

#include "cktrial.h"
#include <linux/ptrace.h>

static inline long ck_ptrace(int request, pid_t pid, unsigned long address, unsigned long data) { CK_RESULT(syscall(SYS_ptrace, request, pid, address, data)); }
static inline long ck_ptrace_event_message(pid_t pid, unsigned long *to) { CK_RESULT(syscall(SYS_ptrace, PTRACE_GETEVENTMSG, pid, 0, to)); }
static inline long ck_ptrace_call_info(pid_t pid, struct ptrace_syscall_info *to) { CK_RESULT(syscall(SYS_ptrace, PTRACE_GET_SYSCALL_INFO, pid, sizeof *to, to)); }

// The parts of struct ptrace_syscall_info that lie in a union.
static inline unsigned ck_call_info_kind(const struct ptrace_syscall_info *info) { return info->op; }
static inline uint64_t ck_call_info_number(const struct ptrace_syscall_info *info) { return info->op == PTRACE_SYSCALL_INFO_SECCOMP ? info->seccomp.nr : info->entry.nr; }
static inline uint64_t ck_call_info_argument(const struct ptrace_syscall_info *info, int index) { return info->op == PTRACE_SYSCALL_INFO_SECCOMP ? info->seccomp.args[index] : info->entry.args[index]; }
static inline int64_t ck_call_info_result(const struct ptrace_syscall_info *info) { return info->exit.rval; }

/// The next stop or end of what this thread traces or has started, wait(2) with __WALL and __WNOTHREAD: of no other thread.
static inline long ck_wait_traced(int *status, int options) {
    CK_RESULT(wait4(-1, status, 0x40000000 | 0x20000000 | options, NULL));
}

/// Copies memory of another process, process_vm_readv(2): up to the first page that is not there.
static inline long ck_read_memory(pid_t pid, uint64_t from, void *to, size_t count) {
    struct iovec here = {.iov_base = to, .iov_len = count}, there = {.iov_base = (void *)(uintptr_t)from, .iov_len = count};
    CK_RESULT(syscall(SYS_process_vm_readv, pid, &here, 1UL, &there, 1UL, 0UL));
}

/// Forks a child that executes a program as soon as it can read a byte from `go`: 0 ends it, 1 lets it go on.
///
/// The child makes raw system calls and nothing else. Its signal mask becomes `mask`, SIGPIPE gets its default action back,
/// and a filter is loaded when there is one. When it fails it writes its errno to `report`, which the exec closes.
static inline long ck_start_traced(
    const char *path, char *const *arguments, char *const *environment, uint64_t mask, const void *filter,
    unsigned short filter_length, int go, int report, int other_go
) {
    long pid = ck_raw_fork();
    if (pid != 0) return pid;
    // struct sigaction as the kernel has it: handler, flags, restorer, mask.
    struct { unsigned long handler, flags, restorer; uint64_t mask; } standard = {0, 0, 0, 0};
    struct sock_fprog program = {.len = filter_length, .filter = (struct sock_filter *)filter};
    char byte = 0;
    int failure = 0;
    close(other_go);
    if (read(go, &byte, 1) != 1 || byte != 1) _exit(127);
    syscall(SYS_rt_sigaction, SIGPIPE, &standard, NULL, sizeof(uint64_t));
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
    if (filter && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0) failure = errno;
    if (!failure) {
        execve(path, arguments, environment);
        failure = errno;
    }
    if (write(report, &failure, sizeof failure) < 0) _exit(126);
    _exit(127);
}

/// Forks a child that ends when nobody holds the other end of `pipe` open for writing any more: its end wakes a thread that
/// waits for children.
static inline long ck_fork_until_closed(int pipe, int other) {
    long pid = ck_raw_fork();
    if (pid != 0) return pid;
    char byte;
    close(other);
    while (read(pipe, &byte, 1) != 0) {}
    _exit(0);
}

#endif
