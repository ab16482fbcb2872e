#include <stdio.h>

#include "parts.h"

int main(void)
{
    printf("%.6f\n", part1(1) + part2(2) + part3(3) + part4(4) + part5(5) + part6(6));
    return 0;
}
