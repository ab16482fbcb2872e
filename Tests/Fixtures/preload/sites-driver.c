// Takes words from standard input, each something that a site has seen, and prints what its next fork is to be.
#include <stdio.h>
#include <string.h>

#include "sites.h"

int main(void) {
    static const char *const verdicts[] = {"ordinary", "watched", "window"};
    struct site *site = site_at((void *)0x1000);
    char word[32];
    printf("%s", verdicts[site_verdict(site)]);
    while (scanf("%31s", word) == 1) {
        if (strcmp(word, "exec") == 0) site_learn(site, SAW_EXEC);
        else if (strcmp(word, "none") == 0) site_learn(site, SAW_NO_EXEC);
        else if (strcmp(word, "refused") == 0) site_learn(site, SAW_REFUSAL);
        else if (strcmp(word, "settled") == 0) site_learn(site, SAW_SETTLED);
        else if (strcmp(word, "watching") == 0) site->watched = (struct note *)site;
        else if (strcmp(word, "known") == 0) site->watched = NULL;
        else return 1;
        printf(" %s", verdicts[site_verdict(site)]);
    }
    // Others are others, and there is an end to how many are remembered.
    int others = 0;
    for (size_t i = 1; i <= 1000; i++) {
        struct site *other = site_at((void *)(0x1000 + i * 64));
        if (other == site) return 2;
        others += other != NULL;
    }
    printf("; %d others\n", others);
    return site_at((void *)0x1000) == site ? 0 : 3;
}
