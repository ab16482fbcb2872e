#include "parts.h"

/* One of several translation units, so that make starts the compiler several times. */
static const double weights[] = {0.2, 1.2, 2.2, 3.2};

double part2(double value)
{
    double sum = 0;
    for (unsigned at = 0; at < sizeof weights / sizeof *weights; at++)
        sum = sum * value + weights[at];
    return sum;
}
