/*
 * zygote.c - a runtime that is initialised once and then forked, in C: what docs/zygote.md asks of one.
 *
 * Its initialisation is a table that takes a while to compute; each instance finds it computed. Deploy it as `bootstrap`
 * with the tag forkless:start=zygote. Without a zygote's socket it is an ordinary runtime.
 */
#define _GNU_SOURCE
#include "runtime-api.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define EVERYTHING                                                                                                     \
    (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWPID)

/* What the function is about. */

static unsigned table[1 << 20];
static long long initialised;
static unsigned own;

static void initialise(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    initialised = now.tv_sec * 1000000000ll + now.tv_nsec;
    unsigned state = 1;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) table[i] = state = state * 1664525u + 1013904223u;
}

/* What must not be the same in two instances. */
static void renew(void) {
    if (getrandom(&own, sizeof own, 0) != sizeof own) give_up("ask for chance");
}

static struct bytes answer(struct bytes event) {
    static char text[256];
    unsigned index = event.count ? (unsigned char)event.at[0] : 0;
    const char *stream = getenv("AWS_LAMBDA_LOG_STREAM_NAME");
    int count = snprintf(
        text, sizeof text, "{\"initialised\":%lld,\"value\":%u,\"own\":%u,\"pid\":%d,\"stream\":\"%s\"}", initialised,
        table[index], own, (int)getpid(), stream ? stream : "");
    return (struct bytes){text, (size_t)count};
}

/* Datagrams: words parted by NULs, and descriptors. */

struct message {
    char text[128 << 10];
    ssize_t count;
    int fds[64];
    int fd_count;
};

static void receive(int socket, struct message *m) {
    char room[CMSG_SPACE(sizeof m->fds)];
    struct iovec part = {m->text, sizeof m->text - 1};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    m->fd_count = 0;
    do m->count = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    while (m->count < 0 && errno == EINTR);
    if (m->count < 0) m->count = 0;
    m->text[m->count] = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        m->fd_count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(m->fds, CMSG_DATA(c), (size_t)m->fd_count * sizeof(int));
    }
}

static const char *word(const struct message *m, int index) {
    const char *at = m->text;
    for (; index > 0 && at < m->text + m->count; index--) at += strlen(at) + 1;
    return at <= m->text + m->count ? at : "";
}

static void say(int socket, const char *first, const char *second, const char *third) {
    char text[256];
    int count = third ? snprintf(text, sizeof text, "%s%c%s%c%s", first, 0, second, 0, third)
                      : snprintf(text, sizeof text, "%s", first);
    send(socket, text, (size_t)count, MSG_NOSIGNAL);
}

static void say_not_forked(int socket, const char *name, const char *reason) {
    char text[256];
    int count = snprintf(text, sizeof text, "ended%c%s%cfork%c%s", 0, name, 0, 0, reason);
    send(socket, text, (size_t)count, MSG_NOSIGNAL);
}

/* The child that becomes an instance. */

static _Noreturn void fail(int life, const char *step) {
    char text[200];
    snprintf(text, sizeof text, "%s: %s", step, strerror(errno));
    char said[256];
    int count = snprintf(said, sizeof said, "failed%c%s", 0, text);
    send(life, said, (size_t)count, MSG_NOSIGNAL);
    _exit(125);
}

static void give_up_rights(int life, int rules) {
    for (int capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; capability++) {}
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {0};
    if (syscall(SYS_capset, &header, none) < 0) fail(life, "give up capabilities");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail(life, "gain no privileges");
    static char code[4096 * 8];
    ssize_t count = pread(rules, code, sizeof code, 0);
    struct sock_fprog program = {.len = (unsigned short)(count / 8), .filter = (struct sock_filter *)code};
    if (count > 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0) fail(life, "load the system-call filter");
}

/* Waits for its turn, takes on what is its own, and serves. */
static _Noreturn void be_instance(int life, int rules) {
    if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) fail(life, "be root inside");
    if (chdir("/var/task") < 0) fail(life, "enter /var/task");
    setsid();
    sigset_t none;
    sigemptyset(&none);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, 0);
    give_up_rights(life, rules);
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, 0) < 0 || dup2(life, 3) < 0) fail(life, "set descriptors up");
    syscall(SYS_close_range, 4, ~0u, 0);
    life = 3;
    say(life, "parked", 0, 0);
    static struct message turn;
    receive(life, &turn);
    if (turn.count == 0 || turn.fd_count != 2) _exit(0);
    dup2(turn.fds[0], 1);
    dup2(turn.fds[1], 2);
    syscall(SYS_close_range, 3, ~0u, 0);
    for (const char *entry = turn.text + strlen(turn.text) + 1; entry < turn.text + turn.count; entry += strlen(entry) + 1)
        putenv((char *)entry);
    tzset();
    renew();
    serve(answer);
    _exit(0);
}

/* The zygote. */

/* Children by pid, with the name of their place: those that go before until they have told of a birth, and instances. */
static struct child {
    pid_t pid;
    bool goes_before;
    char name[24];
} children[4096];

static struct child *find(pid_t pid) {
    for (size_t i = 0; i < sizeof children / sizeof *children; i++)
        if (children[i].pid == pid) return &children[i];
    return 0;
}

static void add(pid_t pid, const char *name, bool goes_before) {
    struct child *free = find(0);
    if (!free) return;
    *free = (struct child){.pid = pid, .goes_before = goes_before};
    snprintf(free->name, sizeof free->name, "%s", name);
}

static void fork_instance(struct message *m, int control, int births) {
    const char *name = word(m, 1);
    int pidfd = m->fds[0], life = m->fds[1], rules = m->fds[2];
    pid_t first = fork();
    if (first < 0) say_not_forked(control, name, strerror(errno));
    if (first > 0) add(first, name, true);
    if (first != 0) return;
    for (int i = 3; i < m->fd_count; i++)
        if (write(m->fds[i], "0", 1) < 0) fail(life, "join a cgroup");
    /* All at once, since only inside its user namespace are there rights over the others. */
    if (setns(pidfd, EVERYTHING) < 0) fail(life, "enter the sandbox");
    /* A process does not change its own pid namespace, only that of its children. */
    pid_t second = fork();
    if (second < 0) fail(life, "fork");
    if (second == 0) be_instance(life, rules);
    dprintf(births, "%s %d %d\n", name, (int)second, (int)getpid());
    _exit(0);
}

static void note_births(int births) {
    char text[4096];
    ssize_t count = read(births, text, sizeof text - 1);
    text[count > 0 ? count : 0] = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(0, "\n")) {
        char name[24];
        int pid, before;
        if (sscanf(line, "%23s %d %d", name, &pid, &before) != 3) continue;
        struct child *first = find(before);
        if (first) first->pid = 0;
        add(pid, name, false);
    }
}

static void reap(int control, int births) {
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        /* The one that went before has written the name of the other before it ended, unless it was killed. */
        note_births(births);
        struct child *child = find(pid);
        if (!child) continue;
        char text[16];
        snprintf(text, sizeof text, "%d", status);
        if (!child->goes_before) say(control, "ended", child->name, text);
        if (child->goes_before && WIFSIGNALED(status)) say_not_forked(control, child->name, strsignal(WTERMSIG(status)));
        child->pid = 0;
    }
}

static void pass_signal(const struct message *m) {
    for (size_t i = 0; i < sizeof children / sizeof *children; i++) {
        struct child *child = &children[i];
        if (child->pid && !child->goes_before && strcmp(child->name, word(m, 1)) == 0) kill(child->pid, atoi(word(m, 2)));
    }
}

static void woken(int number) { (void)number; }

int main(void) {
    initialise();
    const char *text = getenv("FORKLESS_ZYGOTE");
    if (!text) {
        renew();
        serve(answer);
    }
    int control = atoi(text), pipes[2];
    unsetenv("FORKLESS_ZYGOTE");
    if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0) give_up("make a pipe");
    /* SIGCHLD interrupts the wait below, and nothing else. */
    sigset_t child, none;
    sigemptyset(&none);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, 0);
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = woken}, 0);
    say(control, "ready", 0, 0);
    static struct message m;
    for (;;) {
        struct pollfd waits[2] = {{control, POLLIN, 0}, {pipes[0], POLLIN, 0}};
        int count = ppoll(waits, 2, 0, &none);
        if (count > 0 && waits[1].revents) note_births(pipes[0]);
        if (count > 0 && waits[0].revents) {
            receive(control, &m);
            if (m.count == 0) return 0;
            if (strcmp(word(&m, 0), "fork") == 0 && m.fd_count >= 3) fork_instance(&m, control, pipes[1]);
            if (strcmp(word(&m, 0), "signal") == 0) pass_signal(&m);
            for (int i = 0; i < m.fd_count; i++) close(m.fds[i]);
        }
        reap(control, pipes[0]);
    }
}
