#include "cases.h"

unsigned char *large;

void die(const char *what) {
    perror(what);
    exit(99);
}

void *must_map(size_t length, int protection, int flags) {
    void *at = mmap(NULL, length, protection, flags, -1, 0);
    if (at == MAP_FAILED) die("mmap");
    return at;
}

unsigned char *make_large(int protection) {
    unsigned char *at = must_map(LARGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    for (size_t i = 0; i < LARGE_BYTES; i += 4096) {
        memset(at + i, (int)(i >> 12) * 7 + 1, 64);
        *(uint32_t *)(at + i + 128) = (uint32_t)i;
    }
    if (mprotect(at, LARGE_BYTES, protection) < 0) die("mprotect");
    return at;
}

uint64_t digest(const unsigned char *memory, size_t length) {
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 0; i < length; i += 64) sum = (sum ^ *(const uint64_t *)(memory + i)) * 1099511628211u;
    return sum;
}

__attribute__((noinline)) pid_t start(int (*body)(void *), void *argument) {
    pid_t pid = fork();
    if (pid == 0) _exit(body(argument));
    return pid;
}

const char *ending(pid_t pid) {
    static _Thread_local char text[64];
    int status;
    pid_t got;
    do got = waitpid(pid, &status, 0);
    while (got < 0 && errno == EINTR);
    if (got != pid) snprintf(text, sizeof text, "not waited for: %s", strerror(errno));
    else if (WIFSIGNALED(status)) snprintf(text, sizeof text, "killed by %d", WTERMSIG(status));
    else snprintf(text, sizeof text, "exited %d", WEXITSTATUS(status));
    return text;
}

int execute_true(void *unused) {
    (void)unused;
    execl("/bin/true", "true", NULL);
    return 127;
}

void train(void) {
    for (int i = 0; i < 2; i++)
        if (strcmp(ending(start(execute_true, NULL)), "exited 0") != 0) die("train");
}

void report(const char *name, int (*body)(void *), void *argument) {
    fflush(stdout);
    pid_t pid = start(body, argument);
    printf("%s: %s\n", name, pid < 0 ? strerror(errno) : ending(pid));
}

/// Seen by both, and not a descriptor, so that a child may close those.
static volatile int *returned;

void stay(void) {
    while (!*returned) pause_ms(5);
}

void report_staying(const char *name, int (*body)(void *), void *argument) {
    fflush(stdout);
    returned = must_map(4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);
    pid_t pid = start(body, argument);
    *returned = 1;
    printf("%s: %s\n", name, pid < 0 ? strerror(errno) : ending(pid));
}

void pause_ms(long milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&time, &time) < 0 && errno == EINTR) {}
}

int main(int count, char **words) {
    const struct named_case *const all[] = {memory_cases, process_cases, fault_cases};
    if (count != 2) die("usage: cases NAME");
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        for (const struct named_case *one = all[i]; one->name != NULL; one++)
            if (strcmp(one->name, words[1]) == 0) {
                one->run();
                return 0;
            }
    fprintf(stderr, "no case is called %s\n", words[1]);
    return 98;
}
