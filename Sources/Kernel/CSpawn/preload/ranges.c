// Which memory a fork leaves out, and leaving it out. Nothing here allocates: the heap may be what is looked at.
#include "preload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Of the stack in use and of thread-local storage, what the child needs before it can adopt the rest (bytes, to either side).
#define VICINITY ((uintptr_t)1 << 20)

/// The raw calls: `read` and `close` would be cancellation points, and `madvise` is a door of ours.
static long raw_read(int fd, void *into, size_t room) { return syscall(SYS_read, fd, into, room); }
static void raw_close(int fd) { syscall(SYS_close, fd); }
static int raw_open(const char *path) { return (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0); }

/// Whether this process has enough of its own resident that leaving it out is faster.
bool is_worthwhile(void) {
    struct rusage usage;  // the largest it ever was costs no look into /proc
    if (getrusage(RUSAGE_SELF, &usage) == 0 && (size_t)usage.ru_maxrss << 10 < WORTHWHILE) return false;
    char text[128];
    int fd = raw_open("/proc/self/statm");
    if (fd < 0) return false;
    long count = raw_read(fd, text, sizeof text - 1);
    raw_close(fd);
    if (count <= 0) return false;
    text[count] = 0;
    char *at = text;
    unsigned long fields[3];  // total, resident, of that shared or of files; in pages
    for (int i = 0; i < 3; i++) fields[i] = strtoul(at, &at, 10);
    return (fields[1] - fields[2]) * page_size() >= WORTHWHILE;
}

/// A directory of /proc has a link for each directory in it. 0 when /proc is not there.
unsigned threads_of_process(void) {
    struct stat status;
    if (fstatat(AT_FDCWD, "/proc/self/task", &status, 0) < 0 || status.st_nlink < 3) return 0;
    return (unsigned)status.st_nlink - 2;
}

static void keep(struct window *w, struct range range) {
    if (range.end - range.start < LARGE) return;
    range.source = range.start;
    if (w->count < RANGES) {
        w->ranges[w->count++] = range;
        return;
    }
    size_t smallest = 0;
    for (size_t i = 1; i < RANGES; i++) {
        struct range *a = &w->ranges[i], *b = &w->ranges[smallest];
        if (a->end - a->start < b->end - b->start) smallest = i;
    }
    struct range *least = &w->ranges[smallest];
    if (least->end - least->start < range.end - range.start) *least = range;
}

/// Mappings that lie side by side become one, so that a large one may hold the stack, thread-local storage or our own
/// variables: those are cut out of it.
static void keep_around(struct window *w, struct range range, const uintptr_t *needed, size_t count) {
    if (count == 0) {
        keep(w, range);
        return;
    }
    uintptr_t page = page_size(), low = (needed[0] - VICINITY) & ~(page - 1), high = (needed[0] + VICINITY) & ~(page - 1);
    if (needed[0] < range.start || needed[0] >= range.end) {
        keep_around(w, range, needed + 1, count - 1);
        return;
    }
    if (low > range.start) keep_around(w, (struct range){range.start, low, range.start, range.protection}, needed + 1, count - 1);
    if (high < range.end) keep_around(w, (struct range){high, range.end, high, range.protection}, needed + 1, count - 1);
}

/// A mapping that grows would not in the child. mprotect(2) with PROT_GROWSDOWN fails on every other.
static bool grows(struct range range) {
    return mprotect((void *)range.start, page_size(), range.protection | PROT_GROWSDOWN) == 0 || errno != EINVAL;
}

static void consider(struct window *w, const char *line) {
    char *at;
    struct range range = {0};
    range.start = strtoul(line, &at, 16);
    if (*at != '-') return;
    range.end = strtoul(at + 1, &at, 16);
    if (range.end - range.start < LARGE || at[0] != ' ' || at[1] != 'r' || at[4] != 'p') return;
    range.protection = PROT_READ | (at[2] == 'w' ? PROT_WRITE : 0) | (at[3] == 'x' ? PROT_EXEC : 0);
    strtoul(at + 5, &at, 16);  // offset, then device and inode: nothing for memory without a file
    if (strncmp(at, " 00:00 0", 8) != 0) return;
    for (at += 8; *at == ' '; at++) {}
    if (*at != 0 && strcmp(at, "[heap]") != 0 && strncmp(at, "[anon:", 6) != 0) return;
    if (grows(range)) return;
    uintptr_t needed[] = {(uintptr_t)__builtin_frame_address(0), (uintptr_t)__builtin_thread_pointer(), (uintptr_t)&window};
    keep_around(w, range, needed, sizeof needed / sizeof needed[0]);
}

void ranges_find(struct window *w) {
    static char text[16384];
    size_t used = 0;
    w->count = w->bytes = 0;
    int fd = raw_open("/proc/self/maps");
    if (fd < 0) return;
    for (;;) {
        long count = raw_read(fd, text + used, sizeof text - 1 - used);
        if (count <= 0) break;
        used += (size_t)count;
        char *line = text, *end;
        for (; (end = memchr(line, '\n', used - (size_t)(line - text))) != NULL; line = end + 1) {
            *end = 0;
            consider(w, line);
        }
        used -= (size_t)(line - text);
        memmove(text, line, used);
        if (used == sizeof text - 1) used = 0;  // no line is that long; a path of 4,096 bytes is the longest part
    }
    raw_close(fd);
}

/// False when that cannot be: nothing is left out then.
bool ranges_leave_out(struct window *w) {
    size_t kept = 0;
    for (size_t i = 0; i < w->count; i++) {
        struct range range = w->ranges[i];
        if (syscall(SYS_madvise, range.start, range.end - range.start, MADV_DONTFORK) < 0) continue;
        w->bytes += range.end - range.start;
        w->ranges[kept++] = range;
    }
    w->count = kept;
    if (w->bytes >= WORTHWHILE) return true;
    ranges_put_back(w);
    return false;
}

void ranges_put_back(struct window *w) {
    for (size_t i = 0; i < w->count; i++)
        syscall(SYS_madvise, w->ranges[i].start, w->ranges[i].end - w->ranges[i].start, MADV_DOFORK);
}
