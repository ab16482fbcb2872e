#include "parts.h"

/* One of several translation units, so that make starts the compiler several times. */
static const double weights[] = {0.4, 1.4, 2.4, 3.4};

double part4(double value)
{
    double sum = 0;
    for (unsigned at = 0; at < sizeof weights / sizeof *weights; at++)
        sum = sum * value + weights[at];
    return sum;
}
