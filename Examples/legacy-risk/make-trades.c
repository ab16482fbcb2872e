/*
 * make-trades.c - writes a book of option trades for the risk engine, one per line.
 *
 *   make-trades [COUNT [SEED]]
 *
 * The same count and seed give the same book on every machine: all numbers come from one integer generator.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const TYPES[] = {
    "european-call", "european-put", "american-call", "american-put", "asian-call", "asian-put",
};

/* splitmix64, Steele, Lea and Flood 2014. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* A whole number from low to high, both included. */
static long between(uint64_t *state, long low, long high)
{
    return low + (long)(next(state) % (uint64_t)(high - low + 1));
}

static unsigned long number(const char *text, const char *what, unsigned long highest)
{
    char *end;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text == '-' || value > highest) {
        fprintf(stderr, "make-trades: %s \"%s\": a number from 0 to %lu is needed\n", what, text, highest);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    unsigned long count = argc > 1 ? number(argv[1], "count", 1000000) : 400;
    uint64_t state = argc > 2 ? number(argv[2], "seed", 4294967295ul) : 1;
    unsigned long i;

    if (argc > 3) {
        fprintf(stderr, "usage: make-trades [COUNT [SEED]]\n");
        return 2;
    }
    for (i = 1; i <= count; i++) {
        long spot_cents = between(&state, 1000, 50000);
        long strike_cents = spot_cents * between(&state, 70, 130) / 100;
        long lots = between(&state, 1, 500);
        long quantity = next(&state) % 3 == 0 ? -10 * lots : 10 * lots;
        /* One number per statement: the order in which arguments are evaluated is the compiler's choice. */
        const char *type = TYPES[next(&state) % 6];
        double rate = (double)between(&state, -50, 600) / 10000;
        double volatility = (double)between(&state, 800, 6500) / 10000;
        double maturity = (double)between(&state, 250, 50000) / 10000;

        printf("T%06lu,%s,%ld.%02ld,%ld.%02ld,%.4f,%.4f,%.4f,%ld\n", i, type, spot_cents / 100,
               spot_cents % 100, strike_cents / 100, strike_cents % 100, rate, volatility, maturity, quantity);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("make-trades: writing the trades");
        return 1;
    }
    return 0;
}
