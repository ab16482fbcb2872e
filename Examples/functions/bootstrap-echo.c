/*
 * bootstrap-echo.c - the smallest useful function: it answers each event with the event.
 *
 * ECHO_DELAY_MS in its environment makes each call take so many milliseconds.
 */
#include "runtime-api.h"

#include <time.h>

static struct timespec delay;

static struct bytes echo(struct bytes event) {
    if (delay.tv_sec || delay.tv_nsec) nanosleep(&delay, 0);
    return event;
}

int main(void) {
    const char *text = getenv("ECHO_DELAY_MS");
    long milliseconds = text ? strtol(text, 0, 10) : 0;
    delay = (struct timespec){.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    serve(echo);
}
