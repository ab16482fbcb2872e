// What a child is to its parent: its child in every way that a fork makes one.
#include "cases.h"

#include <sched.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/prctl.h>

static pid_t parent;
extern char **environ;

static int exit_with(void *number) { return (int)(intptr_t)number; }
static int die_by(void *number) {
    raise((int)(intptr_t)number);
    return 0;
}
static int look_at_family(void *unused) {
    (void)unused;
    return (getppid() == parent ? 0 : 1) | (getpgrp() == getpgid(parent) ? 0 : 2) | (getsid(0) == getsid(parent) ? 0 : 4) |
           (getpid() == (pid_t)syscall(SYS_gettid) ? 0 : 8);
}
static int new_session(void *unused) {
    (void)unused;
    return setsid() == getpid() && getsid(0) == getpid() ? 0 : 1;
}
static int null_dereference(void *unused) {
    (void)unused;
    volatile int *nowhere = NULL;
    return *nowhere;
}
static int spend_time(void *unused) {
    (void)unused;
    volatile unsigned x = 0;
    struct rusage usage;
    do {
        for (int i = 0; i < 100000; i++) x += (unsigned)i;
        getrusage(RUSAGE_SELF, &usage);
    } while (usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec < 30000);
    return 0;
}

static volatile sig_atomic_t children_ended, last_pid, last_status;
static void on_child(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    children_ended++;
    last_pid = info->si_pid;
    last_status = info->si_status;
}

static void ends(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    parent = getpid();
    static const int statuses[] = {0, 1, 127, 255}, signals[] = {SIGTERM, SIGKILL, SIGABRT};
    for (size_t i = 0; i < 4; i++) train(), report("status", exit_with, (void *)(intptr_t)statuses[i]);
    train();
    report("family", look_at_family, NULL);
    train();
    report("session", new_session, NULL);
    for (size_t i = 0; i < 3; i++) {
        train();
        report("signal", die_by, (void *)(intptr_t)signals[i]);
    }
}

static void crash(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    train();
    report("crash", null_dereference, NULL);
}

static void accounting(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    struct sigaction action = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART};
    train();
    sigaction(SIGCHLD, &action, NULL);
    pid_t pid = start(spend_time, NULL);
    struct rusage usage;
    int status;
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {}
    long spent = usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec;
    printf("status %d, %s 30 ms\n", status, spent >= 30000 ? "at least" : "less than");
    printf("signal: %d, %s, status %d\n", (int)children_ended, last_pid == pid ? "its pid" : "another pid", (int)last_status);
    signal(SIGCHLD, SIG_DFL);
}

// Signals: handlers, masks, what is pending, what is ignored.

static volatile sig_atomic_t segv_seen;
static void on_segv(int signal) {
    (void)signal;
    segv_seen++;
    mprotect(large, 4096, PROT_READ | PROT_WRITE);
}
static int handles_its_own_fault(void *unused) {
    (void)unused;
    if (mprotect(large, 4096, PROT_NONE) < 0) return 1;
    large[0] = 9;
    return segv_seen == 1 && large[0] == 9 && large[4096] == 8 ? 0 : 2;
}
static int look_at_signals(void *unused) {
    (void)unused;
    sigset_t mask, pending;
    struct sigaction pipe_action;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    sigpending(&pending);
    sigaction(SIGPIPE, NULL, &pipe_action);
    int wrong = 0;
    for (int i = 1; i < 65; i++) {
        if (sigismember(&mask, i) != (i == SIGUSR1)) wrong |= 1;
        if (sigismember(&pending, i) == 1) wrong |= 2;
    }
    struct sigaction segv;
    sigaction(SIGSEGV, NULL, &segv);
    return wrong | (pipe_action.sa_handler == SIG_IGN ? 0 : 4) | (segv.sa_handler == on_segv ? 0 : 8);
}

static void signals(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    sigset_t usr, mask;
    sigemptyset(&usr);
    sigaddset(&usr, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGSEGV, on_segv);
    raise(SIGUSR1);  // pending in the parent, not in the child
    train();
    report("mask", look_at_signals, NULL);
    train();
    report("a handler of SIGSEGV", handles_its_own_fault, NULL);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int i = 1; i < 65; i++)
        if (sigismember(&mask, i) != (i == SIGUSR1)) printf("parent's mask: %d\n", i);
    struct sigaction now;
    sigaction(SIGSEGV, NULL, &now);
    printf("parent's handler: %s\n", now.sa_handler == on_segv ? "its own" : "another");
}

// Handlers of pthread_atfork, in order, with memory of the large heap.

static char *order;
static void prepare(void) { strcat(order, "p"); }
static void in_parent(void) { strcat(order, "P"); }
static void in_child(void) { strcat(order, "C"); }
static int check_order(void *unused) {
    (void)unused;
    return strcmp(order, "pC") == 0 ? 0 : 1;
}

static void handlers(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    order = (char *)large + 20 * MIB;
    pthread_atfork(prepare, in_parent, in_child);
    train();
    strcpy(order, "");
    report("order in the child", check_order, NULL);
    printf("order in the parent: %s\n", order);
}

// Processes from the child.

static int hash_ok(void *unused) {
    (void)unused;
    return large[30 * MIB] == (unsigned char)((30 * MIB >> 12) * 7 + 1) && large[31 * MIB + 128 + 2] == 0xf0 ? 5 : 1;
}
static int ended_with(pid_t pid, int status) {
    int got;
    while (waitpid(pid, &got, __WALL) < 0)
        if (errno != EINTR) return 0;
    return WIFEXITED(got) && WEXITSTATUS(got) == status;
}
static int fork_again(void *unused) {
    pid_t pid = fork();
    if (pid == 0) {
        pid_t third = fork();
        if (third == 0) _exit(hash_ok(unused));
        _exit(ended_with(third, 5) ? hash_ok(unused) : 2);
    }
    return ended_with(pid, 5) ? 0 : 1;
}
static int plain_fork(void *unused) {
    pid_t pid = _Fork();
    if (pid == 0) _exit(hash_ok(unused));
    return ended_with(pid, 5) ? 0 : 1;
}
static int clone_again(void *unused) {
    static char stack[65536] __attribute__((aligned(16)));
    pid_t pid = clone(hash_ok, stack + sizeof stack, SIGCHLD, unused);
    return ended_with(pid, 5) ? 0 : 1;
}
static int close_and_fork(void *unused) {
    closefrom(3);
    return fork_again(unused);
}
static int spawn_from_child(void *unused) {
    (void)unused;
    pid_t pid;
    char *words[] = {"sh", "-c", "exit 5", NULL};
    if (posix_spawn(&pid, "/bin/sh", NULL, NULL, words, environ) != 0) return 1;
    return ended_with(pid, 5) && system("exit 6") >> 8 == 6 ? 0 : 2;
}
static void *hash_in_thread(void *unused) { return (void *)(intptr_t)hash_ok(unused); }
static int thread_in_child(void *unused) {
    pthread_t thread;
    void *result;
    if (pthread_create(&thread, NULL, hash_in_thread, unused) != 0) return 1;
    pthread_join(thread, &result);
    return result == (void *)5 ? 0 : 2;
}
static int vfork_in_child(void *unused) {
    pid_t pid = vfork();
    if (pid == 0) _exit(hash_ok(unused));
    return ended_with(pid, 5) ? 0 : 1;
}

static void nested(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    train();
    report("fork", fork_again, NULL);
}
static void nested_plain(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    train();
    report("_Fork", plain_fork, NULL);
}
static void nested_clone(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    train();
    report("clone", clone_again, NULL);
}
static void nested_closed(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    train();
    report("fork after closefrom", close_and_fork, NULL);
}
static void nested_shared(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    int (*const bodies[])(void *) = {spawn_from_child, thread_in_child, vfork_in_child};
    for (int i = 0; i < 3; i++) {
        train();
        report("shares the child's memory", bodies[i], NULL);
    }
}

// exec in each of its forms, and refused.

static char *const words[] = {"sh", "-c", "exit ${STATUS:-11}", NULL}, *const variables[] = {"STATUS=12", "PATH=/bin", NULL};
static int execute(void *form) {
    int file = open("/bin/sh", O_RDONLY | O_CLOEXEC);
    switch ((intptr_t)form) {
    case 0: execv("/bin/sh", words); break;
    case 1: execve("/bin/sh", words, variables); break;
    case 2: execvp("sh", words); break;
    case 3: execvpe("sh", words, variables); break;
    case 4: execl("/bin/sh", "sh", "-c", "exit ${STATUS:-11}", (char *)NULL); break;
    case 5: execlp("sh", "sh", "-c", "exit ${STATUS:-11}", (char *)NULL); break;
    case 6: execle("/bin/sh", "sh", "-c", "exit ${STATUS:-11}", (char *)NULL, variables); break;
    case 7: fexecve(file, words, variables); break;
    case 8: execveat(AT_FDCWD, "/bin/sh", words, variables, 0); break;
    case 9: syscall(SYS_execve, "/bin/sh", words, variables); break;
    case 10: execv("/no/such/program", words); return errno;
    case 11: execvp("no-such-program", words); return errno;
    case 12: execv("/etc/passwd", words); return errno;
    case 13: execl("/", "/", (char *)NULL); return errno;
    }
    return 99;
}

static void forms(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    for (intptr_t form = 0; form < 14; form++) {
        train();
        char name[32];
        snprintf(name, sizeof name, "form %d", (int)form);
        report(name, execute, (void *)form);
    }
}

// Descriptors: the child's lowest numbers, and closing everything.

static int look_at_numbers(void *unused) {
    (void)unused;
    close(0);
    if (open("/dev/null", O_RDONLY) != 0) return 1;
    if (dup(0) != 3 || dup(0) != 4) return 2;
    return 0;
}
static int close_all_and_execute(void *unused) {
    for (int i = 0; i < 2000; i++) close(i);
    return execute_true(unused);
}
static int closefrom_and_execute(void *unused) {
    closefrom(0);
    return execute_true(unused);
}
static int closefrom_and_stay(void *unused) {
    (void)unused;
    closefrom(0);
    stay();
    return digest(large, LARGE_BYTES) != 0 ? hash_ok(unused) : 1;
}

static void descriptors(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    int (*const bodies[])(void *) = {look_at_numbers, close_all_and_execute, closefrom_and_execute};
    for (int i = 0; i < 3; i++) {
        train();
        report("descriptors", bodies[i], NULL);
    }
    train();
    report_staying("descriptors", closefrom_and_stay, NULL);
}

// The parent afterwards.

static void list(const char *path, char *into, size_t room) {
    int fd = open(path, O_RDONLY);
    ssize_t count, used = 0;
    while ((count = read(fd, into + used, room - 1 - (size_t)used)) > 0) used += count;
    close(fd);
    into[used] = 0;
}
static int count_descriptors(void) {
    int count = 0;
    for (int i = 0; i < 20000; i++) count += fcntl(i, F_GETFD) >= 0;
    return count;
}

static void leftovers(void) {
    static char before[1 << 16], after[1 << 16];
    large = make_large(PROT_READ | PROT_WRITE);
    printf("leftovers\n");
    fflush(stdout);
    train();
    for (int i = 0; i < 3; i++) ending(start(execute_true, NULL));  // one-time things exist now
    int descriptors = count_descriptors();
    list("/proc/self/maps", before, sizeof before);
    for (int i = 0; i < 50; i++) ending(start(execute_true, NULL));
    list("/proc/self/maps", after, sizeof after);
    printf("descriptors: %+d\n", count_descriptors() - descriptors);
    printf("mappings: %s\n", strcmp(before, after) == 0 ? "the same" : after);
    FILE *smaps = fopen("/proc/self/smaps", "r");
    char line[512];
    int marked = 0;
    while (fgets(line, sizeof line, smaps) != NULL)
        if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " dc") != NULL && strstr(line, " io") == NULL) marked++;
    printf("mappings not for children: %d\n", marked);
}

// Other ways to start something.

static void others(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    for (int i = 0; i < 4; i++) {
        printf("system: %d\n", system("exit 3") >> 8);
        FILE *pipe = popen("echo from popen; exit 4", "r");
        char line[64] = "";
        if (fgets(line, sizeof line, pipe) == NULL) die("popen");
        printf("popen: %s", line);
        printf("pclose: %d\n", pclose(pipe) >> 8);
        pid_t pid;
        if (posix_spawn(&pid, "/bin/sh", NULL, NULL, words, environ) != 0) die("posix_spawn");
        printf("posix_spawn: %s\n", ending(pid));
        fflush(stdout);
        pid = vfork();
        if (pid == 0) {
            execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
            _exit(127);
        }
        printf("vfork: %s\n", ending(pid));
    }
}

// Threads: one that is gone, one that is there, and forks from several.

static void *nothing(void *argument) { return argument; }
static volatile bool is_over;
static void *spin(void *argument) {
    while (!is_over) pause_ms(1);
    return argument;
}
static void *start_many(void *argument) {
    for (int i = 0; i < 10; i++)
        if (strcmp(ending(start(execute_true, NULL)), "exited 0") != 0) return NULL;
    return argument;
}

static int use_files(void *unused) {
    (void)unused;
    FILE *file = fopen("/dev/null", "w");
    fprintf(file, "%d", 1);
    free(malloc(100000));
    return fclose(file);
}

static void thread_gone(void) {
    char *blocks[3000];
    for (int i = 0; i < 3000; i++) memset(blocks[i] = malloc(16000), i, 16000);
    pthread_t thread;
    pthread_create(&thread, NULL, nothing, NULL);
    pthread_join(thread, NULL);
    // It may be joined before it has left the process's list.
    struct stat tasks;
    while (stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3) pause_ms(1);
    FILE *files[3];  // their locks, which the C library resets in the child before any handler, lie in the large heap
    for (int i = 0; i < 3; i++) files[i] = fopen("/dev/null", "w");
    train();
    report("after a thread", use_files, NULL);
    report("and again", execute_true, NULL);
    for (int i = 0; i < 3; i++) fclose(files[i]);
}

static void thread_there(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    pthread_t thread;
    pthread_create(&thread, NULL, spin, NULL);
    train();
    report("beside a thread", hash_ok, NULL);
    is_over = true;
    pthread_join(thread, NULL);
}


static void thread_many(void) {
    large = make_large(PROT_READ | PROT_WRITE);
    train();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, start_many, (void *)1);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        printf("thread: %s\n", result != NULL ? "good" : "bad");
    }
}

const struct named_case process_cases[] = {
    {"ends", ends},
    {"crash", crash},
    {"accounting", accounting},
    {"signals", signals},
    {"handlers", handlers},
    {"nested", nested},
    {"nested-plain", nested_plain},
    {"nested-clone", nested_clone},
    {"nested-closed", nested_closed},
    {"nested-shared", nested_shared},
    {"forms", forms},
    {"descriptors", descriptors},
    {"leftovers", leftovers},
    {"others", others},
    {"thread-gone", thread_gone},
    {"thread-there", thread_there},
    {"thread-many", thread_many},
    {NULL, NULL},
};
