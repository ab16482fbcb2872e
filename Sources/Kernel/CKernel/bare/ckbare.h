// System calls, structures and numbers for a program that has no C library: the shim. Nothing here needs start-up code.
//
// The structures are the kernel's own, which differ from glibc's in no field that is used. Every call returns its result
// or the negated error number.
#ifndef FORKLESS_CKBARE_H
#define FORKLESS_CKBARE_H

#include <asm/unistd.h>
#include <linux/un.h>
#include <stddef.h>
#include <stdint.h>

struct ckb_vector {
    const void *base;
    uint64_t count;
};

struct ckb_message {
    void *name;
    uint32_t name_count;
    struct ckb_vector *vectors;
    uint64_t vector_count;
    void *control;
    uint64_t control_count;
    int32_t flags;
};

/// One control message with room for descriptors, cmsg(3).
struct ckb_control {
    uint64_t count;
    int32_t level;
    int32_t type;
    int32_t descriptors[8];
};

struct ckb_poll {
    int32_t fd;
    int16_t events;
    int16_t found;
};

struct ckb_time {
    int64_t seconds;
    int64_t nanoseconds;
};

/// struct sigaction as the kernel has it.
struct ckb_action {
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
};

/// The first fields of signalfd_siginfo, and the size of the rest.
struct ckb_signal {
    uint32_t number;
    int32_t error;
    int32_t code;
    uint8_t rest[116];
};

#if defined(__x86_64__)
static inline __attribute__((always_inline)) long ckb_call(long n, long a, long b, long c, long d, long e) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static inline __attribute__((always_inline)) long ckb_call(long n, long a, long b, long c, long d, long e) {
    register long x8 __asm__("x8") = n;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
}
#else
#error "the shim is written for x86-64 and aarch64"
#endif

#define CKB_P(pointer) ((long)(pointer))

static inline long ckb_socket(void) {
    // AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK
    return ckb_call(__NR_socket, 1, 1 | 02000000 | 04000, 0, 0, 0);
}
static inline long ckb_connect(int fd, const struct sockaddr_un *to) { return ckb_call(__NR_connect, fd, CKB_P(to), sizeof *to, 0, 0); }
static inline long ckb_send(int fd, const struct ckb_message *m) { return ckb_call(__NR_sendmsg, fd, CKB_P(m), 0x4000, 0, 0); }
static inline long ckb_receive(int fd, struct ckb_message *m) { return ckb_call(__NR_recvmsg, fd, CKB_P(m), 0x40000000, 0, 0); }
static inline long ckb_poll(struct ckb_poll *fds, unsigned count, struct ckb_time *left) {
    return ckb_call(__NR_ppoll, CKB_P(fds), count, CKB_P(left), 0, 8);
}
static inline long ckb_read(int fd, void *to, size_t count) { return ckb_call(__NR_read, fd, CKB_P(to), count, 0, 0); }
static inline long ckb_write(int fd, const void *from, size_t count) { return ckb_call(__NR_write, fd, CKB_P(from), count, 0, 0); }
static inline long ckb_close(int fd) { return ckb_call(__NR_close, fd, 0, 0, 0, 0); }
static inline long ckb_close_range(unsigned first, unsigned last) { return ckb_call(__NR_close_range, first, last, 0, 0, 0); }
/// F_DUPFD_CLOEXEC
static inline long ckb_dup_above(int fd, int lowest) { return ckb_call(__NR_fcntl, fd, 1030, lowest, 0, 0); }
static inline long ckb_dup_to(int fd, int number) { return ckb_call(__NR_dup3, fd, number, 0, 0, 0); }
/// O_CLOEXEC
static inline long ckb_pipe(int32_t fds[2]) { return ckb_call(__NR_pipe2, CKB_P(fds), 02000000, 0, 0, 0); }
static inline long ckb_execute(const char *path, const void *arguments, const void *environment) {
    return ckb_call(__NR_execve, CKB_P(path), CKB_P(arguments), CKB_P(environment), 0, 0);
}
/// AT_EMPTY_PATH: executes the open file itself.
static inline long ckb_execute_open(int fd, const void *arguments, const void *environment) {
    return ckb_call(__NR_execveat, fd, CKB_P(""), CKB_P(arguments), CKB_P(environment), 0x1000);
}
/// SIG_BLOCK 0, SIG_UNBLOCK 1, SIG_SETMASK 2
static inline long ckb_mask(int how, const uint64_t *mask, uint64_t *before) {
    return ckb_call(__NR_rt_sigprocmask, how, CKB_P(mask), CKB_P(before), 8, 0);
}
static inline long ckb_action(int number, const struct ckb_action *action, struct ckb_action *before) {
    return ckb_call(__NR_rt_sigaction, number, CKB_P(action), CKB_P(before), 8, 0);
}
/// SFD_CLOEXEC | SFD_NONBLOCK
static inline long ckb_signalfd(const uint64_t *mask) { return ckb_call(__NR_signalfd4, -1, CKB_P(mask), 8, 02000000 | 04000, 0); }
static inline long ckb_pid(void) { return ckb_call(__NR_getpid, 0, 0, 0, 0, 0); }
static inline long ckb_kill(int pid, int number) { return ckb_call(__NR_kill, pid, number, 0, 0, 0); }
/// clone(SIGCHLD): fork(2).
static inline long ckb_fork(void) { return ckb_call(__NR_clone, 17, 0, 0, 0, 0); }
static inline long ckb_wait(int pid, int32_t *status, int options) { return ckb_call(__NR_wait4, pid, CKB_P(status), options, 0, 0); }
static inline long ckb_setsid(void) { return ckb_call(__NR_setsid, 0, 0, 0, 0, 0); }
static inline long ckb_chdir(const char *path) { return ckb_call(__NR_chdir, CKB_P(path), 0, 0, 0, 0); }
static inline long ckb_parent(void) { return ckb_call(__NR_getppid, 0, 0, 0, 0, 0); }
/// PR_SET_PDEATHSIG
static inline long ckb_die_with_parent(int number) { return ckb_call(__NR_prctl, 1, number, 0, 0, 0); }
/// PR_SET_DUMPABLE
static inline long ckb_set_dumpable(int is) { return ckb_call(__NR_prctl, 4, is, 0, 0, 0); }
static inline long ckb_exit(int status) { return ckb_call(__NR_exit_group, status, 0, 0, 0, 0); }

#endif
