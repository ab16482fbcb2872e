// The child's side of a window: the ranges that the fork left out are mapped again, empty, and their page faults go to
// the parent. It runs before anything else in the child can look at them: as the first handler after the fork, or, where
// the C library itself is earlier, in a signal handler at the first touch.
//
// A parent that dies must not leave a child behind that reads zeros. The leash is a pipe whose reading end sends SIGKILL
// to its owner, the child, when the last writing end is closed, and that is the parent's. The parent holds both ends, so
// that a child which closes everything is held, too, and the writing end has the highest number: a process that exits
// releases its files from the highest to the lowest (task_work_run runs the last first, since 4.3), the leash before the
// userfaultfd. Test: `a parent killed in the window takes the child along`.
#include "preload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/// A userfaultfd that is told of mremap, munmap and MADV_DONTNEED, too, or -1. The system call is for those with CAP_SYS_PTRACE (or
/// everybody, by vm.unprivileged_userfaultfd), the device for those whom its mode admits, since Linux 6.1.
int faults_open(void) {
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        int device = (int)syscall(SYS_openat, AT_FDCWD, "/dev/userfaultfd", O_RDWR | O_CLOEXEC, 0);
        if (device < 0) return -1;
        fd = ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
        syscall(SYS_close, device);
        if (fd < 0) return -1;
    }
    struct uffdio_api api = {
        .api = UFFD_API,
        .features = UFFD_FEATURE_EVENT_REMAP | UFFD_FEATURE_EVENT_REMOVE | UFFD_FEATURE_EVENT_UNMAP,
    };
    if (ioctl(fd, UFFDIO_API, &api) == 0) return fd;
    int error = errno;
    syscall(SYS_close, fd);
    errno = error;
    return -1;
}

bool faults_are_allowed(void) {
    int fd = faults_open();
    if (fd >= 0) syscall(SYS_close, fd);
    return fd >= 0;
}

/// Maps the range as it was, with nothing in it. A raw fork of a child that does not go through fork(3) finds a hole
/// rather than zeros (MADV_DONTFORK); origin_settle takes that back.
static bool map_empty(int faults, const struct range *range) {
    size_t length = range->end - range->start;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
    void *at = mmap((void *)range->start, length, range->protection, flags, -1, 0);
    if (at != (void *)range->start) return false;
    struct uffdio_register reg = {.range = {range->start, length}, .mode = UFFDIO_REGISTER_MODE_MISSING};
    return ioctl(faults, UFFDIO_REGISTER, &reg) == 0 && syscall(SYS_madvise, at, length, MADV_DONTFORK) == 0;
}

static void hold_leash(int end) {
    fcntl(end, F_SETOWN, (int)syscall(SYS_getpid));
    fcntl(end, F_SETSIG, SIGKILL);
    fcntl(end, F_SETFL, O_ASYNC);
}

/// One byte, and with it the userfaultfd unless that failed.
static bool tell_parent(int line, int faults) {
    char byte = faults >= 0 ? 1 : 0;
    struct iovec part = {&byte, 1};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (faults >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        *(int *)CMSG_DATA(&control.header) = faults;
    }
    return syscall(SYS_sendmsg, line, &message, MSG_NOSIGNAL) == 1;
}

/// Once in the child of a window, with every signal blocked but SIGSEGV. When it cannot be done the child ends here,
/// before the program has noticed that there was one, and the parent forks again.
void adopt(void) {
    struct window *w = &window;
    if (w->adopted) return;
    w->adopted = true;
    int faults = faults_open();
    bool complete = faults >= 0;
    for (size_t i = 0; complete && i < w->count; i++) complete = map_empty(faults, &w->ranges[i]);
    syscall(SYS_close, w->line[0]);
    syscall(SYS_close, w->leash[1]);
    hold_leash(w->leash[0]);
    // A parent that was gone before the leash held does not read.
    if (!tell_parent(w->line[1], complete ? faults : -1)) syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    if (!complete) syscall(SYS_exit_group, 0);
    // The parent's is the only one, so that closing it ends everything.
    syscall(SYS_close, faults);
    origin.deferred = true;
    origin.line = w->line[1];
    origin.leash = w->leash[0];
    struct stat status;
    origin.identity = fstat(origin.line, &status) == 0 ? status.st_ino : 0;
}

/// Memory that a fork empties tells child from parent, whatever their numbers in whichever namespaces.
static const char *parents_mark;
static bool is_child(void) { return parents_mark != NULL && *parents_mark == 0; }

bool mark_parent(void) {
    static char *page;
    if (page == NULL) {
        void *at = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) return false;
        if (syscall(SYS_madvise, at, page_size(), MADV_WIPEONFORK) < 0) {
            munmap(at, page_size());
            return false;
        }
        parents_mark = page = at;
    }
    *page = 1;
    return true;
}

/// SIGSEGV between fork and the end of the handlers: the C library of a child has touched a range before our handler ran.
/// Anything else is the program's own affair.
void adopt_on_fault(int number, siginfo_t *info, void *context) {
    int error = errno;
    if (is_child() && !window.adopted) {
        adopt();
    } else if (window.segv.sa_flags & SA_SIGINFO) {
        window.segv.sa_sigaction(number, info, context);
    } else if (window.segv.sa_handler == SIG_DFL || window.segv.sa_handler == SIG_IGN) {
        sigaction(SIGSEGV, &window.segv, NULL);  // it faults again, and ends as it would have
    } else {
        window.segv.sa_handler(number);
    }
    errno = error;
}
