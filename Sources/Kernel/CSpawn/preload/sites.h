// Which calls of fork are worth a window. Values only: no clock, no kernel.
#ifndef FORKLESS_SITES_H
#define FORKLESS_SITES_H

#include <stdint.h>

/// How long a window waits for a child that waits for something itself (ns).
#define PATIENCE UINT64_C(500000000)
/// How long it waits for one that is busy, and how soon the child of an ordinary fork must execute to speak for a window:
/// long enough for a machine on which twenty others want to run (ns).
#define LONGEST (10 * PATIENCE)
/// So many children in a row must have executed before a window opens.
#define PROOFS 2
/// So many that did not, and the site is not tried any more.
#define STRIKES 3

struct note;
struct habits;

/// One place in the program that calls fork, by its return address.
struct site {
    const void *address;
    unsigned proofs, strikes;
    int is_ordinary;       // for good
    struct note *watched;  // a child of an ordinary fork about which nothing is known yet
    uint64_t forked;       // when it was made (ns)
    struct habits *habits; // what its children ask for, see habits.c
};

enum evidence {
    SAW_EXEC,      // the child executed in time
    SAW_NO_EXEC,   // it ended without, or took too long
    SAW_REFUSAL,   // its exec failed: says nothing
    SAW_SETTLED,   // its window had to be ended by copying everything
};
enum verdict { FORK_ORDINARY, FORK_WATCHED, FORK_WINDOW };

/// Takes in how a child of the site ended its time before exec.
void site_learn(struct site *, enum evidence);
/// What the next fork of the site is to be.
enum verdict site_verdict(const struct site *);

/// The site with this address, made when there is room; null otherwise.
struct site *site_at(const void *address);
/// Every site forgets the children that it watches: they are the parent's, and this is a child.
void sites_forget_children(void (*drop)(struct note *));

#endif
