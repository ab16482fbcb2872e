// Giving a child all that its parent has: what is resident or swapped out, and nothing that never was touched.
#include "preload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/ioctl.h>
#include <linux/types.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/// So much is copied before the child's own questions are looked at again (bytes).
#define PORTION ((size_t)256 << 10)

// PAGEMAP_SCAN, ioctl_pagemap_scan(2), since Linux 6.7; headers of the time do not have it.
struct pages_scan {
    __u64 size, flags, start, end, walk_end, vector, vector_length, max_pages, inverted, mask, anyof, returned;
};
struct pages_found {
    __u64 start, end, categories;
};
#define PAGES_SCAN _IOWR('f', 16, struct pages_scan)
#define PAGES_PRESENT (UINT64_C(1) << 3)
#define PAGES_SWAPPED (UINT64_C(1) << 4)

/// The first stretch of pages with contents in [start, end): its start, and its end in `*until`; `end` when there is none.
static uintptr_t next_stretch(int map, uintptr_t start, uintptr_t end, uintptr_t *until) {
    struct pages_found found = {0};
    struct pages_scan scan = {
        .size = sizeof scan, .start = start, .end = end, .vector = (uintptr_t)&found, .vector_length = 1,
        .anyof = PAGES_PRESENT | PAGES_SWAPPED, .returned = PAGES_PRESENT | PAGES_SWAPPED,
    };
    // One kind at a time: a change from present to swapped ends a stretch, which does not matter.
    long count = ioctl(map, PAGES_SCAN, &scan);
    if (count == 0) return end;
    if (count > 0) {
        *until = found.end;
        return found.start;
    }
    // Before 6.7, page by page: bit 63 present, bit 62 swapped out.
    uint64_t entries[512];
    size_t page = page_size();
    uintptr_t first = end;
    while (start < end) {
        size_t wanted = (end - start) / page < 512 ? (end - start) / page : 512;
        long got = syscall(SYS_pread64, map, entries, wanted * 8, start / page * 8);
        if (got < 8) break;  // not readable: everything counts
        for (size_t i = 0; i < (size_t)got / 8; i++, start += page) {
            bool is_there = entries[i] >> 62 != 0;
            if (is_there && first == end) first = start;
            if (!is_there && first != end) {
                *until = start;
                return first;
            }
        }
        if (first != end) break;
    }
    if (first == end && start < end) first = start, start = end;
    *until = start;
    return first;
}

/// The next portion of the range's contents, from `*done` bytes of it on.
static enum given give_portion(const struct range *range, int map, int faults, uintptr_t *done) {
    uintptr_t start = range->source + *done, end = range->source + (range->end - range->start), until = end;
    if (map >= 0) start = next_stretch(map, start, end, &until);
    if (start >= end) {
        *done = end - range->source;
        return GIVEN;
    }
    size_t length = until - start < PORTION ? until - start : PORTION;
    enum given given = give(faults, range->start + (start - range->source), start, length);
    if (given == GIVEN) *done = start + length - range->source;
    return given;
}

/// The child goes on meanwhile: it asks, and its answers come first; it changes its mappings, and so the ranges.
enum given complete(struct window *w, int faults) {
    int map = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
    enum given given = answer_all(w, faults);
    for (size_t i = 0; given == GIVEN && i < w->count; i++) {
        uintptr_t source = w->ranges[i].source, done = 0;
        while (given == GIVEN && done < w->ranges[i].end - w->ranges[i].start) {
            given = give_portion(&w->ranges[i], map, faults, &done);
            if (given == GIVEN || given == GIVEN_LATER) given = answer_all(w, faults);
            if (w->ranges[i].source != source) source = w->ranges[i].source, done = 0;  // its beginning is gone
        }
    }
    if (map >= 0) syscall(SYS_close, map);
    return given;
}
