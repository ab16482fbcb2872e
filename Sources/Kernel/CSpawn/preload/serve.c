// The parent's side of a window: answering the child's page faults until the child has another memory, or none.
#include "preload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/// A child that reads on gets at most so much at once (bytes).
#define STRIDE ((size_t)256 << 10)
/// A child that has closed its end of the line is looked at so often (ns).
#define GLANCE 100000

uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void wake(int faults, uintptr_t page) {
    struct uffdio_range range = {page, page_size()};
    ioctl(faults, UFFDIO_WAKE, &range);
}

/// Pages that are there already are skipped; so are those that are not registered any more, which are the child's own.
enum given give(int faults, uintptr_t target, uintptr_t source, size_t length) {
    for (size_t done = 0; done < length;) {
        struct uffdio_copy copy = {.dst = target + done, .src = source + done, .len = length - done};
        if (ioctl(faults, UFFDIO_COPY, &copy) == 0) return GIVEN;
        int error = errno;
        if (copy.copy > 0) {
            done += (size_t)copy.copy;
            continue;
        }
        if (error == EAGAIN) return GIVEN_LATER;
        if (error == ESRCH) return GIVEN_GONE;
        if (error == ENOMEM) return GIVEN_NO_MEMORY;
        wake(faults, target + done);  // EEXIST, ENOENT
        done += page_size();
    }
    return GIVEN;
}

/// The page, and more and more behind it for a child that reads on.
static enum given answer_fault(struct window *w, int faults, uintptr_t page) {
    w->faults++;
    for (size_t i = 0; i < w->count; i++) {
        const struct range *range = &w->ranges[i];
        if (page < range->start || page >= range->end) continue;
        bool reads_on = page == w->expected && page != range->start;
        w->stride = !reads_on ? page_size() : w->stride < STRIDE ? w->stride * 2 : STRIDE;
        if (w->stride > range->end - page) w->stride = range->end - page;
        enum given given = give(faults, page, range->source + (page - range->start), w->stride);
        if (given == GIVEN_LATER) {  // it asks again
            wake(faults, page);
            return GIVEN;
        }
        w->expected = page + w->stride;
        w->served += w->stride;
        if (!reads_on) habits_add(w->site, page);
        return given;
    }
    // Registered, but not what the fork left out, or not any more: emptied, or where a mapping has grown.
    struct uffdio_zeropage zero = {.range = {page, page_size()}};
    if (ioctl(faults, UFFDIO_ZEROPAGE, &zero) < 0) wake(faults, page);
    return GIVEN;
}

static enum given remember(struct window *w, struct range range) {
    if (w->count == RANGES + PIECES) return GIVEN_NO_MEMORY;
    w->ranges[w->count++] = range;
    return GIVEN;
}

/// The child has nothing more to ask for in [start, end): it has unmapped it, moved it, or wants zeros there.
static enum given forget(struct window *w, uintptr_t start, uintptr_t end) {
    enum given given = GIVEN;
    for (size_t i = 0, count = w->count; given == GIVEN && i < count; i++) {
        struct range *range = &w->ranges[i], rest = *range;
        if (start >= range->end || end <= range->start) continue;
        range->end = start > range->start ? start : range->start;
        if (end >= rest.end) continue;
        rest.source += end - rest.start;
        rest.start = end;
        if (range->start == range->end) *range = rest;
        else given = remember(w, rest);
    }
    return given;
}

/// realloc of a child may move memory that it does not have yet: it asks at the new place.
static enum given follow(struct window *w, uintptr_t from, uintptr_t to, size_t length) {
    enum given given = forget(w, to, to + length);
    for (size_t i = 0, count = w->count; given == GIVEN && i < count; i++) {
        struct range part = w->ranges[i];
        uintptr_t start = part.start > from ? part.start : from, end = part.end < from + length ? part.end : from + length;
        if (start >= end) continue;
        part.source += start - part.start;
        part.start = start - from + to;
        part.end = end - from + to;
        given = remember(w, part);
    }
    return given == GIVEN ? forget(w, from, from + length) : given;
}

enum given answer_all(struct window *w, int faults) {
    struct uffd_msg message;
    enum given given = GIVEN;
    while (given == GIVEN && syscall(SYS_read, faults, &message, sizeof message) == (long)sizeof message) {
        switch (message.event) {
        case UFFD_EVENT_PAGEFAULT:
            given = answer_fault(w, faults, message.arg.pagefault.address & ~(uint64_t)(page_size() - 1));
            break;
        case UFFD_EVENT_REMAP:
            given = follow(w, message.arg.remap.from, message.arg.remap.to, message.arg.remap.len);
            break;
        case UFFD_EVENT_REMOVE:  // MADV_DONTNEED
        case UFFD_EVENT_UNMAP:
            given = forget(w, message.arg.remove.start, message.arg.remove.end);
            break;
        }
    }
    return given;
}

/// The line's first word: the child's userfaultfd, or -1 with what became of the child.
static int receive(int line, enum outcome *outcome) {
    char byte = 0;
    struct iovec part = {&byte, 1};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    long count;
    do count = syscall(SYS_recvmsg, line, &message, MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    if (count == 1 && byte == 1 && message.msg_controllen > 0) return *(int *)CMSG_DATA(&control.header);
    *outcome = count == 1 ? OUTCOME_WITHDRAWN : OUTCOME_NONE;
    return -1;
}

/// A page of ours that no child has registered: the answer is ENOENT while the child has the memory of the fork.
static bool has_memory(int faults) {
    uintptr_t page = (uintptr_t)&window & ~(page_size() - 1);
    struct uffdio_copy copy = {.dst = page, .src = page, .len = page_size()};
    return ioctl(faults, UFFDIO_COPY, &copy) == 0 || errno != ESRCH;
}

/// Everything, because the child has to stand on its own. What it still misses after that nobody has touched: when the
/// last userfaultfd is closed the kernel answers, with zeros, and whoever waits goes on.
static enum outcome settle(struct window *w, int faults) {
    enum given given = complete(w, faults);
    if (given == GIVEN_GONE) return OUTCOME_GONE;
    if (given != GIVEN) return OUTCOME_STARVED;
    return OUTCOME_SETTLED;
}

/// Whether the child, whose number is the leash's owner, runs or wants to, and has not run for long.
static bool is_busy(const struct window *w) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", fcntl(w->leash[0], F_GETOWN));
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return false;
    long count = syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    text[count > 0 ? count : 0] = 0;
    const char *after_name = strrchr(text, ')');
    char state;
    unsigned long user, system;  // fields 14 and 15, in ticks
    if (after_name == NULL) return false;
    if (sscanf(after_name, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &state, &user, &system) != 3) return false;
    uint64_t ran = (user + system) * (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
    return (state == 'R' || state == 'D') && ran < PATIENCE;
}

/// Whether the child waits for a page: it is not what it waits for itself that takes its time.
static bool has_question(int faults) {
    struct pollfd wait = {faults, POLLIN, 0};
    struct timespec none = {0};
    return syscall(SYS_ppoll, &wait, 1, &none, NULL, 0) > 0;
}

/// Whether the child has had its time. One that is in exec, or that a busy machine has not let run, gets more: the file may
/// be far away, and copying everything would not help either. So does one that has asked while we did not run.
static bool is_overdue(struct window *w, int faults, uint64_t *end, uint64_t now) {
    if (now < *end) return false;
    bool is_executing = atomic_load(&w->note->step) == STEP_EXECUTING;
    // In this order: one that was busy may have asked since.
    if (now - w->began >= LONGEST || !(is_executing || is_busy(w) || has_question(faults))) return true;
    *end = now + PATIENCE / 4;
    return false;
}

/// Until the child has another memory or none, is overdue, or asks for everything.
static enum outcome attend(struct window *w, int faults) {
    enum given given = habits_give(w, faults);
    uint64_t end = w->began + PATIENCE;
    bool is_connected = true;
    while (given != GIVEN_GONE) {
        struct pollfd waits[] = {{faults, POLLIN, 0}, {is_connected ? w->line[0] : -1, POLLIN, 0}};
        uint64_t now = now_ns(), pause = now >= end ? 0 : is_connected ? end - now : GLANCE;
        struct timespec time = {(time_t)(pause / 1000000000), (long)(pause % 1000000000)};
        syscall(SYS_ppoll, waits, 2, &time, NULL, 0);
        if (waits[0].revents) given = answer_all(w, faults);
        if (waits[1].revents) is_connected = false;
        if (given == GIVEN_GONE || (!is_connected && !has_memory(faults))) break;
        bool is_asked = atomic_load(&w->note->settled) == SETTLED_WANTED;
        if (given == GIVEN_NO_MEMORY || is_asked || is_overdue(w, faults, &end, now_ns())) return settle(w, faults);
    }
    return OUTCOME_GONE;
}

enum outcome serve(struct window *w) {
    enum outcome outcome = OUTCOME_GONE;
    int faults = receive(w->line[0], &outcome);
    if (faults < 0) return outcome;
    outcome = attend(w, faults);
    // A child without all its memory must not live to see the kernel's zeros; one that has executed needs no leash.
    if (outcome == OUTCOME_STARVED) syscall(SYS_close, w->leash[1]), w->leash[1] = -1;
    syscall(SYS_close, faults);
    if (outcome != OUTCOME_STARVED) fcntl(w->leash[0], F_SETFL, 0);
    if (outcome == OUTCOME_SETTLED) {
        atomic_store(&w->note->settled, SETTLED_DONE);
        syscall(SYS_futex, &w->note->settled, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
    }
    return outcome;
}
