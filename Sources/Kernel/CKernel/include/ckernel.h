// System calls, constants and macros that Swift cannot import from glibc, under safe names.
//
// Every function is a static inline wrapper with no logic of its own and returns the call's result,
// or the negated errno. Swift may clobber errno between a call and its read; these never expose it.
#ifndef FORKLESS_CKERNEL_H
#define FORKLESS_CKERNEL_H

// _GNU_SOURCE is not defined: this module and Swift's Glibc module must see the same declarations. What glibc
// declares only under it is called by number or declared below.
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/magic.h>
#include <linux/taskstats.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

// Those of GNU's fcntl.h, which other headers may have been read without.
#ifndef F_SETSIG
#define F_SETSIG 10
#endif
#ifndef F_SETLEASE
#define F_SETLEASE 1024
#endif
#ifndef O_PATH
#define O_PATH 010000000
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define F_SEAL_SEAL 1
#define F_SEAL_SHRINK 2
#define F_SEAL_GROW 4
#define F_SEAL_WRITE 8
#endif
#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC 1u
#define MFD_ALLOW_SEALING 2u
#endif
#ifndef MNT_DETACH
#define MNT_DETACH 2
#define UMOUNT_NOFOLLOW 8
#endif
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

extern const char *strerrorname_np(int);

#define CK_RESULT(expression)                        \
    do {                                             \
        long ck_result_ = (long)(expression);        \
        return ck_result_ < 0 ? -errno : ck_result_; \
    } while (0)

/// The symbolic name of an error number, or NULL (strerror(3), glibc 2.32).
static inline const char *ck_error_name(int number) { return strerrorname_np(number); }

// Descriptors and files.

static inline long ck_open(const char *path, int flags, unsigned mode) { CK_RESULT(open(path, flags, mode)); }
static inline long ck_openat(int dir, const char *path, int flags, unsigned mode) { CK_RESULT(openat(dir, path, flags, mode)); }
static inline long ck_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    CK_RESULT(syscall(SYS_openat2, dir, path, &how, sizeof how));
}
static inline long ck_close(int fd) { CK_RESULT(close(fd)); }
static inline long ck_dup_cloexec(int fd, int lowest) { CK_RESULT(fcntl(fd, F_DUPFD_CLOEXEC, lowest)); }
static inline long ck_fcntl_get_flags(int fd) { CK_RESULT(fcntl(fd, F_GETFL)); }
static inline long ck_fcntl_set_flags(int fd, int flags) { CK_RESULT(fcntl(fd, F_SETFL, flags)); }
/// 1: somebody has the file open for writing, 0: nobody; fd is open for reading. While the lease lasts, whoever opens the file
/// for writing waits, and this process gets a signal: SIGURG, which is ignored where nobody asked for it, and not SIGIO, which
/// kills. fcntl(2)
static inline long ck_has_writers(int fd) {
    if (fcntl(fd, F_SETSIG, SIGURG) < 0) return -errno;
    if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0) return errno == EAGAIN ? 1 : -errno;
    CK_RESULT(fcntl(fd, F_SETLEASE, F_UNLCK));
}
static inline long ck_fcntl_get_fd(int fd) { CK_RESULT(fcntl(fd, F_GETFD)); }
static inline long ck_fcntl_set_fd(int fd, int flags) { CK_RESULT(fcntl(fd, F_SETFD, flags)); }
static inline long ck_read(int fd, void *to, size_t count) { CK_RESULT(read(fd, to, count)); }
static inline long ck_write(int fd, const void *from, size_t count) { CK_RESULT(write(fd, from, count)); }
static inline long ck_pread(int fd, void *to, size_t count, off_t at) { CK_RESULT(pread(fd, to, count, at)); }
static inline long ck_pipe2(int fds[2], int flags) { CK_RESULT(syscall(SYS_pipe2, fds, flags)); }
static inline long ck_fstat(int fd, struct stat *to) { CK_RESULT(fstat(fd, to)); }
static inline long ck_fstatat(int dir, const char *path, struct stat *to, int flags) { CK_RESULT(fstatat(dir, path, to, flags)); }
static inline long ck_fstatfs(int fd, struct statfs *to) { CK_RESULT(fstatfs(fd, to)); }
static inline long ck_statfs(const char *path, struct statfs *to) { CK_RESULT(statfs(path, to)); }
static inline long ck_mkdirat(int dir, const char *path, unsigned mode) { CK_RESULT(mkdirat(dir, path, mode)); }
static inline long ck_unlinkat(int dir, const char *path, int flags) { CK_RESULT(unlinkat(dir, path, flags)); }
static inline long ck_renameat(int from_dir, const char *from, int to_dir, const char *to) { CK_RESULT(syscall(SYS_renameat2, from_dir, from, to_dir, to, 0)); }
static inline long ck_exchange(int dir, const char *one, const char *other) { CK_RESULT(syscall(SYS_renameat2, dir, one, dir, other, 2 /* RENAME_EXCHANGE */)); }
static inline long ck_symlinkat(const char *target, int dir, const char *path) { CK_RESULT(symlinkat(target, dir, path)); }
static inline long ck_readlinkat(int dir, const char *path, char *to, size_t count) { CK_RESULT(readlinkat(dir, path, to, count)); }
static inline long ck_mknodat(int dir, const char *path, unsigned mode, dev_t device) { CK_RESULT(mknodat(dir, path, mode, device)); }
static inline long ck_fchmodat(int dir, const char *path, unsigned mode) { CK_RESULT(fchmodat(dir, path, mode, 0)); }
static inline long ck_fchmod(int fd, unsigned mode) { CK_RESULT(fchmod(fd, mode)); }
static inline long ck_fchmodat_itself(int dir, const char *path, unsigned mode) { CK_RESULT(fchmodat(dir, path, mode, AT_SYMLINK_NOFOLLOW)); }
static inline long ck_fchownat_itself(int dir, const char *path, uid_t uid, gid_t gid) { CK_RESULT(fchownat(dir, path, uid, gid, AT_SYMLINK_NOFOLLOW)); }
static inline long ck_linkat(int dir, const char *path, int new_dir, const char *new_path) { CK_RESULT(linkat(dir, path, new_dir, new_path, 0)); }
static inline long ck_futimens(int fd, const struct timespec times[2]) { CK_RESULT(futimens(fd, times)); }
static inline long ck_utimens_itself(int dir, const char *path, const struct timespec times[2]) { CK_RESULT(utimensat(dir, path, times, AT_SYMLINK_NOFOLLOW)); }
static inline long ck_fsetxattr(int fd, const char *name, const void *value, size_t count) { CK_RESULT(fsetxattr(fd, name, value, count, 0)); }
static inline long ck_fgetxattr(int fd, const char *name, void *to, size_t count) { CK_RESULT(fgetxattr(fd, name, to, count)); }
static inline long ck_flistxattr(int fd, char *to, size_t count) { CK_RESULT(flistxattr(fd, to, count)); }
static inline long ck_pwrite(int fd, const void *from, size_t count, off_t at) { CK_RESULT(pwrite(fd, from, count, at)); }
static inline unsigned ck_major(dev_t device) { return major(device); }
static inline unsigned ck_minor(dev_t device) { return minor(device); }
static inline dev_t ck_makedev(unsigned high, unsigned low) { return makedev(high, low); }
// lseek(2): _GNU_SOURCE names.
static inline long ck_next_data(int fd, off_t offset) { CK_RESULT(lseek(fd, offset, 3)); }
static inline long ck_next_hole(int fd, off_t offset) { CK_RESULT(lseek(fd, offset, 4)); }
static inline long ck_fchown(int fd, uid_t uid, gid_t gid) { CK_RESULT(fchown(fd, uid, gid)); }
static inline long ck_fsync(int fd) { CK_RESULT(fsync(fd)); }
static inline long ck_syncfs(int fd) { CK_RESULT(syscall(SYS_syncfs, fd)); }
static inline long ck_ftruncate(int fd, off_t length) { CK_RESULT(ftruncate(fd, length)); }
static inline long ck_lseek(int fd, off_t offset, int whence) { CK_RESULT(lseek(fd, offset, whence)); }
static inline long ck_flock(int fd, int operation) { CK_RESULT(flock(fd, operation)); }
static inline long ck_getdents64(int fd, void *to, size_t count) { CK_RESULT(syscall(SYS_getdents64, fd, to, count)); }
static inline long ck_faccessat(int dir, const char *path, int mode, int flags) { CK_RESULT(faccessat(dir, path, mode, flags)); }
static inline long ck_close_range(unsigned first, unsigned last, unsigned flags) { CK_RESULT(syscall(SYS_close_range, first, last, flags)); }
static inline long ck_memfd_create(const char *name, unsigned flags) { CK_RESULT(syscall(SYS_memfd_create, name, flags)); }
static inline long ck_add_seals(int fd, int seals) { CK_RESULT(fcntl(fd, F_ADD_SEALS, seals)); }
static inline long ck_get_seals(int fd) { CK_RESULT(fcntl(fd, F_GET_SEALS)); }
static inline long ck_inotify_init(void) { CK_RESULT(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)); }
static inline long ck_inotify_add_watch(int fd, const char *path, uint32_t events) { CK_RESULT(inotify_add_watch(fd, path, events)); }
static inline long ck_eventfd(unsigned initial, int flags) { CK_RESULT(eventfd(initial, flags)); }
static inline long ck_poll(struct pollfd *fds, unsigned long count, int timeout) { CK_RESULT(poll(fds, count, timeout)); }
static inline long ck_pipe_bytes(int fd) {
    int bytes = 0;
    long result = ioctl(fd, FIONREAD, &bytes);
    return result < 0 ? -errno : bytes;
}

// Epoll, timers, signals.

static inline long ck_epoll_create(void) { CK_RESULT(epoll_create1(EPOLL_CLOEXEC)); }
static inline long ck_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data = {.u64 = data}};
    CK_RESULT(epoll_ctl(epoll, operation, fd, &event));
}
static inline long ck_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout) { CK_RESULT(epoll_wait(epoll, events, count, timeout)); }
static inline uint64_t ck_epoll_event_data(const struct epoll_event *event) { return event->data.u64; }
static inline uint32_t ck_epoll_event_events(const struct epoll_event *event) { return event->events; }
static inline long ck_timerfd_create(int clock, int flags) { CK_RESULT(timerfd_create(clock, flags)); }
/* Of the wall clock, to a moment of it; the timer also becomes readable when somebody sets the clock. */
static inline long ck_timerfd_settime_wall(int fd, int64_t seconds, int64_t nanoseconds) {
    struct itimerspec spec = {.it_value = {.tv_sec = seconds, .tv_nsec = nanoseconds}};
    CK_RESULT(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, NULL));
}
static inline long ck_signalfd(uint64_t mask) {
    // The kernel's own mask is 64 bits wide; glibc's sigset_t would only be copied from.
    CK_RESULT(syscall(SYS_signalfd4, -1, &mask, sizeof mask, SFD_CLOEXEC | SFD_NONBLOCK));
}
static inline long ck_sigprocmask(int how, uint64_t mask, uint64_t *old) { CK_RESULT(syscall(SYS_rt_sigprocmask, how, &mask, old, sizeof mask)); }
static inline long ck_pending_signals(uint64_t *to) { CK_RESULT(syscall(SYS_rt_sigpending, to, sizeof *to)); }
/// Takes a pending signal of the mask without waiting for one; -EAGAIN: none is pending.
static inline long ck_take_signal(uint64_t mask) {
    struct timespec none = {0, 0};
    CK_RESULT(syscall(SYS_rt_sigtimedwait, &mask, NULL, &none, sizeof mask));
}
static inline long ck_ignore_signal(int number) { return signal(number, SIG_IGN) == SIG_ERR ? -errno : 0; }
static inline long ck_default_signal(int number) { return signal(number, SIG_DFL) == SIG_ERR ? -errno : 0; }
static inline long ck_kill(pid_t pid, int number) { CK_RESULT(kill(pid, number)); }
static inline long ck_clock_nanoseconds(int clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (long)now.tv_sec * 1000000000L + now.tv_nsec;
}

// Processes.

static inline long ck_pidfd_open(pid_t pid, unsigned flags) { CK_RESULT(syscall(SYS_pidfd_open, pid, flags)); }
static inline long ck_pidfd_send_signal(int pidfd, int number) { CK_RESULT(syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0)); }
/// To the whole process group that the process leads or led (PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9).
static inline long ck_pidfd_signal_group(int pidfd, int number) { CK_RESULT(syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 1 << 2)); }
static inline long ck_pidfd_getfd(int pidfd, int fd) { CK_RESULT(syscall(SYS_pidfd_getfd, pidfd, fd, 0)); }
/// How a process ended that has been reaped by now, in the form of wait(2); -ENODATA before, -ENOTTY or -EINVAL where the kernel
/// does not tell (before 6.15). linux/pidfd.h: PIDFD_GET_INFO with PIDFD_INFO_EXIT.
static inline long ck_pidfd_end(int pidfd) {
    struct { uint64_t mask, cgroup; uint32_t ids[11]; int32_t exit_code; } info = {.mask = 1 << 3};
    if (ioctl(pidfd, _IOWR(0xFF, 11, info), &info) < 0) return -errno;
    return info.mask & 1 << 3 ? (long)(unsigned)info.exit_code : -ENODATA;
}
/// SO_PEERPIDFD (6.5): the process that connected, by descriptor.
static inline long ck_peer_pidfd(int fd) {
    int pidfd = -1;
    socklen_t size = sizeof pidfd;
    CK_RESULT(getsockopt(fd, SOL_SOCKET, 77, &pidfd, &size) < 0 ? -1 : pidfd);
}
/// 0: both numbers name the same open file, kcmp(2).
static inline long ck_compare_files(pid_t pid, int one, int other) { CK_RESULT(syscall(SYS_kcmp, pid, pid, 0, one, other)); }
/// F_SETPIPE_SZ
static inline long ck_set_pipe_bytes(int fd, long bytes) { CK_RESULT(fcntl(fd, 1031, bytes)); }
/// Copies what is in one pipe into another and leaves it there, tee(2).
static inline long ck_tee(int from, int to, size_t count) { CK_RESULT(syscall(SYS_tee, from, to, count, 2 /* SPLICE_F_NONBLOCK */)); }
struct ck_exit {
    int32_t pid;
    int32_t code;    // CLD_EXITED, CLD_KILLED, CLD_DUMPED
    int32_t status;  // the exit status or the signal
    struct rusage usage;
};
/// waitid(2) with the resource usage that only the raw call returns. 0 with pid 0: not there yet (WNOHANG).
static inline long ck_waitid(int type, int id, struct ck_exit *to, int options) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    long result = syscall(SYS_waitid, type, id, &info, options, &to->usage);
    if (result < 0) return -errno;
    to->pid = info.si_pid;
    to->code = info.si_code;
    to->status = info.si_status;
    return 0;
}
// The C library's memory.

// Bytes that the program holds, of all arenas and of mappings of their own, mallinfo(3).
static inline size_t ck_allocated_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static inline int ck_trim_memory(void) { return malloc_trim(0); }

static inline long ck_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) { CK_RESULT(prctl(option, a, b, c, d)); }
static inline long ck_setns(int fd, int type) { CK_RESULT(syscall(SYS_setns, fd, type)); }
static inline long ck_unshare(int flags) { CK_RESULT(syscall(SYS_unshare, flags)); }
/// The environment block of this process, environ(7).
static inline char *const *ck_environment(void) { return __environ; }
static inline long ck_setsid(void) { CK_RESULT(setsid()); }
static inline long ck_futex_wait(uint32_t *word, uint32_t expected, const struct timespec *timeout) { CK_RESULT(syscall(SYS_futex, word, 0, expected, timeout, NULL, 0)); }
static inline long ck_futex_wake(uint32_t *word, int count) { CK_RESULT(syscall(SYS_futex, word, 1, count, NULL, NULL, 0)); }
static inline uint32_t ck_load_acquire(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline void ck_store_release(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
static inline long ck_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return -errno;
    *effective = data[0].effective | (uint64_t)data[1].effective << 32;
    *permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    *inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return 0;
}
static inline long ck_getrlimit(int resource, uint64_t *soft, uint64_t *hard) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) < 0) return -errno;
    *soft = limit.rlim_cur;
    *hard = limit.rlim_max;
    return 0;
}
static inline long ck_setrlimit(int resource, uint64_t soft, uint64_t hard) {
    struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
    CK_RESULT(setrlimit(resource, &limit));
}
/// prlimit(2), which glibc declares only under _GNU_SOURCE.
static inline long ck_set_limit_of(pid_t pid, int resource, uint64_t soft, uint64_t hard) {
    uint64_t limit[2] = {soft, hard};
    CK_RESULT(syscall(SYS_prlimit64, pid, resource, limit, NULL));
}

// Calls whose presence is asked for with arguments that no kernel accepts: ENOSYS means that it is missing.

static inline long ck_probe_clone3(void) { CK_RESULT(syscall(SYS_clone3, NULL, 0)); }
static inline long ck_probe_clone_into_cgroup(int not_a_cgroup) {
    // No child is made: a descriptor that is no cgroup is refused (EBADF) before; an older kernel says EINVAL or E2BIG.
    struct clone_args arguments = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)not_a_cgroup};
    CK_RESULT(syscall(SYS_clone3, &arguments, sizeof arguments));
}
static inline long ck_probe_pidfd_open(void) { CK_RESULT(syscall(SYS_pidfd_open, -1, 0)); }
static inline long ck_probe_openat2(void) { CK_RESULT(syscall(SYS_openat2, -1, "", NULL, 0)); }
static inline long ck_probe_open_tree(void) { CK_RESULT(syscall(SYS_open_tree, -1, "", ~0u)); }
static inline long ck_probe_fsopen(void) { CK_RESULT(syscall(SYS_fsopen, "", ~0u)); }
static inline long ck_probe_mount_setattr(void) { CK_RESULT(syscall(SYS_mount_setattr, -1, "", 0, NULL, 0)); }
static inline long ck_probe_close_range(void) { CK_RESULT(syscall(SYS_close_range, 1, 0, 0)); }
static inline long ck_probe_seccomp_filter(void) {
    // A filter that cannot be read: EFAULT where filters are known, before anything is installed (seccomp(2)).
    CK_RESULT(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0, 0, 0));
}
static inline long ck_probe_seccomp_flags(unsigned flags) {
    // The same: EINVAL says that a flag is not known.
    CK_RESULT(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL));
}

// Mounts.

static inline long ck_open_tree(int dir, const char *path, unsigned flags) { CK_RESULT(syscall(SYS_open_tree, dir, path, flags)); }
static inline long ck_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags) { CK_RESULT(syscall(SYS_move_mount, from, from_path, to, to_path, flags)); }
static inline long ck_fsopen(const char *name, unsigned flags) { CK_RESULT(syscall(SYS_fsopen, name, flags)); }
static inline long ck_fsconfig(int fd, unsigned command, const char *key, const void *value, int auxiliary) { CK_RESULT(syscall(SYS_fsconfig, fd, command, key, value, auxiliary)); }
static inline long ck_fsmount(int fd, unsigned flags, unsigned attributes) { CK_RESULT(syscall(SYS_fsmount, fd, flags, attributes)); }
static inline long ck_mount_setattr(int dir, const char *path, unsigned flags, uint64_t set, uint64_t clear, uint64_t propagation, int user_namespace) {
    struct mount_attr attributes = {.attr_set = set, .attr_clr = clear, .propagation = propagation, .userns_fd = (uint64_t)user_namespace};
    CK_RESULT(syscall(SYS_mount_setattr, dir, path, flags, &attributes, sizeof attributes));
}
static inline long ck_mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data) { CK_RESULT(syscall(SYS_mount, source, target, type, flags, data)); }
static inline long ck_umount2(const char *target, int flags) { CK_RESULT(syscall(SYS_umount2, target, flags)); }

// Programs that decide over devices in a cgroup, bpf(2).

static inline long ck_bpf_load_device_program(const void *instructions, uint32_t count) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.insns = (uint64_t)(uintptr_t)instructions;
    attributes.insn_cnt = count;
    attributes.license = (uint64_t)(uintptr_t)"Apache-2.0";
    CK_RESULT(syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes));
}
/// Beside those that are attached, or, when `replaced` is not -1, in the place of that one.
static inline long ck_bpf_attach_device_program(int cgroup, int program, int replaced) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = (uint32_t)cgroup;
    attributes.attach_bpf_fd = (uint32_t)program;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    attributes.attach_flags = BPF_F_ALLOW_MULTI | (replaced >= 0 ? BPF_F_REPLACE : 0);
    attributes.replace_bpf_fd = replaced >= 0 ? (uint32_t)replaced : 0;
    CK_RESULT(syscall(SYS_bpf, BPF_PROG_ATTACH, &attributes, sizeof attributes));
}
static inline long ck_bpf_detach_device_program(int cgroup, int program) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = (uint32_t)cgroup;
    attributes.attach_bpf_fd = (uint32_t)program;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    CK_RESULT(syscall(SYS_bpf, BPF_PROG_DETACH, &attributes, sizeof attributes));
}
/// The ids of the programs attached to this very cgroup; returns how many there are.
static inline long ck_bpf_device_programs(int cgroup, uint32_t *ids, uint32_t room) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.query.target_fd = (uint32_t)cgroup;
    attributes.query.attach_type = BPF_CGROUP_DEVICE;
    attributes.query.prog_ids = (uint64_t)(uintptr_t)ids;
    attributes.query.prog_cnt = room;
    long result = syscall(SYS_bpf, BPF_PROG_QUERY, &attributes, sizeof attributes);
    return result < 0 ? -errno : (long)attributes.query.prog_cnt;
}
static inline long ck_bpf_open_program(uint32_t id) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_id = id;
    CK_RESULT(syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &attributes, sizeof attributes));
}

// The root of this process.

static inline long ck_fchdir(int fd) { CK_RESULT(fchdir(fd)); }
static inline long ck_chroot(const char *path) { CK_RESULT(syscall(SYS_chroot, path)); }

// What a process does to itself.

/// execveat(2) of an open file with our own environment. Returns only when it fails.
static inline long ck_execute_file(int fd, char *const *arguments) { CK_RESULT(syscall(SYS_execveat, fd, "", arguments, __environ, AT_EMPTY_PATH)); }
static inline long ck_umask(unsigned mask) { return (long)umask(mask); }
/// setfsuid(2) and setfsgid(2) do not say whether they worked: asked again, they tell what is in force.
static inline long ck_set_file_ids(uid_t uid, gid_t gid) {
    syscall(SYS_setfsgid, gid);
    syscall(SYS_setfsuid, uid);
    return (gid_t)syscall(SYS_setfsgid, -1) == gid && (uid_t)syscall(SYS_setfsuid, -1) == uid ? 0 : -EPERM;
}
/// Makes every permitted capability effective.
static inline long ck_raise_permitted(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return -errno;
    data[0].effective = data[0].permitted;
    data[1].effective = data[1].permitted;
    CK_RESULT(syscall(SYS_capset, &header, data));
}

// Terminals.

static inline long ck_unlock_terminal(int master) {
    int zero = 0;
    CK_RESULT(ioctl(master, TIOCSPTLCK, &zero));
}
static inline long ck_terminal_peer(int master, int flags) { CK_RESULT(ioctl(master, TIOCGPTPEER, flags)); }
static inline long ck_terminal_set_size(int fd, unsigned short rows, unsigned short columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    CK_RESULT(ioctl(fd, TIOCSWINSZ, &size));
}
static inline long ck_terminal_get_size(int fd, unsigned short *rows, unsigned short *columns) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) return -errno;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}

// Sockets with descriptors (unix(7), SCM_RIGHTS).

#define CK_DESCRIPTORS_MAXIMUM 64

static inline long ck_socket(int domain, int type, int protocol) { CK_RESULT(socket(domain, type, protocol)); }
static inline long ck_socketpair(int domain, int type, int fds[2]) { CK_RESULT(socketpair(domain, type, 0, fds)); }
static inline long ck_unix_address(struct sockaddr_un *address, const char *path) {
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path) return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length + 1);
    return 0;
}
static inline long ck_bind_unix(int fd, const char *path) {
    struct sockaddr_un address;
    long result = ck_unix_address(&address, path);
    if (result < 0) return result;
    CK_RESULT(bind(fd, (struct sockaddr *)&address, sizeof address));
}
static inline long ck_connect_unix(int fd, const char *path) {
    struct sockaddr_un address;
    long result = ck_unix_address(&address, path);
    if (result < 0) return result;
    CK_RESULT(connect(fd, (struct sockaddr *)&address, sizeof address));
}
// A name without a file begins with a NUL, unix(7).
static inline long ck_connect_unix_name(int fd, const char *name, size_t length) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (length > sizeof address.sun_path) return -ENAMETOOLONG;
    memcpy(address.sun_path, name, length);
    CK_RESULT(connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)));
}
static inline long ck_shutdown(int fd, int how) { CK_RESULT(shutdown(fd, how)); }
static inline long ck_listen(int fd, int backlog) { CK_RESULT(listen(fd, backlog)); }
static inline long ck_accept(int fd) { CK_RESULT(syscall(SYS_accept4, fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)); }
static inline long ck_peer(int fd, int32_t *pid, uint32_t *uid, uint32_t *gid) {
    struct { int32_t pid; uint32_t uid, gid; } peer;  // struct ucred, unix(7)
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return -errno;
    *pid = peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}
static inline long ck_set_buffer(int fd, int bytes) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    CK_RESULT(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes));
}
static inline long ck_send(int fd, const void *bytes, size_t count, const int *fds, size_t fd_count, int flags) {
    union {
        char room[CMSG_SPACE(sizeof(int) * CK_DESCRIPTORS_MAXIMUM)];
        struct cmsghdr align;
    } control;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd_count > CK_DESCRIPTORS_MAXIMUM) return -EMSGSIZE;
    if (fd_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * fd_count);
    }
    CK_RESULT(sendmsg(fd, &message, flags | MSG_NOSIGNAL));
}
/// Receives one message. `fd_count` says how many descriptors came (all close-on-exec); -EMSGSIZE: cut off.
static inline long ck_receive(int fd, void *bytes, size_t count, int *fds, size_t *fd_count, int flags) {
    union {
        char room[CMSG_SPACE(sizeof(int) * CK_DESCRIPTORS_MAXIMUM)];
        struct cmsghdr align;
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    *fd_count = 0;
    ssize_t result = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
    if (result < 0) return -errno;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds + *fd_count, CMSG_DATA(header), n * sizeof(int));
        *fd_count += n;
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) return -EMSGSIZE;
    return result;
}

/// A TCP socket that listens at a free port of 127.0.0.1; the port in host order.
static inline long ck_listen_loopback(uint16_t *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 64) < 0
        || getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
        long result = -errno;
        close(fd);
        return result;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

// Internet sockets, ip(7), ipv6(7) and udp(7).

/// An address (4 or 16 bytes in network order, by family) and a port in host order.
struct ck_endpoint {
    uint8_t address[16];
    uint16_t family;
    uint16_t port;
};
static inline socklen_t ck_socket_address(const struct ck_endpoint *from, struct sockaddr_storage *to) {
    memset(to, 0, sizeof *to);
    if (from->family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)to;
        in->sin_family = AF_INET;
        in->sin_port = htons(from->port);
        memcpy(&in->sin_addr, from->address, 4);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(from->port);
    memcpy(&in6->sin6_addr, from->address, 16);
    return sizeof *in6;
}
static inline void ck_endpoint_of(const struct sockaddr_storage *from, struct ck_endpoint *to) {
    memset(to, 0, sizeof *to);
    to->family = from->ss_family;
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)from;
        to->port = ntohs(in->sin_port);
        memcpy(to->address, &in->sin_addr, 4);
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
        to->port = ntohs(in6->sin6_port);
        memcpy(to->address, &in6->sin6_addr, 16);
    }
}
static inline long ck_bind_internet(int fd, const struct ck_endpoint *at) {
    struct sockaddr_storage address;
    socklen_t size = ck_socket_address(at, &address);
    CK_RESULT(bind(fd, (struct sockaddr *)&address, size));
}
static inline long ck_connect_internet(int fd, const struct ck_endpoint *to) {
    struct sockaddr_storage address;
    socklen_t size = ck_socket_address(to, &address);
    CK_RESULT(connect(fd, (struct sockaddr *)&address, size));
}
static inline long ck_send_to(int fd, const void *bytes, size_t count, const struct ck_endpoint *to) {
    struct sockaddr_storage address;
    socklen_t size = ck_socket_address(to, &address);
    CK_RESULT(sendto(fd, bytes, count, MSG_NOSIGNAL, (struct sockaddr *)&address, size));
}
static inline long ck_receive_from(int fd, void *bytes, size_t count, struct ck_endpoint *from) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    ssize_t result = recvfrom(fd, bytes, count, 0, (struct sockaddr *)&address, &size);
    if (result < 0) return -errno;
    ck_endpoint_of(&address, from);
    return result;
}
static inline long ck_local_endpoint(int fd, struct ck_endpoint *to) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) return -errno;
    ck_endpoint_of(&address, to);
    return 0;
}
static inline long ck_peer_endpoint(int fd, struct ck_endpoint *to) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getpeername(fd, (struct sockaddr *)&address, &size) < 0) return -errno;
    ck_endpoint_of(&address, to);
    return 0;
}
static inline long ck_set_option(int fd, int level, int option, int value) { CK_RESULT(setsockopt(fd, level, option, &value, sizeof value)); }

// Netlink of which the kernel is the only speaker: connector (process events) and generic netlink (accounting).

static inline long ck_bind_netlink(int fd, uint32_t groups) {
    // struct sockaddr_nl, netlink(7); the kernel gives the number.
    struct { sa_family_t family; uint16_t pad; uint32_t pid, groups; } address = {AF_NETLINK, 0, 0, groups};
    CK_RESULT(bind(fd, (struct sockaddr *)&address, sizeof address));
}

#define CK_MANY 64

/// Receives up to CK_MANY datagrams that wait, each into its own part of `room`: their lengths; -EAGAIN: none waits.
static inline long ck_receive_many(int fd, void *room, size_t each, uint32_t *lengths) {
    struct ck_mmsghdr { struct msghdr header; unsigned length; } messages[CK_MANY];
    struct iovec parts[CK_MANY];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < CK_MANY; i++) {
        parts[i].iov_base = (char *)room + (size_t)i * each;
        parts[i].iov_len = each;
        messages[i].header.msg_iov = &parts[i];
        messages[i].header.msg_iovlen = 1;
    }
    long count = syscall(SYS_recvmmsg, fd, messages, CK_MANY, MSG_DONTWAIT, NULL);
    if (count < 0) return -errno;
    for (long i = 0; i < count; i++) lengths[i] = messages[i].length;
    return count;
}

/// A record of a task's end; what an older kernel leaves out is zero (linux/taskstats.h).
static inline void ck_taskstats(const void *from, size_t count, struct taskstats *to) {
    memset(to, 0, sizeof *to);
    memcpy(to, from, count < sizeof *to ? count : sizeof *to);
}
static inline void ck_taskstats_name(const struct taskstats *from, char to[TS_COMM_LEN]) { memcpy(to, from->ac_comm, TS_COMM_LEN); }
static inline unsigned ck_exit_major(uint64_t device) { return (unsigned)((device & 0xfff00) >> 8); }
static inline unsigned ck_exit_minor(uint64_t device) { return (unsigned)((device & 0xff) | ((device >> 12) & 0xfff00)); }

// The machine, uname(2).

static inline long ck_uname(char release[65], char machine[65], char node[65]) {
    // struct new_utsname of linux/utsname.h: six names of 65 bytes.
    struct { char system[65], node[65], release[65], version[65], machine[65], domain[65]; } name;
    if (syscall(SYS_uname, &name) < 0) return -errno;
    memcpy(release, name.release, 65);
    memcpy(machine, name.machine, 65);
    memcpy(node, name.node, 65);
    return 0;
}

// Constants that Swift does not import because they are macros over expressions.

static const int ck_at_fdcwd = AT_FDCWD;
static const uint64_t ck_rlimit_infinity = (uint64_t)RLIM_INFINITY;

#endif
