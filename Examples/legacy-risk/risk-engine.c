/*
 * risk-engine.c - values a book of trades, one process per trade.
 *
 *   risk-engine --trades FILE --results FILE [--timing FILE] [--cache-mib N] [--workers N] --pricer PATH [ARG...]
 *
 * Loads market data into a cache, then starts the pricer for every trade (fork, execv), writes the trade on its
 * standard input, reads one line from its standard output, waits for it and appends the line to the results
 * file, in the order of the trades. --pricer comes last: what follows the path are the pricer's arguments.
 *
 * A pricer that cannot be started, fails, is killed or says anything but one line ends the run: trades before it
 * are in the results file, none is started any more, those running are waited for, exit status 1.
 *
 * --timing FILE writes one line per finished call, in the order of the trades:
 *     start_us  from before fork until execv has succeeded (a close-on-exec pipe tells)
 *     call_us   from before fork until the child is reaped
 *     cpu_us    user and system time of the child, wait4(2)
 *     peak_kib  largest resident set of the child, wait4(2); getrusage(2) counts from fork on, so that it is
 *               never less than what this process had resident
 *     status    exit status, or 128 plus the signal
 *
 * Exit status: 0 all priced, 1 something failed, 2 wrong usage.
 */
#define _GNU_SOURCE /* wait4 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_LIMIT 512    /* longest trade; below PIPE_BUF, so writing one to an empty pipe never blocks */
#define RESULT_LIMIT 1024 /* longest result */
#define WORKERS_LIMIT 256
#define CACHE_MIB_LIMIT 1048576

struct options {
    const char *trades, *results, *timing;
    long cache_mib, workers;
    char **pricer; /* path and arguments, NULL at the end */
};

struct call {
    char *trade;  /* the line, with its newline */
    char *result; /* NULL until there is one */
    int done;
    long long start_us, call_us, cpu_us;
    long peak_kib;
    int status;
};

struct worker {
    pid_t pid; /* 0: free */
    int output;
    size_t call;
    long long begun_ns;
    char text[RESULT_LIMIT + 1];
    size_t length;
};

/* One underlying's implied volatilities by maturity and moneyness, and its discount curve. */
#define MATURITIES 48
#define STRIKES 40
struct surface {
    char underlying[16];
    double spot, dividend;
    double discount[MATURITIES];
    double volatility[MATURITIES][STRIKES];
};

static void complain(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("risk-engine: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

static void die(const char *what, const char *subject)
{
    complain("%s %s: %s", what, subject, strerror(errno));
    exit(1);
}

static long long now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- Options ---- */

static void usage(const char *problem, const char *subject)
{
    complain("%s%s", problem, subject);
    fputs("usage: risk-engine --trades FILE --results FILE [--timing FILE] [--cache-mib N] [--workers N]\n"
          "                   --pricer PATH [ARG...]\n", stderr);
    exit(2);
}

static long whole_number(const char *option, const char *text, long low, long high)
{
    char *end, problem[128];
    long value;

    errno = 0;
    value = strtol(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && value >= low && value <= high) return value;
    snprintf(problem, sizeof problem, "%s needs a number from %ld to %ld, not ", option, low, high);
    usage(problem, text);
    return 0;
}

static struct options parse_options(char **argv)
{
    struct options o = {NULL, NULL, NULL, 64, 1, NULL};
    char **at = argv + 1;

    for (; *at != NULL && o.pricer == NULL; at += 2) {
        if (at[1] == NULL) usage("a value is missing after ", at[0]);
        if (strcmp(at[0], "--trades") == 0) o.trades = at[1];
        else if (strcmp(at[0], "--results") == 0) o.results = at[1];
        else if (strcmp(at[0], "--timing") == 0) o.timing = at[1];
        else if (strcmp(at[0], "--cache-mib") == 0) o.cache_mib = whole_number(at[0], at[1], 0, CACHE_MIB_LIMIT);
        else if (strcmp(at[0], "--workers") == 0) o.workers = whole_number(at[0], at[1], 1, WORKERS_LIMIT);
        else if (strcmp(at[0], "--pricer") == 0) o.pricer = at + 1;
        else usage("unknown option ", at[0]);
    }
    if (o.trades == NULL) usage("--trades is missing", "");
    if (o.results == NULL) usage("--results is missing", "");
    if (o.pricer == NULL) usage("--pricer is missing", "");
    return o;
}

/* ---- The market data ---- */

static double wobble(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(*state >> 8) / 16777216.0 - 0.5;
}

static void fill_surface(struct surface *s, size_t number)
{
    uint32_t state = (uint32_t)number * 2654435761u + 1;
    double level = 0.25 + 0.2 * wobble(&state), rate = 0.02 + 0.02 * wobble(&state);
    int m, k;

    snprintf(s->underlying, sizeof s->underlying, "U%010lu", (unsigned long)number % 10000000000ul);
    s->spot = 100 * (1 + wobble(&state));
    s->dividend = 0.02 + 0.02 * wobble(&state);
    for (m = 0; m < MATURITIES; m++) {
        double years = (m + 1) / 12.0;

        s->discount[m] = 1 / (1 + rate * years);
        for (k = 0; k < STRIKES; k++) {
            double moneyness = (k - STRIKES / 2) / (double)STRIKES;

            s->volatility[m][k] = level - 0.1 * moneyness / (1 + years) + 0.3 * moneyness * moneyness +
                                  0.01 * wobble(&state);
        }
    }
}

struct cache {
    struct surface **surfaces;
    size_t count;
};

/* Every page is written, as it is when a real feed fills it: the memory is resident. */
static struct cache load_market_data(long mib)
{
    struct cache cache;
    size_t i;

    cache.count = (size_t)mib * 1048576 / sizeof(struct surface);
    cache.surfaces = malloc((cache.count + 1) * sizeof *cache.surfaces);
    if (cache.surfaces == NULL) die("allocate", "the market-data cache");
    for (i = 0; i < cache.count; i++) {
        cache.surfaces[i] = malloc(sizeof(struct surface));
        if (cache.surfaces[i] == NULL) die("allocate", "the market-data cache");
        fill_surface(cache.surfaces[i], i);
    }
    return cache;
}

static void free_market_data(struct cache *cache)
{
    size_t i;

    for (i = 0; i < cache->count; i++) free(cache->surfaces[i]);
    free(cache->surfaces);
}

/* ---- The trades ---- */

struct book {
    struct call *calls;
    size_t count;
};

static struct book read_trades(const char *path)
{
    struct book book = {NULL, 0};
    size_t room = 0;
    char line[LINE_LIMIT + 2];
    FILE *file = fopen(path, "r");

    if (file == NULL) die("open", path);
    while (fgets(line, sizeof line, file) != NULL) {
        size_t length = strlen(line);

        if (length > 0 && line[length - 1] != '\n') {
            if (length > LINE_LIMIT || !feof(file)) {
                complain("%s: line %lu is longer than %d bytes or holds a zero byte", path,
                         (unsigned long)book.count + 1, LINE_LIMIT);
                exit(1);
            }
            strcpy(line + length, "\n"); /* the last line may lack its newline */
        }
        if (book.count == room) {
            room = room == 0 ? 256 : room * 2;
            book.calls = realloc(book.calls, room * sizeof *book.calls);
            if (book.calls == NULL) die("allocate", "the trades");
        }
        memset(&book.calls[book.count], 0, sizeof *book.calls);
        book.calls[book.count].trade = strdup(line);
        if (book.calls[book.count++].trade == NULL) die("allocate", "the trades");
    }
    if (ferror(file)) die("read", path);
    fclose(file);
    if (book.count == 0) {
        complain("%s holds no trade", path);
        exit(1);
    }
    return book;
}

/* ---- One pricer ---- */

/* Both ends close on exec: no pricer inherits the pipes of another. */
static int make_pipe(int ends[2])
{
    if (pipe(ends) < 0) return -1;
    if (fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0) return 0;
    close(ends[0]);
    close(ends[1]);
    return -1;
}

/* The child between fork and exec. */
static void become_pricer(char **pricer, int input, int output, int report)
{
    int problem;

    signal(SIGPIPE, SIG_DFL); /* ignored signals stay ignored over exec */
    if (dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0) execv(pricer[0], pricer);
    problem = errno;
    while (write(report, &problem, sizeof problem) < 0 && errno == EINTR) {}
    _exit(127);
}

/* Waits until the child has executed the pricer: 0, or the errno with which it could not. */
static int wait_for_exec(int report)
{
    int problem = 0;
    ssize_t count;

    do count = read(report, &problem, sizeof problem);
    while (count < 0 && errno == EINTR);
    return count == (ssize_t)sizeof problem ? problem : count == 0 ? 0 : EIO;
}

static int send_trade(int input, const char *trade)
{
    size_t length = strlen(trade), done = 0;

    while (done < length) {
        ssize_t count = write(input, trade + done, length - done);

        if (count >= 0) done += (size_t)count;
        else if (errno == EPIPE) return 0; /* it ended without reading: its exit status will say */
        else if (errno != EINTR) return errno;
    }
    return 0;
}

static pid_t reap(pid_t pid, int *status, struct rusage *usage)
{
    pid_t result;

    do result = wait4(pid, status, 0, usage);
    while (result < 0 && errno == EINTR);
    return result;
}

/* Starts the pricer for one trade; 0, or -1 after a message. */
static int start(struct worker *w, struct call *call, size_t number, char **pricer)
{
    int input[2], output[2], report[2], problem, status;
    struct rusage usage;

    if (make_pipe(input) < 0) goto no_input;
    if (make_pipe(output) < 0) goto no_output;
    if (make_pipe(report) < 0) goto no_report;
    w->begun_ns = now_ns();
    w->pid = fork();
    if (w->pid < 0) goto no_child;
    if (w->pid == 0) become_pricer(pricer, input[0], output[1], report[1]);
    close(input[0]);
    close(output[1]);
    close(report[1]);
    problem = wait_for_exec(report[0]);
    call->start_us = (now_ns() - w->begun_ns) / 1000;
    close(report[0]);
    if (problem != 0) complain("trade %lu: execute %s: %s", (unsigned long)number + 1, pricer[0], strerror(problem));
    else if ((problem = send_trade(input[1], call->trade)) != 0)
        complain("trade %lu: write to %s: %s", (unsigned long)number + 1, pricer[0], strerror(problem));
    close(input[1]);
    w->output = output[0];
    w->call = number;
    w->length = 0;
    if (problem == 0) return 0;
    close(output[0]);
    reap(w->pid, &status, &usage);
    w->pid = 0;
    return -1;

no_child:
    problem = errno;
    close(report[0]);
    close(report[1]);
    errno = problem;
no_report:
    problem = errno;
    close(output[0]);
    close(output[1]);
    errno = problem;
no_output:
    problem = errno;
    close(input[0]);
    close(input[1]);
    errno = problem;
no_input:
    complain("trade %lu: start %s: %s", (unsigned long)number + 1, pricer[0], strerror(errno));
    w->pid = 0;
    return -1;
}

/* The child has closed its output: waits for it and judges what it did; 0, or -1 after a message. */
static int finish(struct worker *w, struct call *call, const char *pricer)
{
    unsigned long number = (unsigned long)w->call + 1;
    struct rusage usage;
    int status;

    close(w->output);
    if (reap(w->pid, &status, &usage) < 0) {
        complain("trade %lu: wait for %s: %s", number, pricer, strerror(errno));
        w->pid = 0;
        return -1;
    }
    w->pid = 0;
    call->call_us = (now_ns() - w->begun_ns) / 1000;
    call->cpu_us = (long long)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
                   usage.ru_stime.tv_usec;
    call->peak_kib = usage.ru_maxrss;
    call->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    call->done = 1;
    if (WIFSIGNALED(status)) {
        complain("trade %lu: %s was killed by signal %d", number, pricer, WTERMSIG(status));
        return -1;
    }
    if (call->status != 0) {
        complain("trade %lu: %s ended with status %d", number, pricer, call->status);
        return -1;
    }
    w->text[w->length] = '\0';
    if (w->length < 2 || memchr(w->text, '\n', w->length) != w->text + w->length - 1) {
        complain("trade %lu: %s did not write exactly one line", number, pricer);
        return -1;
    }
    call->result = strdup(w->text);
    if (call->result == NULL) die("allocate", "a result");
    return 0;
}

/* Reads what there is; 1 at the end of the output, 0 before, -1 after a message. */
static int read_result(struct worker *w, const char *pricer)
{
    char beyond;
    size_t room = RESULT_LIMIT - w->length;
    ssize_t count = room > 0 ? read(w->output, w->text + w->length, room) : read(w->output, &beyond, 1);

    if (count == 0) return 1;
    if (count < 0 && errno == EINTR) return 0;
    if (count > 0 && room > 0) {
        w->length += (size_t)count;
        return 0;
    }
    if (count < 0) complain("trade %lu: read from %s: %s", (unsigned long)w->call + 1, pricer, strerror(errno));
    else complain("trade %lu: %s wrote more than %d bytes", (unsigned long)w->call + 1, pricer, RESULT_LIMIT);
    return -1;
}

/* ---- The run ---- */

struct run {
    const struct options *options;
    struct book book;
    struct worker workers[WORKERS_LIMIT];
    size_t next, running, written;
    int failed;
    FILE *results;
};

static void start_more(struct run *run)
{
    long i;

    for (i = 0; i < run->options->workers && run->next < run->book.count && !run->failed; i++) {
        if (run->workers[i].pid != 0) continue;
        if (start(&run->workers[i], &run->book.calls[run->next], run->next, run->options->pricer) < 0) run->failed = 1;
        else run->running++;
        run->next++;
    }
}

/* Results leave in the order of the trades: one that is early waits for those before it. */
static void write_results(struct run *run)
{
    while (run->written < run->book.count && run->book.calls[run->written].result != NULL) {
        if (fputs(run->book.calls[run->written].result, run->results) == EOF) die("write", run->options->results);
        run->written++;
    }
}

static void attend(struct run *run, struct worker *w)
{
    int end = read_result(w, run->options->pricer[0]);

    if (end == 0) return;
    if (end < 0) {
        run->failed = 1;
        kill(w->pid, SIGKILL); /* nobody reads its output any more, it might never end */
    }
    run->running--;
    if (finish(w, &run->book.calls[w->call], run->options->pricer[0]) < 0) run->failed = 1;
    write_results(run);
}

static void value_book(struct run *run)
{
    struct pollfd fds[WORKERS_LIMIT];
    struct worker *of[WORKERS_LIMIT];

    for (;;) {
        nfds_t count = 0, j;
        long i;

        start_more(run);
        if (run->running == 0) return;
        for (i = 0; i < run->options->workers; i++) {
            if (run->workers[i].pid == 0) continue;
            fds[count].fd = run->workers[i].output;
            fds[count].events = POLLIN;
            of[count++] = &run->workers[i];
        }
        if (poll(fds, count, -1) < 0) {
            if (errno == EINTR) continue;
            die("wait for", "the pricers");
        }
        for (j = 0; j < count; j++)
            if (fds[j].revents != 0) attend(run, of[j]);
    }
}

/* ---- What the operators look at ---- */

static void write_timing(const char *path, const struct book *book)
{
    FILE *file = fopen(path, "w");
    size_t i;

    if (file == NULL) die("open", path);
    fputs("start_us,call_us,cpu_us,peak_kib,status\n", file);
    for (i = 0; i < book->count; i++) {
        const struct call *c = &book->calls[i];

        if (c->done)
            fprintf(file, "%lld,%lld,%lld,%ld,%d\n", c->start_us, c->call_us, c->cpu_us, c->peak_kib, c->status);
    }
    if (ferror(file) || fclose(file) != 0) die("write", path);
}

static int ascending(const void *a, const void *b)
{
    long long x = *(const long long *)a, y = *(const long long *)b;

    return (x > y) - (x < y);
}

/* The smallest value that at least `percent` of the values do not exceed. `values` is sorted. */
static long long percentile(const long long *values, size_t count, unsigned percent)
{
    return values[(count * percent + 99) / 100 - 1];
}

static void summarize(const struct run *run, long long begun_ns)
{
    double seconds = (double)(now_ns() - begun_ns) / 1e9;
    size_t i, count = 0;
    long long *starts = malloc(run->book.count * sizeof *starts), *calls = malloc(run->book.count * sizeof *calls);

    if (starts == NULL || calls == NULL) die("allocate", "the summary");
    for (i = 0; i < run->book.count; i++) {
        if (!run->book.calls[i].done) continue;
        starts[count] = run->book.calls[i].start_us;
        calls[count++] = run->book.calls[i].call_us;
    }
    printf("trades       %lu of %lu\n", (unsigned long)run->written, (unsigned long)run->book.count);
    printf("seconds      %.3f\n", seconds);
    printf("per second   %.1f\n", (double)run->written / seconds);
    if (count > 0) {
        qsort(starts, count, sizeof *starts, ascending);
        qsort(calls, count, sizeof *calls, ascending);
        printf("start        p50 %lld us, p99 %lld us\n", percentile(starts, count, 50), percentile(starts, count, 99));
        printf("call         p50 %lld us, p99 %lld us\n", percentile(calls, count, 50), percentile(calls, count, 99));
    }
    free(starts);
    free(calls);
}

/* A process may be started without standard descriptors; a pipe must not take their numbers. */
static void occupy_standard_descriptors(void)
{
    int fd;

    do fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd < 0) exit(1);
    close(fd);
}

int main(int argc, char **argv)
{
    static struct run run;
    struct options options;
    struct cache cache;
    struct rusage self;
    long long begun_ns;
    size_t i;

    (void)argc;
    occupy_standard_descriptors();
    options = parse_options(argv);
    signal(SIGPIPE, SIG_IGN); /* a pricer that does not read is that trade's failure, not the engine's end */
    run.options = &options;
    run.book = read_trades(options.trades);
    run.results = fopen(options.results, "we");
    if (run.results == NULL) die("open", options.results);
    cache = load_market_data(options.cache_mib);
    getrusage(RUSAGE_SELF, &self);
    printf("market data  %lu surfaces, %ld MiB resident\n", (unsigned long)cache.count, self.ru_maxrss / 1024);
    fflush(stdout);

    begun_ns = now_ns();
    value_book(&run);
    summarize(&run, begun_ns);
    if (fclose(run.results) != 0) die("write", options.results);
    if (options.timing != NULL) write_timing(options.timing, &run.book);
    for (i = 0; i < run.book.count; i++) {
        free(run.book.calls[i].trade);
        free(run.book.calls[i].result);
    }
    free(run.book.calls);
    free_market_data(&cache);
    if (fflush(stdout) != 0) die("write", "the summary");
    return run.failed ? 1 : 0;
}
