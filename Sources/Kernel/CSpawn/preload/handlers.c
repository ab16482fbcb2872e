// What happens around every fork of the C library: in the parent before, in the parent and in the child after. As
// handlers of pthread_atfork(3), so that fork itself stays what it is. Ours are registered before everybody else's (see
// doors.c), so that they run last before the fork, when all others have done what they do to memory and threads, and
// first after it.
#include "preload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct window window;
struct origin origin;
_Thread_local struct turn turn __attribute__((tls_model("initial-exec")));

size_t page_size(void) {
    static size_t size;
    if (size == 0) size = (size_t)sysconf(_SC_PAGESIZE);
    return size;
}

static struct note *note_new(void) {
    void *at = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}
static void note_drop(struct note *note) { munmap(note, page_size()); }

// Before the fork.

/// What the child of an ordinary fork of this site has come to since.
static void learn_from_watched(struct site *site, uint64_t now) {
    struct note *note = site->watched;
    if (note == NULL) return;
    switch (atomic_load(&note->step)) {
    case STEP_FORKED:
        if (now - site->forked < LONGEST) return;
        site_learn(site, SAW_NO_EXEC);
        break;
    case STEP_EXECUTING:
        site_learn(site, atomic_load(&note->executed) - site->forked < LONGEST ? SAW_EXEC : SAW_NO_EXEC);
        break;
    case STEP_REFUSED:
        site_learn(site, SAW_REFUSAL);
        break;
    }
    note_drop(note);
    site->watched = NULL;
}

static int raised(int fd, int above) {
    int high = fcntl(fd, F_DUPFD_CLOEXEC, above);
    syscall(SYS_close, fd);
    return high;
}

static void close_all(int *fds, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (fds[i] >= 0) syscall(SYS_close, fds[i]);
}

/// High numbers: a child that closes 0 and opens a file counts on the lowest. The leash's writing end is the highest, see
/// adopt.c.
static bool open_lines(struct window *w) {
    struct rlimit limit;
    int low[4] = {-1, -1, -1, -1}, high[4];
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < 64) return false;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, low) < 0) return false;
    if (pipe2(low + 2, O_CLOEXEC) < 0) {
        close_all(low, 2);
        return false;
    }
    int above = (int)(limit.rlim_cur < 1024 ? limit.rlim_cur : 1024) - 16;
    bool is_complete = true;
    for (int i = 0; i < 4; i++) {
        high[i] = raised(low[i], above);
        is_complete = is_complete && high[i] >= 0;
        if (high[i] >= 0) above = high[i] + 1;
    }
    if (!is_complete) {
        close_all(high, 4);
        return false;
    }
    memcpy(w->line, high, sizeof w->line);
    memcpy(w->leash, high + 2, sizeof w->leash);
    return true;
}

static bool may_use_faults(void) {
    static int answer = -1;
    if (answer < 0) {
        answer = faults_are_allowed();
        if (!answer)
            say("userfaultfd(2): %s; every fork is an ordinary one. Allow it with vm.unprivileged_userfaultfd=1, the mode of "
                "/dev/userfaultfd or CAP_SYS_PTRACE", strerror(errno));
    }
    return answer == 1;
}

static void catch_early_faults(struct window *w) {
    struct sigaction action = {.sa_sigaction = adopt_on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, &w->segv);
}

static bool open_window(struct window *w) {
    if (!may_use_faults() || sigismember(&turn.mask, SIGSEGV) || !mark_parent()) return false;
    w->adopted = false;
    w->faults = w->served = w->expected = 0;
    w->note = note_new();
    if (w->note == NULL) return false;
    ranges_find(w);
    if (w->count > 0 && open_lines(w)) {
        if (ranges_leave_out(w)) {
            catch_early_faults(w);
            return true;
        }
        close_all(w->line, 2);
        close_all(w->leash, 2);
    }
    note_drop(w->note);
    return false;
}

static enum stage choose(struct window *w) {
    if (stands_aside()) return STAGE_ORDINARY;
    w->began = now_ns();
    w->site = site_at(turn.caller);
    if (w->site == NULL) return STAGE_ORDINARY;
    learn_from_watched(w->site, w->began);
    switch (site_verdict(w->site)) {
    case FORK_ORDINARY: return STAGE_ORDINARY;
    case FORK_WINDOW: return open_window(w) ? STAGE_WINDOW : STAGE_ORDINARY;
    case FORK_WATCHED: break;
    }
    w->note = note_new();
    if (w->note == NULL) return STAGE_ORDINARY;
    w->site->watched = w->note;
    w->site->forked = w->began;
    return STAGE_WATCHED;
}

static void unmask(void) {
    if (turn.is_masked) sigprocmask(SIG_SETMASK, &turn.mask, NULL);
    turn.is_masked = false;
}

/// A handler of the program's must not run while the child still reads the memory that it would write.
static void mask(void) {
    sigset_t all;
    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    turn.is_masked = sigprocmask(SIG_SETMASK, &all, &turn.mask) == 0;
}

/// What other threads write meanwhile would reach a child that asks later, and the C library itself looks at lists that
/// they change before the child's first handler runs: with other threads, every fork is an ordinary one.
static bool is_alone(void) {
    unsigned threads = threads_of_process();
    if (threads > 1) SAY_ONCE("this process has %u threads: its forks are ordinary ones", threads);
    return threads == 1;
}

static void before(void) {
    int error = errno;
    origin_settle();
    turn.stage = STAGE_ORDINARY;
    turn.is_withdrawn = false;
    if (turn.caller != NULL && is_worthwhile() && is_alone()) {
        mask();
        turn.stage = choose(&window);
        if (turn.stage != STAGE_WINDOW) unmask();
    }
    errno = error;
}

// After the fork, in the parent.

static void learn_from_window(struct window *w, enum outcome outcome) {
    uint32_t step = atomic_load(&w->note->step);
    if (outcome == OUTCOME_SETTLED || outcome == OUTCOME_STARVED) site_learn(w->site, SAW_SETTLED);
    if (outcome == OUTCOME_GONE)
        site_learn(w->site, step == STEP_EXECUTING ? SAW_EXEC : step == STEP_REFUSED ? SAW_REFUSAL : SAW_NO_EXEC);
}

static void close_window(struct window *w) {
    static const char *const words[] = {"made no child", "withdrawn", "over", "settled", "starved"};
    ranges_put_back(w);
    sigaction(SIGSEGV, &w->segv, NULL);
    syscall(SYS_close, w->line[1]);
    enum outcome outcome = serve(w);
    close_all((int[]){w->leash[1], w->leash[0], w->line[0]}, 3);
    learn_from_window(w, outcome);
    turn.is_withdrawn = outcome == OUTCOME_WITHDRAWN;
    say("window of %zu MiB in %zu ranges: %s after %llu us, %zu faults, %zu KiB", w->bytes >> 20, w->count, words[outcome],
        (unsigned long long)(now_ns() - w->began) / 1000, w->faults, w->served >> 10);
    note_drop(w->note);
}

static void after_in_parent(void) {
    int error = errno;
    if (turn.stage == STAGE_WINDOW) close_window(&window);
    unmask();
    errno = error;
}

// After the fork, in the child.

static void after_in_child(void) {
    int error = errno;
    struct note *past = origin.note;
    if (turn.stage == STAGE_WINDOW) {
        adopt();
        sigaction(SIGSEGV, &window.segv, NULL);
    } else if (past != NULL) {
        origin = (struct origin){0};
    }
    if (turn.stage != STAGE_ORDINARY) {
        origin.self = (pid_t)syscall(SYS_getpid);
        origin.note = window.note;
        if (window.site->watched == window.note) window.site->watched = NULL;
    }
    if (past != NULL) note_drop(past);
    sites_forget_children(note_drop);
    turn.caller = NULL;
    unmask();
    errno = error;
}

void handlers_install(void) {
    static atomic_flag is_done = ATOMIC_FLAG_INIT;
    extern void *__dso_handle __attribute__((visibility("hidden")));
    if (!atomic_flag_test_and_set(&is_done)) next.register_atfork(before, after_in_parent, after_in_child, &__dso_handle);
}

// In the child of a window, later.

static bool line_is_ours(void) {
    struct stat status;
    return fstat(origin.line, &status) == 0 && S_ISSOCK(status.st_mode) && status.st_ino == origin.identity;
}

/// The parent notices that the line is closed, and looks at the note. A child that has closed it already is looked at
/// anyway.
void origin_settle(void) {
    if (!origin.deferred) return;
    bool is_ours = line_is_ours();
    _Atomic uint32_t *settled = &origin.note->settled;
    uint32_t expected = SETTLED_NOT;
    atomic_compare_exchange_strong(settled, &expected, SETTLED_WANTED);
    if (is_ours) syscall(SYS_close, origin.line);
    while (atomic_load(settled) != SETTLED_DONE) syscall(SYS_futex, settled, FUTEX_WAIT, SETTLED_WANTED, NULL, NULL, 0);
    if (is_ours) syscall(SYS_close, origin.leash);
    ranges_put_back(&window);
    origin.deferred = false;
}
