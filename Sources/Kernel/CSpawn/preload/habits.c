// What the children of a site ask for is nearly the same each time: the objects that the code between fork and exec
// touches. It is given before they ask, in the order in which they asked first.
#include "preload.h"

#include <linux/userfaultfd.h>
#include <sys/mman.h>

/// Pages that children of one site asked for. As many as fill a page, with their number.
#define HABITS (4096 / sizeof(uintptr_t) - 1)
struct habits {
    size_t count;
    uintptr_t pages[HABITS];
};

/// So many are given before it is looked whether the child waits for another.
#define PORTION 8

/// A list that is full is begun anew: some of it was of use long ago.
void habits_add(struct site *site, uintptr_t page) {
    if (site->habits == NULL) {
        void *at = mmap(NULL, sizeof(struct habits), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) return;
        site->habits = at;
    }
    struct habits *habits = site->habits;
    if (habits->count == HABITS) habits->count = 0;
    habits->pages[habits->count++] = page;
}

/// Pages that have gone or changed hands since are no harm: `give` passes over what the child has not registered.
enum given habits_give(struct window *w, int faults) {
    const struct habits *habits = w->site->habits;
    enum given given = GIVEN;
    for (size_t i = 0, next; habits != NULL && given == GIVEN && i < habits->count; i = next) {
        for (next = i + 1; next < habits->count && habits->pages[next] == habits->pages[next - 1] + page_size();) next++;
        size_t length = (next - i) * page_size();
        given = give(faults, habits->pages[i], habits->pages[i], length);
        if (given == GIVEN_LATER) given = answer_all(w, faults);  // it asks, if it still wants it
        w->served += length;
        if (given == GIVEN && (i / PORTION != next / PORTION)) given = answer_all(w, faults);
    }
    return given;
}
