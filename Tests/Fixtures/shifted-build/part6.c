#include "parts.h"

/* One of several translation units, so that make starts the compiler several times. */
static const double weights[] = {0.6, 1.6, 2.6, 3.6};

double part6(double value)
{
    double sum = 0;
    for (unsigned at = 0; at < sizeof weights / sizeof *weights; at++)
        sum = sum * value + weights[at];
    return sum;
}
