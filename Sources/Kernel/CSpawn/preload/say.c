// FORKLESS_SPAWN_LOG=FILE (or - for standard error): what the library does, a line each. Without it, it says nothing.
#include "preload.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void say(const char *format, ...) {
    const char *path = getenv("FORKLESS_SPAWN_LOG");
    if (path == NULL || *path == 0) return;
    char text[512];
    int length = snprintf(text, sizeof text, "libforkless-spawn %d: ", (int)syscall(SYS_getpid));
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(text + length, sizeof text - 1 - (size_t)length, format, arguments);
    va_end(arguments);
    if (more < 0) return;
    length = length + more < (int)sizeof text - 1 ? length + more : (int)sizeof text - 2;
    text[length++] = '\n';
    bool is_file = strcmp(path, "-") != 0;
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
    int fd = is_file ? (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0644) : STDERR_FILENO;
    if (fd < 0) return;
    syscall(SYS_write, fd, text, length);
    if (is_file) syscall(SYS_close, fd);
}
