// Tells everything that a program is born with, one line for each thing, to the file named by TOLD_TO or to standard
// output; then does what its arguments after "--" say. What differs from run to run (pids) is told by relation.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static unsigned long digest(const char *text) {
    unsigned long hash = 1469598103934665603UL;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 1099511628211UL;
    return hash;
}

static void text(FILE *to, const char *name, const char *value) {
    fprintf(to, "%s %zu %lx ", name, strlen(value), digest(value));
    for (int i = 0; value[i] && i < 60; i++) fprintf(to, value[i] > 32 && value[i] < 127 ? "%c" : "\\%02x", (unsigned char)value[i]);
    fprintf(to, "\n");
}

static void descriptors(FILE *to, int except) {
    for (int fd = 0; fd < 64; fd++) {
        struct stat status;
        if (fd == except || fstat(fd, &status) < 0) continue;
        fprintf(to, "fd %d %lx:%lx mode %o offset %ld flags %o cloexec %d tty %d\n", fd, (long)status.st_dev, (long)status.st_ino,
                status.st_mode, S_ISREG(status.st_mode) ? (long)lseek(fd, 0, SEEK_CUR) : 0, fcntl(fd, F_GETFL), fcntl(fd, F_GETFD),
                isatty(fd));
    }
}

static void tell(FILE *to, int argc, char **argv) {
    descriptors(to, getenv("TOLD_TO") ? fileno(to) : -1);
    fprintf(to, "argc %d\n", argc);
    for (int i = 0; i < argc; i++) text(to, "arg", argv[i]);
    for (char **entry = environ; *entry; entry++) if (strncmp(*entry, "TOLD_TO=", 8)) text(to, "env", *entry);
    char path[PATH_MAX];
    ssize_t count = readlink("/proc/self/cwd", path, sizeof path - 1);
    path[count < 0 ? 0 : count] = 0;
    text(to, "cwd", path);
    mode_t mask = umask(0);
    umask(mask);
    fprintf(to, "umask %o\n", mask);
    uid_t r, e, s;
    getresuid(&r, &e, &s);
    fprintf(to, "uid %d %d %d", r, e, s);
    getresgid(&r, &e, &s);
    fprintf(to, " gid %d %d %d groups", r, e, s);
    gid_t groups[64];
    int many = getgroups(64, groups);
    for (int i = 0; i < many; i++) fprintf(to, " %d", groups[i]);
    fprintf(to, "\nleads %d group %s session %s\n", getpgrp() == getpid(), getpgrp() == getpid() ? "own" : getpgrp() == getpgid(getppid()) ? "parent's" : "other",
            getsid(0) == getpid() ? "own" : getsid(0) == getsid(getppid()) ? "parent's" : "other");
    sigset_t blocked, pending;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    sigpending(&pending);
    for (int i = 1; i < 65; i++) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) < 0) continue;
        if (sigismember(&blocked, i) == 1 || sigismember(&pending, i) == 1 || action.sa_handler != SIG_DFL)
            fprintf(to, "signal %d blocked %d pending %d ignored %d\n", i, sigismember(&blocked, i), sigismember(&pending, i), action.sa_handler == SIG_IGN);
    }
    int terminal = open("/dev/tty", O_RDWR);
    fprintf(to, "terminal %d nice %d policy %d", terminal >= 0, getpriority(PRIO_PROCESS, 0), sched_getscheduler(0));
    if (terminal >= 0) {
        fprintf(to, " foreground %d", tcgetpgrp(terminal) == getpgrp());
        close(terminal);
    }
    int death = 0;
    prctl(PR_GET_PDEATHSIG, &death);
    fprintf(to, " deathsig %d dumpable %d nnp %d\n", death, prctl(PR_GET_DUMPABLE), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit limit;
        getrlimit(i, &limit);
        fprintf(to, "limit %d %lx %lx\n", i, (long)limit.rlim_cur, (long)limit.rlim_max);
    }
    count = readlink("/proc/self/exe", path, sizeof path - 1);
    path[count < 0 ? 0 : count] = 0;
    if (getenv("TELL_EXE")) text(to, "exe", path);
    fflush(to);
}

static volatile sig_atomic_t got;
static void catch(int number) { got = number; }

int main(int argc, char **argv) {
    char **action = argv;
    while (*action && strcmp(*action, "--")) action++;
    FILE *to = getenv("TOLD_TO") ? fopen(getenv("TOLD_TO"), "we") : stdout;
    if (!*action || !action[1] || strcmp(action[1], "quiet")) { if (to) tell(to, argc, argv); }
    if (!*action) return 0;
    for (action++; *action; action++) {
        long number = action[1] ? atol(action[1]) : 0;
        if (!strcmp(*action, "exit")) return number;
        if (!strcmp(*action, "die")) {
            struct rlimit none = {0, 0};
            setrlimit(RLIMIT_CORE, &none);
            signal(number, SIG_DFL);
            sigset_t one;
            sigemptyset(&one);
            sigaddset(&one, number);
            sigprocmask(SIG_UNBLOCK, &one, NULL);
            raise(number);
            return 99;
        }
        if (!strcmp(*action, "read")) {
            // That many bytes, one at a time: nothing is taken that was not asked for.
            for (long i = 0; i < number; i++) {
                char c;
                if (read(0, &c, 1) != 1) break;
                if (write(1, &c, 1) < 0) return errno == EPIPE ? 98 : 97;
            }
        }
        if (!strcmp(*action, "copy")) {
            char room[8192];
            ssize_t count;
            while ((count = read(0, room, sizeof room)) > 0)
                for (ssize_t done = 0; done < count;) {
                    ssize_t written = write(1, room + done, count - done);
                    if (written < 0) return errno == EPIPE ? 98 : 97;
                    done += written;
                }
        }
        if (!strcmp(*action, "write")) for (long i = 0; i < number; i++) if (write(1, "0123456789abcdef", 16) < 0) return errno == EPIPE ? 98 : 97;
        if (!strcmp(*action, "say") && write(1, action[1], strlen(action[1])) < 0) return 97;
        if (!strcmp(*action, "complain") && write(2, action[1], strlen(action[1])) < 0) return 97;
        if (!strcmp(*action, "catch")) {
            // Says that it is ready, waits for one signal and ends with its number.
            for (int i = 1; i < 65; i++) if (i != SIGCHLD) signal(i, catch);
            if (write(1, "ready\n", 6) < 0) return 97;
            while (!got) poll(NULL, 0, 20);
            return got;
        }
        if (!strcmp(*action, "sleep")) { struct timespec span = {number / 1000, number % 1000 * 1000000}; nanosleep(&span, NULL); }
        if (!strcmp(*action, "burn")) { clock_t end = clock() + number * (CLOCKS_PER_SEC / 1000); while (clock() < end) {} }
        if (!strcmp(*action, "grow")) { char *m = malloc(number << 20); if (m) memset(m, 1, number << 20); }
        if (!strcmp(*action, "fork")) { if (fork() == 0) { sleep(number); _exit(0); } }
        if (!strcmp(*action, "close")) close(number);
    }
    return 0;
}
