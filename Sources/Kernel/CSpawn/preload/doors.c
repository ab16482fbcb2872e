// What the library takes the place of. fork: to know who calls. exec: to see that a child executes. The rest: what a
// window has to know about. vfork, posix_spawn, system and popen are not touched: they share the parent's memory already.
#include "preload.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DOOR __attribute__((visibility("default")))
extern char **environ;

struct next next;
static int seccomp_at_start;
static atomic_size_t bytes_of_its_own;

/// Also before the constructor: others' constructors may come first, and fork.
static void find_next(void) {
    if (next.fork != NULL) return;
    next.register_atfork = dlsym(RTLD_NEXT, "__register_atfork");
    next.plain_fork = dlsym(RTLD_NEXT, "_Fork");
    next.execvpe = dlsym(RTLD_NEXT, "execvpe");
    next.clone = dlsym(RTLD_NEXT, "clone");
    next.fork = dlsym(RTLD_NEXT, "fork");
}

__attribute__((constructor)) static void start(void) {
    find_next();
    seccomp_at_start = prctl(PR_GET_SECCOMP);
}

bool stands_aside(void) { return atomic_load(&bytes_of_its_own) >= LARGE || prctl(PR_GET_SECCOMP) != seccomp_at_start; }

/// Ours come first, see handlers.c.
DOOR int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *dso) {
    find_next();
    handlers_install();
    return next.register_atfork(prepare, parent, child, dso);
}

DOOR pid_t fork(void) {
    find_next();
    handlers_install();
    turn.caller = __builtin_return_address(0);
    pid_t pid = next.fork();
    if (pid > 0 && turn.is_withdrawn) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        turn.caller = NULL;
        pid = next.fork();
    }
    turn.caller = NULL;
    return pid;
}

// Ways to make a process from the child of a window that pass by its handlers.

DOOR pid_t _Fork(void) {
    find_next();
    origin_settle();
    return next.plain_fork();
}

DOOR int clone(int (*run)(void *), void *stack, int flags, void *argument, ...) {
    va_list more;
    va_start(more, argument);
    pid_t *parent_id = va_arg(more, pid_t *);
    void *storage = va_arg(more, void *);
    pid_t *child_id = va_arg(more, pid_t *);
    va_end(more);
    find_next();
    if (!(flags & CLONE_VM)) origin_settle();
    return next.clone(run, stack, flags, argument, parent_id, storage, child_id);
}

DOOR int madvise(void *at, size_t length, int advice) {
    if (advice == MADV_DONTFORK || advice == MADV_WIPEONFORK) atomic_fetch_add(&bytes_of_its_own, length);
    return (int)syscall(SYS_madvise, at, length, advice);
}

// exec. Raw where the C library does no more than the call.

static bool is_watched(void) { return origin.note != NULL && origin.self == (pid_t)syscall(SYS_getpid); }

static void executing(void) {
    if (!is_watched()) return;
    atomic_store(&origin.note->executed, now_ns());
    atomic_store(&origin.note->step, STEP_EXECUTING);
}

static int refused(int result) {
    if (is_watched()) atomic_store(&origin.note->step, STEP_REFUSED);
    return result;
}

DOOR int execve(const char *path, char *const arguments[], char *const environment[]) {
    executing();
    return refused((int)syscall(SYS_execve, path, arguments, environment));
}

DOOR int execv(const char *path, char *const arguments[]) {
    executing();
    return refused((int)syscall(SYS_execve, path, arguments, environ));
}

DOOR int execvpe(const char *file, char *const arguments[], char *const environment[]) {
    find_next();
    executing();
    return refused(next.execvpe(file, arguments, environment));
}

DOOR int execvp(const char *file, char *const arguments[]) { return execvpe(file, arguments, environ); }

DOOR int execveat(int directory, const char *path, char *const arguments[], char *const environment[], int flags) {
    executing();
    return refused((int)syscall(SYS_execveat, directory, path, arguments, environment, flags));
}

DOOR int fexecve(int file, char *const arguments[], char *const environment[]) {
    return execveat(file, "", arguments, environment, AT_EMPTY_PATH);
}

/// The words from `first` on, up to the null, in an array that the caller has made long enough. The list ends behind it.
static void collect(char **words, size_t count, const char *first, va_list *list) {
    words[0] = (char *)first;
    for (size_t i = 1; i < count; i++) words[i] = va_arg(*list, char *);
}

/// How many words there are, with the null.
static size_t count_words(const char *first, va_list list) {
    size_t count = 1;
    for (const char *word = first; word != NULL; count++) word = va_arg(list, const char *);
    return count;
}

/// Arguments in a list become an array on the stack: `words`, and `list` behind them.
#define WORDS(first)                                   \
    va_list list;                                      \
    va_start(list, first);                             \
    size_t count = count_words(first, list);           \
    va_end(list);                                      \
    char *words[count];                                \
    va_start(list, first);                             \
    collect(words, count, first, &list)

DOOR int execl(const char *path, const char *first, ...) {
    WORDS(first);
    va_end(list);
    return execv(path, words);
}

DOOR int execlp(const char *file, const char *first, ...) {
    WORDS(first);
    va_end(list);
    return execvpe(file, words, environ);
}

DOOR int execle(const char *path, const char *first, ...) {
    WORDS(first);
    char *const *environment = va_arg(list, char *const *);
    va_end(list);
    return execve(path, words, environment);
}
