// Preloaded beside the library: with OBSTACLE=1 in the environment, what the library asks of the kernel fails as it does
// when memory is short. OBSTACLES says what: `adopt`, the child cannot map what was left out; `copy`, there is no memory
// for a page of the child's.
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <errno.h>
#include <linux/ioctl.h>
#include <linux/userfaultfd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_in_the_way(const char *what) {
    const char *when = getenv("OBSTACLE"), *obstacles = getenv("OBSTACLES");
    return when != NULL && obstacles != NULL && strcmp(obstacles, what) == 0;
}

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
    if (flags & MAP_FIXED_NOREPLACE && is_in_the_way("adopt")) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, at, length, protection, flags, fd, offset);
}

int ioctl(int fd, unsigned long request, ...) {
    va_list list;
    va_start(list, request);
    void *argument = va_arg(list, void *);
    va_end(list);
    if (request == UFFDIO_COPY && is_in_the_way("copy")) {
        struct uffdio_copy *copy = argument;
        copy->copy = 0;
        errno = ENOMEM;
        return -1;
    }
    return (int)syscall(SYS_ioctl, fd, request, argument);
}
