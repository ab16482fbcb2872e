// System calls tried in a child process of their own: whatever they change ends with that child.
//
// The child is made by the raw clone(2) of fork's semantics (memory is copied on write, so a process with threads
// may use it: the child makes system calls and nothing else) and reports through its exit status, which has room
// for every errno. It is reaped before the function returns.
#ifndef FORKLESS_CKTRIAL_H
#define FORKLESS_CKTRIAL_H

#include "ckernel.h"
#include <stddef.h>

/// A fork without the C library's handlers. Zeros: the same argument order on x86-64 and arm64.
static inline long ck_raw_fork(void) { CK_RESULT(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }

/// Waits for a trial's child: its exit status, negated; the signal that killed it goes to `signal`.
static inline long ck_trial_end(long pid, int *signal) {
    int status = 0;
    long result;
    do result = wait4((pid_t)pid, &status, 0, NULL);
    while (result < 0 && errno == EINTR);
    if (result < 0) return -errno;
    *signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return WIFEXITED(status) ? -(long)WEXITSTATUS(status) : 0;
}

/// What the functions below put into `signal` when there could be no child: nothing was tried then, and the
/// result says why. Otherwise it is the signal that killed the child, or 0.
#define CK_TRIAL_NOT_MADE (-1)

/// Makes one system call in a child: 0 or the negated errno it got there. A call that forks again (clone) is fine:
/// the grandchild ends at once and is waited for.
static inline long ck_try_in_child(long number, long a, long b, long c, long d, long e, long f, int *signal) {
    long pid = ck_raw_fork();
    *signal = CK_TRIAL_NOT_MADE;
    if (pid < 0) return pid;
    if (pid == 0) {
        long result = syscall(number, a, b, c, d, e, f);
        int failure = result < 0 ? errno : 0;
#ifdef SYS_clone3
        if (result > 0 && (number == SYS_clone || number == SYS_clone3)) wait4((pid_t)result, NULL, 0, NULL);
#endif
        _exit(failure);
    }
    return ck_trial_end(pid, signal);
}

/// Touches `bytes` of fresh memory in a child. ENOMEM or SIGKILL: a limit stood against it.
static inline long ck_try_memory_in_child(size_t bytes, int *signal) {
    long pid = ck_raw_fork();
    *signal = CK_TRIAL_NOT_MADE;
    if (pid < 0) return pid;
    if (pid == 0) {
        char *memory = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) _exit(errno);
        for (size_t at = 0; at < bytes; at += 4096) ((volatile char *)memory)[at] = 1;
        _exit(0);
    }
    return ck_trial_end(pid, signal);
}

/// Duplicates a descriptor `count` times in a child that has raised its own limit as far as it may.
static inline long ck_try_descriptors_in_child(int fd, long count, int *signal) {
    long pid = ck_raw_fork();
    *signal = CK_TRIAL_NOT_MADE;
    if (pid < 0) return pid;
    if (pid == 0) {
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
            limit.rlim_cur = limit.rlim_max;
            setrlimit(RLIMIT_NOFILE, &limit);
        }
        for (long made = 0; made < count; made++)
            if (fcntl(fd, F_DUPFD_CLOEXEC, 0) < 0) _exit(errno);
        _exit(0);
    }
    return ck_trial_end(pid, signal);
}

#define CK_TRIAL_CHILDREN_MAXIMUM 4096

/// Starts `count` children that only wait, then kills and reaps them. Returns how many could be started;
/// `failure` is the errno of the first that could not, or 0.
static inline long ck_try_children(long count, int *failure) {
    pid_t children[CK_TRIAL_CHILDREN_MAXIMUM];
    pid_t parent = getpid();
    long made = 0;
    *failure = 0;
    if (count > CK_TRIAL_CHILDREN_MAXIMUM) return -EINVAL;
    while (made < count) {
        long pid = ck_raw_fork();
        if (pid < 0) {
            *failure = (int)-pid;
            break;
        }
        if (pid == 0) {
            // prctl(2): not to outlive a parent that is killed meanwhile, nor one that already was.
            prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
            if (getppid() != parent) _exit(0);
            for (;;) pause();
        }
        children[made++] = (pid_t)pid;
    }
    for (long i = 0; i < made; i++) kill(children[i], SIGKILL);
    for (long i = 0; i < made; i++)
        while (wait4(children[i], NULL, 0, NULL) < 0 && errno == EINTR) {}
    return made;
}

// What only trials call.

/// Connects an IPv4 socket to a port of 127.0.0.1.
static inline long ck_connect_loopback(int fd, uint16_t port) {
    // struct sockaddr_in, ip(7): family, port and address in network byte order.
    unsigned char address[16] = {0, 0, (unsigned char)(port >> 8), (unsigned char)port, 127, 0, 0, 1};
    sa_family_t family = AF_INET;
    memcpy(address, &family, sizeof family);
    CK_RESULT(connect(fd, (struct sockaddr *)address, sizeof address));
}
/// Connects a stream socket to, or lets it listen at, a path or, when the first byte is 0, an abstract name, unix(7).
static inline long ck_local_socket(int fd, const char *name, size_t count, int listens) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (count == 0 || count >= sizeof address.sun_path) return -EINVAL;
    memcpy(address.sun_path, name, count);
    // A path ends with its zero; of an abstract name every byte counts.
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + count + (name[0] ? 1 : 0));
    if (!listens) CK_RESULT(connect(fd, (struct sockaddr *)&address, size));
    if (bind(fd, (struct sockaddr *)&address, size) < 0) return -errno;
    CK_RESULT(listen(fd, 8));
}
/// A segment of System V's shared memory for this user alone, attached and then marked to go away with the last process that
/// has it attached, as Linux does it, shmctl(2): its id.
static inline long ck_shared_segment(size_t bytes, void **at) {
    long id = syscall(SYS_shmget, 0 /* IPC_PRIVATE */, bytes, 01600 /* IPC_CREAT, 0600 */);
    if (id < 0) return -errno;
    long address = syscall(SYS_shmat, (int)id, 0, 0);
    int failure = address == -1 ? errno : 0;
    syscall(SYS_shmctl, (int)id, 0 /* IPC_RMID */, 0);
    *at = (void *)address;
    return failure ? -failure : id;
}
static inline long ck_detach_shared(void *at) { CK_RESULT(syscall(SYS_shmdt, at)); }
/// The name of the network interface with this index, netdevice(7); ENODEV when there is none.
static inline long ck_interface_name(int fd, int index, char name[IFNAMSIZ]) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    request.ifr_ifindex = index;
    if (ioctl(fd, SIOCGIFNAME, &request) < 0) return -errno;
    memcpy(name, request.ifr_name, IFNAMSIZ);
    name[IFNAMSIZ - 1] = '\0';
    return 0;
}
/// Reads up to `count` bytes of the kernel's log without removing them, syslog(2).
static inline long ck_kernel_log(char *to, int count) { CK_RESULT(syscall(SYS_syslog, 3, to, count)); }
static inline int ck_getpid(void) { return (int)getpid(); }
static inline int ck_getppid(void) { return (int)getppid(); }

#endif
