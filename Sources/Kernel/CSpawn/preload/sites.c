// The decision which call of fork opens a window. See sites.h; driven by PreloadSiteTests through sites-driver.c.
#include "sites.h"

#include <stddef.h>

#define SITES 256
/// After so many proofs in a row strikes are forgiven: a child that is killed or gives up now and then is not a worker.
#define FORGIVEN 20

static struct site sites[SITES];
static size_t used;

void site_learn(struct site *site, enum evidence evidence) {
    switch (evidence) {
    case SAW_EXEC:
        if (site->proofs < FORGIVEN) site->proofs++;
        if (site->proofs == FORGIVEN) site->strikes = 0;
        break;
    case SAW_NO_EXEC:
        site->proofs = 0;
        if (++site->strikes >= STRIKES) site->is_ordinary = 1;
        break;
    case SAW_SETTLED:
        site->is_ordinary = 1;
        break;
    case SAW_REFUSAL:
        break;
    }
}

enum verdict site_verdict(const struct site *site) {
    if (site->is_ordinary) return FORK_ORDINARY;
    if (site->proofs >= PROOFS) return FORK_WINDOW;
    return site->watched == NULL ? FORK_WATCHED : FORK_ORDINARY;
}

struct site *site_at(const void *address) {
    size_t first = ((uintptr_t)address >> 2) * 2654435761u % SITES;
    for (size_t i = 0; i < SITES; i++) {
        struct site *site = &sites[(first + i) % SITES];
        if (site->address == NULL) {
            site->address = address;
            used++;
        }
        if (site->address == address) return site;
    }
    return NULL;
}

void sites_forget_children(void (*drop)(struct note *)) {
    for (size_t i = 0; used > 0 && i < SITES; i++) {
        if (sites[i].watched != NULL) drop(sites[i].watched);
        sites[i].watched = NULL;
    }
}
