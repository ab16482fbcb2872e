// A wall clock that a test sets for one process: cc -shared -fPIC -o set-clock.so set-clock.c, LD_PRELOAD=set-clock.so
//
// SET_CLOCK names a file that holds one int64_t: the seconds to add to the time of day. A change is what clock_settime(2)
// is to a process: CLOCK_REALTIME jumps, absolute timers on it move with it, and those that asked for it
// (TFD_TIMER_CANCEL_ON_SET, timerfd_create(2)) are told. Clocks that only tick go on.
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static _Atomic int64_t *set;  // seconds to add; NULL: this process keeps the machine's time

enum { TIMERS = 4096 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
// By descriptor.
static struct timer {
    int is_wall;            // it runs by CLOCK_REALTIME
    int is_armed, is_told;  // for a moment; and is told when the clock is set
    struct itimerspec moment;  // by the set clock
} timers[TIMERS];

static int64_t offset(void) { return set ? atomic_load(set) : 0; }

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += offset();
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (now) *now = exact.tv_sec;
    return exact.tv_sec;
}

static int arm(int timer, const struct itimerspec *moment) {
    struct itimerspec real = *moment;
    real.it_value.tv_sec -= offset();
    // Past is past; zero would disarm it.
    if (real.it_value.tv_sec < 1) real.it_value.tv_sec = 1;
    return (int)syscall(SYS_timerfd_settime, timer, TFD_TIMER_ABSTIME, &real, NULL);
}

static void set_timers(void) {
    pthread_mutex_lock(&lock);
    for (int number = 0; number < TIMERS; number++) {
        struct timer *timer = timers + number;
        if (!timer->is_armed) continue;
        // Whoever wants to be told finds it readable, as if it had run out.
        if (timer->is_told) timer->moment.it_value = (struct timespec){1, 0};
        // A descriptor that is something else by now is refused.
        if (arm(number, &timer->moment) != 0 || timer->is_told) timer->is_armed = 0;
    }
    pthread_mutex_unlock(&lock);
}

static void *watch(void *nothing) {
    int64_t last = offset();
    for (;;) {
        usleep(5000);
        int64_t now = offset();
        if (now != last) set_timers();
        last = now;
    }
    return nothing;
}

static void start_watch(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, watch, NULL);
}

int timerfd_create(int clock, int flags) {
    int number = (int)syscall(SYS_timerfd_create, clock, flags);
    if (number < 0 || number >= TIMERS) return number;
    pthread_mutex_lock(&lock);
    timers[number] = (struct timer){.is_wall = clock == CLOCK_REALTIME};
    pthread_mutex_unlock(&lock);
    return number;
}

int timerfd_settime(int number, int flags, const struct itimerspec *moment, struct itimerspec *former) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (!set || number < 0 || number >= TIMERS) return (int)syscall(SYS_timerfd_settime, number, flags, moment, former);
    pthread_once(&once, start_watch);
    pthread_mutex_lock(&lock);
    struct timer *timer = timers + number;
    timer->is_armed = timer->is_wall && flags & TFD_TIMER_ABSTIME && moment->it_value.tv_sec > 0;
    timer->is_told = (flags & TFD_TIMER_CANCEL_ON_SET) != 0;
    timer->moment = *moment;
    int result = timer->is_armed ? arm(number, moment) : (int)syscall(SYS_timerfd_settime, number, flags, moment, former);
    pthread_mutex_unlock(&lock);
    return result;
}

__attribute__((constructor)) static void open_clock(void) {
    const char *path = getenv("SET_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *memory = mmap(NULL, sizeof *set, PROT_READ, MAP_SHARED, file, 0);
    if (memory != MAP_FAILED) set = memory;
    close(file);
}
