#include "parts.h"

/* One of several translation units, so that make starts the compiler several times. */
static const double weights[] = {0.3, 1.3, 2.3, 3.3};

double part3(double value)
{
    double sum = 0;
    for (unsigned at = 0; at < sizeof weights / sizeof *weights; at++)
        sum = sum * value + weights[at];
    return sum;
}
