// The child after clone3: raw system calls only. See cspawn.h for the contract and its invariants.
#define _GNU_SOURCE 1
#include "cspawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/if.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/time_types.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif
#ifndef SIOCGIFFLAGS
#define SIOCGIFFLAGS 0x8913
#define SIOCSIFFLAGS 0x8914
#endif
#define IOCTL_TIOCSCTTY 0x540E

// Raw system calls: the result or the negated errno, nothing else touched.

#if defined(__x86_64__)
static inline long raw(long n, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return result;
}

// clone3 with a stack of its own: the child calls run(argument) on it and never returns.
long cspawn_clone3(void *arguments, unsigned long size, void (*run)(void *), void *argument);
__asm__(
    ".text\n.globl cspawn_clone3\n.hidden cspawn_clone3\n.type cspawn_clone3, @function\n"
    "cspawn_clone3:\n"
    "  mov %rcx, %r8\n"  // the kernel keeps rdx and r8, clobbers rcx and r11
    "  mov $435, %eax\n"
    "  syscall\n"
    "  test %rax, %rax\n"
    "  jnz 1f\n"
    "  xor %ebp, %ebp\n"
    "  mov %r8, %rdi\n"
    "  call *%rdx\n"
    "  hlt\n"
    "1: ret\n"
    ".size cspawn_clone3, .-cspawn_clone3\n");
#elif defined(__aarch64__)
static inline long raw(long n, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = n;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}

long cspawn_clone3(void *arguments, unsigned long size, void (*run)(void *), void *argument);
__asm__(
    ".text\n.globl cspawn_clone3\n.hidden cspawn_clone3\n.type cspawn_clone3, %function\n"
    "cspawn_clone3:\n"
    "  mov x8, #435\n"
    "  svc #0\n"
    "  cbnz x0, 1f\n"
    "  mov x29, xzr\n"
    "  mov x0, x3\n"
    "  blr x2\n"
    "  brk #0\n"
    "1: ret\n"
    ".size cspawn_clone3, .-cspawn_clone3\n");
#else
#error "Forkless starts programs on x86-64 and arm64"
#endif

#define CALL(n, ...) CALL_(n, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL_(n, a, b, c, d, e, f, ...) raw((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static inline void *zero(void *at, unsigned long count) {
    volatile uint8_t *bytes = at;
    for (unsigned long i = 0; i < count; i++) bytes[i] = 0;
    return at;
}

struct context {
    struct cspawn_launch *launch;
    const struct cspawn_step *step;
    int32_t report;  // where a failure is written, too, or -1
};

static inline const char *text(const struct context *x, uint32_t offset) {
    return offset == CSPAWN_NONE ? 0 : (const char *)x->launch->arena + offset;
}
static inline const char *path_of(const struct context *x) {
    return x->step->flags & CSPAWN_PATH_FROM_LAUNCH ? x->launch->directory : text(x, x->step->s0);
}
static inline long directory(const struct context *x, int64_t slot) {
    return slot < 0 ? AT_FDCWD : x->launch->fds[slot];
}
static inline long fill(struct context *x, int64_t slot, long fd) {
    if (fd >= 0) x->launch->fds[slot] = (int32_t)fd;
    return fd < 0 ? fd : 0;
}

/// The descriptors of the preparation are closed by the exec, so until then /proc/self/fd/N would lead a working
/// directory out of the root (CVE-2024-21626).
static long change_directory(const struct context *x, const struct cspawn_step *s) {
    if (!(s->flags & CSPAWN_NO_MAGIC_LINKS)) return CALL(SYS_chdir, path_of(x));
    struct open_how how;
    zero(&how, sizeof how);
    how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    how.resolve = RESOLVE_NO_MAGICLINKS;
    long opened = CALL(SYS_openat2, AT_FDCWD, path_of(x), &how, sizeof how);
    if (opened < 0) return opened;
    long result = CALL(SYS_fchdir, opened);
    CALL(SYS_close, opened);
    return result;
}

static long set_hostname(const struct context *x, const struct cspawn_step *s) {
    if (!(s->flags & CSPAWN_NAME_FROM_LAUNCH)) return CALL(SYS_sethostname, text(x, s->s0), s->s1);
    long length = 0;
    while (x->launch->hostname[length]) length++;
    return CALL(SYS_sethostname, x->launch->hostname, length);
}

/// Leaves the parent's descriptor table for one of our own. The kernel copies only what lies below the range to
/// close, so the cost does not grow with the parent's descriptors; then the gaps between our slots are closed.
static long unshare_files(const struct cspawn_launch *launch, int64_t lowest) {
    int64_t end = lowest;
    for (uint32_t i = 0; i < launch->slot_count; i++)
        if (launch->fds[i] >= end) end = launch->fds[i] + 1;
    long result = CALL(SYS_close_range, end, ~0u, CLOSE_RANGE_UNSHARE);
    int64_t at = lowest;
    while (result >= 0 && at < end) {
        int64_t next = end;
        for (uint32_t i = 0; i < launch->slot_count; i++)
            if (launch->fds[i] >= at && launch->fds[i] < next) next = launch->fds[i];
        if (next > at) result = CALL(SYS_close_range, at, next - 1, 0);
        at = next + 1;
    }
    return result;
}

static long await_go(struct cspawn_launch *launch) {
    for (;;) {
        uint32_t phase = __atomic_load_n(&launch->phase, __ATOMIC_ACQUIRE);
        if (phase == CSPAWN_GO) return 0;
        if (phase == CSPAWN_LEAVE) return -ECANCELED;
        CALL(SYS_futex, &launch->phase, FUTEX_WAIT, phase, 0, 0, 0);
    }
}

/// Says "parked" on the socket and waits for the word to go on, which carries the descriptors of this call:
/// the child has a descriptor table of its own by now. When the parent is gone the socket ends, and so do we.
static long park(struct context *x, const struct cspawn_step *s) {
    union { struct cmsghdr header; uint8_t room[CMSG_SPACE(sizeof(int32_t) * CSPAWN_PARK_LIMIT)]; } control;
    uint8_t byte = 'P';
    int32_t socket = x->launch->fds[s->a];
    long result = CALL(SYS_sendto, socket, &byte, 1, MSG_NOSIGNAL, 0, 0);
    if (result < 0) return result;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message;
    zero(&message, sizeof message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    result = CALL(SYS_recvmsg, socket, &message, MSG_CMSG_CLOEXEC);
    if (result < 0) return result;
    if (result == 0) return -ECANCELED;
    if (message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) return -EMSGSIZE;
    int64_t count = 0;
    if (message.msg_controllen >= sizeof control.header && control.header.cmsg_type == SCM_RIGHTS)
        count = (int64_t)((control.header.cmsg_len - sizeof control.header) / sizeof(int32_t));
    if (count != s->c) return -EBADMSG;
    const int32_t *fds = (const int32_t *)CMSG_DATA(&control.header);
    for (int64_t i = 0; i < count; i++) x->launch->fds[s->b + i] = fds[i];
    __atomic_store_n(&x->launch->phase, CSPAWN_CALLED, __ATOMIC_RELEASE);
    return 0;
}

static long loopback_up(void) {
    struct ifreq request;
    zero(&request, sizeof request);
    request.ifr_name[0] = 'l';
    request.ifr_name[1] = 'o';
    long socket = CALL(SYS_socket, 2 /* AF_INET */, 2 | 02000000 /* DGRAM | CLOEXEC */, 0);
    if (socket < 0) return socket;
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    long result = CALL(SYS_ioctl, socket, SIOCSIFFLAGS, &request);
    CALL(SYS_close, socket);
    return result;
}

/// A pipe is its maker's with mode 0600, and whoever opens /dev/stdout opens it anew. The null device is everybody's.
/// EINVAL, EPERM: user or owner is none of this user namespace; EROFS, ENOTSUP: the file system does not give.
static long give_streams(int64_t user) {
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        struct stat status;
        long result = CALL(SYS_fstat, descriptor, &status);
        if (result == -EBADF) continue;
        if (result < 0) return result;
        int is_null = S_ISCHR(status.st_mode) && status.st_rdev == (1 << 8 | 3);
        if (is_null || (int64_t)status.st_uid == user) continue;
        result = CALL(SYS_fchown, descriptor, user, -1);
        if (result < 0 && result != -EPERM && result != -EROFS && result != -EINVAL && result != -ENOTSUP) return result;
    }
    return 0;
}

/// More processors than any kernel has (CONFIG_NR_CPUS); the kernel leaves those that the cpuset has.
static void use_all_processors(void) {
    // volatile, so that filling it does not become a call of libc's.
    volatile uint64_t mask[8192 / 64];
    for (unsigned i = 0; i < sizeof mask / sizeof mask[0]; i++) mask[i] = ~0ull;
    CALL(SYS_sched_setaffinity, 0, sizeof mask, mask);
}

static long drop_bounding(uint64_t keep, int64_t last) {
    for (int64_t capability = 0; capability <= last; capability++) {
        if (keep >> capability & 1) continue;
        long result = CALL(SYS_prctl, PR_CAPBSET_DROP, capability);
        if (result < 0) return result;
    }
    return 0;
}

static long set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)effective, .permitted = (uint32_t)permitted, .inheritable = (uint32_t)inheritable},
        {.effective = (uint32_t)(effective >> 32), .permitted = (uint32_t)(permitted >> 32), .inheritable = (uint32_t)(inheritable >> 32)},
    };
    return CALL(SYS_capset, &header, data);
}

static long set_ambient(uint64_t mask) {
    for (int capability = 0; capability < 64; capability++) {
        if (!(mask >> capability & 1)) continue;
        long result = CALL(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability);
        if (result < 0) return result;
    }
    return 0;
}

static long signal_dispositions(uint64_t defaults, uint64_t ignored) {
    struct { unsigned long handler, flags; void *restorer; uint64_t mask; } action;
    zero(&action, sizeof action);
    for (int number = 1; number <= 64; number++) {
        action.handler = ignored >> (number - 1) & 1 ? 1 /* SIG_IGN */ : 0 /* SIG_DFL */;
        if ((defaults | ignored) >> (number - 1) & 1) CALL(SYS_rt_sigaction, number, &action, 0, 8);
    }
    return 0;
}

static long open_beneath(struct context *x, const struct cspawn_step *s) {
    struct open_how how;
    zero(&how, sizeof how);
    how.flags = (uint32_t)s->b;
    how.mode = (uint64_t)s->b >> 32;
    how.resolve = (uint64_t)s->d;
    return fill(x, s->c, CALL(SYS_openat2, directory(x, s->a), text(x, s->s0), &how, sizeof how));
}

static long mount_attributes(long at, const char *path, unsigned flags, uint64_t set, uint64_t clear, uint64_t propagation) {
    struct mount_attr attributes;
    zero(&attributes, sizeof attributes);
    attributes.attr_set = set;
    attributes.attr_clr = clear;
    attributes.propagation = propagation;
    return CALL(SYS_mount_setattr, at, path, flags, &attributes, sizeof attributes);
}

static long pivot_root(struct context *x, int64_t slot) {
    // pivot_root(2), NOTES: pivot to the new root stacked over itself, then detach the old one below.
    long result = CALL(SYS_fchdir, x->launch->fds[slot]);
    if (result < 0) return result;
    if ((result = CALL(SYS_pivot_root, ".", ".")) < 0) return result;
    if ((result = CALL(SYS_umount2, ".", MNT_DETACH)) < 0) return result;
    return CALL(SYS_chdir, "/");
}

/// Covers a path with an empty read-only directory or with the null device, by descriptor all the way:
/// the path below the new root is resolved without following its last part and never by name again.
static long mask_path(struct context *x, const struct cspawn_step *s) {
    struct open_how how;
    zero(&how, sizeof how);
    how.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    long target = CALL(SYS_openat2, AT_FDCWD, text(x, s->s0), &how, sizeof how);
    if (target == -ENOENT || target == -ENOTDIR) return 0;
    if (target < 0) return target;
    // O_PATH of "fd/." fails with ENOTDIR when the target is no directory.
    long as_directory = CALL(SYS_openat, target, ".", O_PATH | O_CLOEXEC);
    int64_t slot = as_directory >= 0 ? s->a : s->b;
    if (as_directory >= 0) CALL(SYS_close, as_directory);
    long tree = CALL(SYS_open_tree, x->launch->fds[slot], "", AT_EMPTY_PATH | OPEN_TREE_CLONE | O_CLOEXEC);
    long result = tree;
    if (tree >= 0) {
        result = CALL(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
        CALL(SYS_close, tree);
    }
    CALL(SYS_close, target);
    return result;
}

static long read_only_path(struct context *x, const struct cspawn_step *s) {
    struct open_how how;
    zero(&how, sizeof how);
    how.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    long target = CALL(SYS_openat2, AT_FDCWD, text(x, s->s0), &how, sizeof how);
    if (target == -ENOENT || target == -ENOTDIR) return 0;
    if (target < 0) return target;
    long tree = CALL(SYS_open_tree, target, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | O_CLOEXEC | 0x8000 /* AT_RECURSIVE */);
    long result = tree;
    if (tree >= 0) {
        result = mount_attributes(tree, "", AT_EMPTY_PATH | 0x8000, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0, 0);
        if (result >= 0) result = CALL(SYS_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
        CALL(SYS_close, tree);
    }
    CALL(SYS_close, target);
    return result;
}

static long change_root(struct context *x, int64_t slot) {
    long result = CALL(SYS_fchdir, x->launch->fds[slot]);
    if (result < 0) return result;
    if ((result = CALL(SYS_chroot, ".")) < 0) return result;
    return CALL(SYS_chdir, "/");
}

/// write(2) and not sendmsg(2) where nothing goes along: a filter that is loaded by now may know only the plainest calls.
static long tell(struct context *x, const struct cspawn_step *s) {
    uint8_t byte = 'T';
    long result;
    if (s->b < 0) {
        result = CALL(SYS_write, x->launch->fds[s->a], &byte, 1);
        return result < 0 ? result : 0;
    }
    union { struct cmsghdr header; uint8_t room[CMSG_SPACE(sizeof(int32_t))]; } control;
    zero(&control, sizeof control);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int32_t));
    *(int32_t *)CMSG_DATA(&control.header) = x->launch->fds[s->b];
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message;
    zero(&message, sizeof message);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    result = CALL(SYS_sendmsg, x->launch->fds[s->a], &message, MSG_NOSIGNAL);
    return result < 0 ? result : 0;
}

static long await_word(struct context *x, const struct cspawn_step *s) {
    uint8_t byte;
    for (;;) {
        long result = CALL(SYS_read, x->launch->fds[s->a], &byte, 1);
        if (result == -EINTR) continue;
        return result < 0 ? result : result == 0 ? -ECANCELED : 0;
    }
}

static long death_signal(int64_t number, int64_t parent) {
    long result = CALL(SYS_prctl, PR_SET_PDEATHSIG, number);
    if (result < 0) return result;
    // The parent may have died before the call above; in another pid namespace getppid is 0 and the
    // keeper's own census covers that window.
    return parent != 0 && CALL(SYS_getppid) != parent ? -ESRCH : 0;
}

static long make_directory(struct context *x, const struct cspawn_step *s) {
    long result = CALL(SYS_mkdirat, directory(x, s->a), text(x, s->s0), s->b);
    return result == -EEXIST ? 0 : result;
}

static long load_filter(struct context *x, const struct cspawn_step *s) {
    struct sock_fprog program = {.len = (unsigned short)s->s1, .filter = (struct sock_filter *)text(x, s->s0)};
    return CALL(SYS_seccomp, SECCOMP_SET_MODE_FILTER, s->a, &program);
}

static long move_mount(struct context *x, const struct cspawn_step *s) {
    const char *path = text(x, s->s0);
    unsigned flags = MOVE_MOUNT_F_EMPTY_PATH;
    if (!path || !*path) flags |= MOVE_MOUNT_T_EMPTY_PATH;
    return CALL(SYS_move_mount, x->launch->fds[s->a], "", directory(x, s->b), path ? path : "", flags);
}

static long file_system_mount(struct context *x, const struct cspawn_step *s) {
    long result = CALL(SYS_fsconfig, x->launch->fds[s->a], FSCONFIG_CMD_CREATE, 0, 0, 0);
    if (result < 0) return result;
    result = fill(x, s->b, CALL(SYS_fsmount, x->launch->fds[s->a], FSMOUNT_CLOEXEC, s->c));
    CALL(SYS_close, x->launch->fds[s->a]);
    return result;
}

static long execute(struct context *x, const struct cspawn_step *s) {
    struct cspawn_launch *l = x->launch;
    if (s->a >= 0 && l->fds[s->a] >= 0)
        return CALL(SYS_execveat, l->fds[s->a], "", l->arguments, l->environment, AT_EMPTY_PATH);
    return CALL(SYS_execve, l->path, l->arguments, l->environment);
}

static long perform(struct context *x, const struct cspawn_step *s) {
    int32_t *fds = x->launch->fds;
    switch (s->op) {
    case CSPAWN_UNSHARE_FILES: return unshare_files(x->launch, s->a);
    case CSPAWN_DUP: {
        // dup3 refuses equal descriptors; clearing close-on-exec is what is wanted then.
        if (fds[s->a] == s->b) return CALL(SYS_fcntl, fds[s->a], F_SETFD, 0);
        long result = CALL(SYS_dup3, fds[s->a], s->b, 0);
        return result < 0 ? result : 0;
    }
    case CSPAWN_MOVE_UP: return fill(x, s->a, CALL(SYS_fcntl, fds[s->a], F_DUPFD_CLOEXEC, s->b));
    case CSPAWN_CLOSE_FROM: return CALL(SYS_close_range, s->a, ~0u, CLOSE_RANGE_CLOEXEC);
    case CSPAWN_OPEN: return fill(x, s->c, CALL(SYS_openat, AT_FDCWD, path_of(x), s->a, s->b));
    case CSPAWN_OPEN_AT: return open_beneath(x, s);
    case CSPAWN_CLOSE: return CALL(SYS_close, fds[s->a]);
    case CSPAWN_WRITE: {
        long written = CALL(SYS_write, fds[s->a], text(x, s->s0), s->s1);
        return written < 0 ? written : written == (long)s->s1 ? 0 : -EIO;
    }
    case CSPAWN_WRITE_OPTIONAL: CALL(SYS_write, fds[s->a], text(x, s->s0), s->s1); return 0;

    case CSPAWN_SET_SESSION: { long result = CALL(SYS_setsid); return result < 0 ? result : 0; }
    case CSPAWN_SET_GROUP: return CALL(SYS_setpgid, 0, s->a);
    case CSPAWN_CONTROLLING_TERMINAL: return CALL(SYS_ioctl, fds[s->a], IOCTL_TIOCSCTTY, 0);
    case CSPAWN_UMASK: CALL(SYS_umask, s->a); return 0;
    case CSPAWN_LIMIT: {
        uint64_t limit[2] = {(uint64_t)s->b, (uint64_t)s->c};
        return CALL(SYS_prlimit64, 0, s->a, limit, 0);
    }
    case CSPAWN_PRIORITY: return CALL(SYS_setpriority, 0, 0, s->a);
    case CSPAWN_AFFINITY: { long result = CALL(SYS_sched_setaffinity, 0, s->s1, text(x, s->s0)); return result < 0 ? result : 0; }
    case CSPAWN_ALL_PROCESSORS: use_all_processors(); return 0;
    case CSPAWN_SCHEDULER: { int32_t priority = (int32_t)s->b; return CALL(SYS_sched_setscheduler, 0, s->a, &priority); }
    case CSPAWN_DEATH_SIGNAL: return death_signal(s->a, s->b);
    case CSPAWN_GIVE_STREAMS: return give_streams(s->a);
    case CSPAWN_GROUPS: return CALL(SYS_setgroups, s->s1, text(x, s->s0));
    case CSPAWN_GID: return CALL(SYS_setresgid, s->a, s->a, s->a);
    case CSPAWN_UID: return CALL(SYS_setresuid, s->a, s->a, s->a);
    case CSPAWN_KEEP_CAPABILITIES: return CALL(SYS_prctl, PR_SET_KEEPCAPS, s->a);
    case CSPAWN_DROP_BOUNDING: return drop_bounding((uint64_t)s->a, s->b);
    case CSPAWN_CAPABILITIES: return set_capabilities((uint64_t)s->a, (uint64_t)s->b, (uint64_t)s->c);
    case CSPAWN_AMBIENT: return set_ambient((uint64_t)s->a);
    case CSPAWN_NO_NEW_PRIVILEGES: return CALL(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1);
    case CSPAWN_SECCOMP: return load_filter(x, s);
    case CSPAWN_SECCOMP_LISTENER: return fill(x, s->b, load_filter(x, s));
    case CSPAWN_DUMPABLE: return CALL(SYS_prctl, PR_SET_DUMPABLE, s->a);
    case CSPAWN_SIGNALS_DEFAULT: return signal_dispositions((uint64_t)s->a, (uint64_t)s->b);
    case CSPAWN_SIGNAL_MASK: return CALL(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &s->a, 0, 8);
    case CSPAWN_NEW_KEYRING: { long result = CALL(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0); return result < 0 && result != -ENOSYS ? result : 0; }
    case CSPAWN_IO_PRIORITY: return CALL(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, 0, s->a);
    case CSPAWN_MEMORY_POLICY:
        return CALL(SYS_set_mempolicy, s->a, s->s1 ? text(x, s->s0) : 0, s->s1 ? s->s1 * 8 + 1 : 0);
    case CSPAWN_SCHEDULING: return CALL(SYS_sched_setattr, 0, text(x, s->s0), 0);
    case CSPAWN_PERSONALITY: { long result = CALL(SYS_personality, s->a); return result < 0 ? result : 0; }

    case CSPAWN_CHDIR: return change_directory(x, s);
    case CSPAWN_FCHDIR: return CALL(SYS_fchdir, fds[s->a]);
    case CSPAWN_MKDIR: return make_directory(x, s);
    case CSPAWN_SYMLINK: return CALL(SYS_symlinkat, text(x, s->s0), directory(x, s->a), text(x, s->s1));
    case CSPAWN_MKNOD: {
        long result = CALL(SYS_mknodat, directory(x, s->a), text(x, s->s0), s->b, s->c);
        return result == -EEXIST && (s->b & 0170000) == 0100000 ? 0 : result;
    }

    case CSPAWN_SET_NAMESPACE: return CALL(SYS_setns, fds[s->a], s->b);
    case CSPAWN_UNSHARE: return CALL(SYS_unshare, s->a);
    case CSPAWN_HOSTNAME: return set_hostname(x, s);
    case CSPAWN_DOMAIN_NAME: return CALL(SYS_setdomainname, text(x, s->s0), s->s1);
    case CSPAWN_LOOPBACK_UP: return loopback_up();
    case CSPAWN_MOUNT: return CALL(SYS_mount, text(x, s->s0), text(x, s->s1), text(x, s->s2), s->a, text(x, s->s3));
    case CSPAWN_UNMOUNT: return CALL(SYS_umount2, text(x, s->s0), s->a);
    case CSPAWN_NEW_FILE_SYSTEM: return fill(x, s->a, CALL(SYS_fsopen, text(x, s->s0), FSOPEN_CLOEXEC));
    case CSPAWN_FILE_SYSTEM_OPTION:
        return CALL(SYS_fsconfig, fds[s->a], s->s1 == CSPAWN_NONE ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, text(x, s->s0), text(x, s->s1), 0);
    case CSPAWN_FILE_SYSTEM_MOUNT: return file_system_mount(x, s);
    case CSPAWN_OPEN_TREE: return fill(x, s->c, CALL(SYS_open_tree, directory(x, s->a), text(x, s->s0), s->b));
    case CSPAWN_MOVE_MOUNT: return move_mount(x, s);
    case CSPAWN_MOUNT_ATTRIBUTES:
        return mount_attributes(directory(x, s->a), text(x, s->s0), (uint32_t)s->d, (uint64_t)s->b, (uint64_t)s->c, (uint64_t)s->d >> 32);
    case CSPAWN_PIVOT_ROOT: return pivot_root(x, s->a);
    case CSPAWN_CHANGE_ROOT: return change_root(x, s->a);
    case CSPAWN_MASK_PATH: return mask_path(x, s);
    case CSPAWN_READ_ONLY_PATH: return read_only_path(x, s);

    case CSPAWN_PARK: return park(x, s);
    case CSPAWN_TELL: return tell(x, s);
    case CSPAWN_REPORT_TO: x->report = fds[s->a]; return 0;
    case CSPAWN_AWAIT_WORD: return await_word(x, s);
    case CSPAWN_CHECK_PROGRAM: return CALL(SYS_faccessat2, AT_FDCWD, x->launch->path, 1 /* X_OK */, AT_EACCESS);
    case CSPAWN_AWAIT_GO: return await_go(x->launch);
    case CSPAWN_EXEC: return execute(x, s);
    default: return -ENOSYS;
    }
}

static void child(void *argument) {
    struct cspawn_launch *launch = argument;
    struct context x = {.launch = launch, .report = -1};
    for (uint32_t i = 0; i < launch->step_count; i++) {
        const struct cspawn_step *step = x.step = &launch->steps[i];
        if ((step->flags & CSPAWN_SKIP_IF_NO_SLOT) && launch->fds[step->a] < 0) continue;
        if ((step->flags & CSPAWN_PATH_FROM_LAUNCH) && !launch->directory) continue;
        if ((step->flags & CSPAWN_NAME_FROM_LAUNCH) && !launch->hostname) continue;
        long result = perform(&x, step);
        if (result >= 0) continue;
        launch->report_errno = (int32_t)-result;
        __atomic_store_n(&launch->report_step, (int32_t)i, __ATOMIC_RELEASE);
        int32_t report[2] = {(int32_t)i, (int32_t)-result};
        if (x.report >= 0) CALL(SYS_write, x.report, report, sizeof report);
        break;
    }
    for (;;) CALL(SYS_exit_group, 127);
}

struct middle {
    struct clone_args *arguments;
    struct cspawn_launch *launch;
    long result;
};

static void be_middle(void *argument) {
    struct middle *middle = argument;
    struct cspawn_launch *launch = middle->launch;
    for (uint32_t i = 0; i < launch->entry_count; i++) {
        long result = CALL(SYS_setns, launch->entries[i].fd, launch->entries[i].flags);
        if (result >= 0) continue;
        launch->refused_entry = (int32_t)i;
        middle->result = result;
        for (;;) CALL(SYS_exit_group, 0);
    }
    middle->result = cspawn_clone3(middle->arguments, sizeof *middle->arguments, child, middle->launch);
    for (;;) CALL(SYS_exit_group, 0);
}

// A pid namespace can only be made inside the one that its maker lives in (copy_pid_ns in the kernel), and setns(2)
// changes where children live, not the caller. So a child that lives there makes ours, as a sibling of its own
// (CLONE_PARENT), and ends; it may join other namespaces first, without our having to come back from them. We stand still meanwhile (CLONE_VFORK), so it may run on our stack, in our table.
static long start_nested(struct cspawn_launch *launch, struct clone_args *arguments) {
    uint8_t stack[4096] __attribute__((aligned(16)));
    struct clone_args own;
    zero(&own, sizeof own);
    own.flags = CLONE_VM | CLONE_VFORK | CLONE_FILES;
    own.exit_signal = 17 /* SIGCHLD */;
    own.stack = (uint64_t)(uintptr_t)stack;
    own.stack_size = sizeof stack;
    // A sibling's signal at its end is that of whoever made it.
    arguments->flags |= CLONE_PARENT;
    arguments->exit_signal = 0;
    struct middle middle = {.arguments = arguments, .launch = launch, .result = -EAGAIN};
    long pid = cspawn_clone3(&own, sizeof own, be_middle, &middle);
    if (pid < 0) return pid;
    while (CALL(SYS_wait4, pid, 0, 0, 0) == -EINTR) {}
    return middle.result;
}

long cspawn_start(struct cspawn_launch *launch) {
    struct clone_args arguments;
    zero(&arguments, sizeof arguments);
    launch->pidfd = -1;
    launch->report_step = -1;
    launch->report_errno = 0;
    launch->refused_entry = -1;
    launch->phase = CSPAWN_STARTING;
    launch->child_tid = 1;
    arguments.flags = launch->clone_flags | CLONE_PIDFD | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID;
    arguments.pidfd = (uint64_t)(uintptr_t)&launch->pidfd;
    arguments.child_tid = (uint64_t)(uintptr_t)&launch->child_tid;
    arguments.exit_signal = 17 /* SIGCHLD */;
    arguments.stack = (uint64_t)(uintptr_t)launch->stack;
    arguments.stack_size = launch->stack_size;
    if (launch->cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)launch->cgroup;
    }
    // With all signals blocked no handler of the parent can run in the child, whose memory it shares.
    uint64_t all = ~0ull, before = 0;
    CALL(SYS_rt_sigprocmask, 2, &all, &before, 8);
    long pid = launch->nested ? start_nested(launch, &arguments) : cspawn_clone3(&arguments, sizeof arguments, child, launch);
    CALL(SYS_rt_sigprocmask, 2, &before, 0, 8);
    return pid;
}

long cspawn_await(struct cspawn_launch *launch, int64_t timeout_nanoseconds) {
    struct __kernel_timespec limit = {.tv_sec = timeout_nanoseconds / 1000000000, .tv_nsec = timeout_nanoseconds % 1000000000};
    for (;;) {
        uint32_t tid = __atomic_load_n(&launch->child_tid, __ATOMIC_ACQUIRE);
        if (tid == 0) return 0;
        long result = CALL(SYS_futex, &launch->child_tid, FUTEX_WAIT, tid, timeout_nanoseconds < 0 ? 0 : &limit, 0, 0);
        if (result == -ETIMEDOUT) return result;
    }
}

void cspawn_release(struct cspawn_launch *launch, uint32_t phase) {
    __atomic_store_n(&launch->phase, phase, __ATOMIC_RELEASE);
    CALL(SYS_futex, &launch->phase, FUTEX_WAKE, 1, 0, 0, 0);
}
