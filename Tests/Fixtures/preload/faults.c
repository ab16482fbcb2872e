// What goes wrong: children and parents that die in between, limits, rights.
#include "cases.h"

#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>

static int ends[2];

static int page_is_right(size_t i) { return large[i] == (unsigned char)((i >> 12) * 7 + 1) && *(uint32_t *)(large + i + 128) == i; }

/// Reads on and on, and says so if it ever reads what its parent did not write.
static int linger(void *closing) {
    if (closing != NULL)
        for (int i = 0; i < 2000; i++)
            if (i != ends[1]) close(i);
    pid_t pid = getpid();
    if (write(ends[1], &pid, sizeof pid) != sizeof pid) return 1;
    for (;;)
        for (size_t i = 0; i < LARGE_BYTES; i += 4096) {
            if (!page_is_right(i)) {
                pid = -1;
                if (write(ends[1], &pid, sizeof pid) != sizeof pid) return 1;
                return 1;
            }
            if (i % (64 * 4096) == 0) pause_ms(1);
        }
}

static void lose_parent(int closing) {
    for (int attempt = 0; attempt < 5; attempt++) {
        if (pipe(ends) < 0) die("pipe");
        pid_t parent = fork(), child = 0, more = 0;
        if (parent == 0) {
            large = make_large(PROT_READ | PROT_WRITE);
            train();
            start(linger, closing ? &ends : NULL);
            pause();
        }
        close(ends[1]);
        if (read(ends[0], &child, sizeof child) != sizeof child) die("read");
        pause_ms(20);
        kill(parent, SIGKILL);
        ending(parent);
        struct pollfd wait = {ends[0], POLLIN, 0};
        int ready = poll(&wait, 1, 2000);
        ssize_t count = ready > 0 ? read(ends[0], &more, sizeof more) : -1;
        close(ends[0]);
        if (count == 0) {
            printf("the child: gone\n");
            return;
        }
        kill(child, SIGKILL);
        if (more == -1) {
            printf("the child: read what nobody wrote\n");
            return;
        }
    }
    printf("the child: stays\n");
}

static void parent_killed(void) { lose_parent(0); }
static void parent_killed_closed(void) { lose_parent(1); }

static int stop(void *unused) {
    (void)unused;
    raise(SIGSTOP);
    return page_is_right(40 * MIB) ? 5 : 1;
}

static void child_stopped(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    train();
    pid_t pid = start(stop, NULL);
    int status;
    if (waitpid(pid, &status, WUNTRACED) != pid) die("waitpid");
    printf("stopped by %d\n", WIFSTOPPED(status) ? WSTOPSIG(status) : 0);
    kill(pid, SIGCONT);
    printf("then %s\n", ending(pid));
}

static int check(void *unused) {
    (void)unused;
    for (size_t i = 0; i < LARGE_BYTES; i += 64 * 4096)
        if (!page_is_right(i)) return 1;
    return 0;
}

static void keep_capabilities(unsigned long long kept) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{(uint32_t)kept, (uint32_t)kept, 0}, {kept >> 32, kept >> 32, 0}};
    if (syscall(SYS_capset, &header, data) < 0) die("capset");
}

static void become_nobody(unsigned long long kept) {
    if (prctl(PR_SET_KEEPCAPS, 1) < 0 || setgid(65534) < 0 || setresuid(65534, 65534, 65534) < 0) die("setresuid");
    keep_capabilities(kept);
    prctl(PR_SET_DUMPABLE, 1);
}

static void unprivileged(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    become_nobody(0);
    train();
    report("as nobody", check, NULL);
}

static void device(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    keep_capabilities(0);
    train();
    report("by the device", check, NULL);
}

static void no_more_processes(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    train();
    become_nobody(1ull << CAP_SYS_PTRACE);
    struct rlimit none = {0, 0}, many = {1000, 1000};
    if (getrlimit(RLIMIT_NPROC, &many) < 0) die("getrlimit");
    none.rlim_max = many.rlim_max;
    if (setrlimit(RLIMIT_NPROC, &none) < 0) die("setrlimit");
    for (int i = 0; i < 3; i++) report("no process", check, NULL);
    if (setrlimit(RLIMIT_NPROC, &many) < 0) die("setrlimit");
    report("again", check, NULL);
    printf("lowest descriptor: %d\n", dup(0));
}

static void no_descriptors(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    train();
    struct rlimit few = {80, 80};
    if (setrlimit(RLIMIT_NOFILE, &few) < 0) die("setrlimit");
    while (dup(0) >= 0) {}
    report("no descriptor left", check, NULL);
    for (int i = 60; i < 80; i++) close(i);
    train();
    report("a few", check, NULL);
}

static int is_first(void *unused) { return getpid() == 1 ? check(unused) : 2; }

static void namespace(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    train();
    if (unshare(CLONE_NEWPID) < 0) die("unshare");
    report("first of its namespace", is_first, NULL);
}

static int drop_rights(void *unused) {
    become_nobody(0);
    return check(unused);
}
static int drop_and_execute(void *unused) {
    become_nobody(0);
    return execute_true(unused);
}

static void identities(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    train();
    report("becomes nobody", drop_rights, NULL);
    train();
    report("becomes nobody and executes", drop_and_execute, NULL);
}

/// What the tests put in the way of the library (obstacles.c) says when.
static void obstacles(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    train();
    setenv("OBSTACLE", "1", 1);
    report("with obstacles", check, NULL);
    unsetenv("OBSTACLE");
    report("without", check, NULL);
    printf("children left: %d\n", waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD ? 0 : 1);
}

const struct named_case fault_cases[] = {
    {"parent-killed", parent_killed},
    {"parent-killed-closed", parent_killed_closed},
    {"child-stopped", child_stopped},
    {"unprivileged", unprivileged},
    {"device", device},
    {"no-more-processes", no_more_processes},
    {"no-descriptors", no_descriptors},
    {"namespace", namespace},
    {"identities", identities},
    {"obstacles", obstacles},
    {NULL, NULL},
};
