// libforkless-spawn.so: fork(2) that does not copy what exec is about to throw away. For LD_PRELOAD.
//
// fork copies the page tables of the whole process, 35 ms per GiB, and exec throws the copy away again. Programs that
// mean "start something" pay for what they hold. Here a call of fork whose children have been seen to execute becomes
// a *window*:
//
//   1. The parent marks its large anonymous mappings MADV_DONTFORK. The fork is the kernel's own, of the small rest:
//      pid, parent, process group, signals, limits, waiting, accounting and tracing are those of every other child.
//   2. The child maps the same ranges, empty, registers them with userfaultfd(2), and sends the descriptor to the parent.
//   3. The parent's calling thread stays in fork, as with vfork(2), and answers the child's page faults, the kernel's on
//      its behalf too, from its own memory, until the child executes or ends. Nothing changes that memory meanwhile.
//   4. A child that does neither within PATIENCE is given all that is resident and owes nothing any more; the parent
//      goes on, and that call of fork is an ordinary one from then on.
//
// Which calls of fork are like that is learned: a window opens only where the children of two ordinary forks before
// have executed at once. What cannot be kept right (other threads, no right to userfaultfd) is an ordinary fork.
//
// In C, the only place beside the launch itself: Swift cannot define execl and clone, which take arguments of any
// number, cannot read a return address, and promises nothing about what it calls between fork and exec.
//
// Invariants (tests: PreloadTests, PreloadFaultTests, PreloadSiteTests):
//  1. What the child reads is what the parent had at the fork: `a child sees its parent's memory`.
//  2. What one of the two writes the other never sees: `neither sees what the other writes`.
//  3. The parent's memory is as it was after every window, MADV_DOFORK included: `a later ordinary fork copies all`.
//  4. A child never goes on with memory that it did not get. A parent that is killed takes the child of an open window
//     along: `a parent killed in the window takes the child along`.
//  5. A child that does not execute is complete, and its parent goes on: `a child that stays becomes independent`.
//  6. A fork from the child of a window is preceded by 5: `a child of the window forks again`.
//  7. No descriptor, mapping or blocked signal is left in the parent: `the parent keeps nothing of a window`.
#ifndef FORKLESS_PRELOAD_H
#define FORKLESS_PRELOAD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sites.h"

/// Less than this resident is copied faster than a window is opened (bytes).
#define WORTHWHILE ((size_t)32 << 20)
/// Smaller mappings are left to the fork (bytes): below half a MiB leaving out costs as much as copying. Python's arenas
/// have one MiB.
#define LARGE ((size_t)1 << 20)
/// More ranges than this are left to the fork, the smallest first.
#define RANGES 1024
/// So many more may come about when the child unmaps and moves parts.
#define PIECES 8192

/// Part of a mapping that the fork leaves out: private, anonymous, readable, whole pages.
struct range {
    uintptr_t start, end;
    uintptr_t source;  // where the parent has what the child calls `start`: the same, until the child moves it
    int protection;
};

/// What parent and child of one fork tell each other, in a page that both see whatever the child closes.
struct note {
    _Atomic uint32_t step;       // enum step
    _Atomic uint32_t settled;    // enum settled; a futex
    _Atomic uint64_t executed;   // when the child called exec, CLOCK_MONOTONIC in ns
};
enum step { STEP_FORKED, STEP_EXECUTING, STEP_REFUSED };
enum settled { SETTLED_NOT, SETTLED_WANTED, SETTLED_DONE };

/// A fork from the prepare handler to the end of the parent's.
struct window {
    bool adopted;              // in the child: what was left out is mapped again
    struct site *site;
    struct note *note;
    struct range ranges[RANGES + PIECES];  // in the parent, while it serves: what the child may still ask for
    size_t count, bytes;
    int line[2];               // parent's end, child's end: brings the userfaultfd, and ends with the child
    int leash[2];              // a pipe: reading end with the child's pid as its owner, writing end. See adopt.c
    struct sigaction segv;     // the program's own
    uint64_t began;
    uintptr_t expected;        // the page after the last that was given: a child that reads on asks for it next
    size_t stride;             // and how much it got (bytes)
    size_t faults, served;     // for the log: answers, bytes
};
extern struct window window;

/// What a child knows about the fork that made it.
struct origin {
    pid_t self;            // a process that shares the memory, after vfork, has another
    struct note *note;     // null: not watched
    bool deferred;         // by a window, so that memory may be missing
    int line, leash;
    uint64_t identity;     // of `line`: whether the number still means what it did
};
extern struct origin origin;

enum stage { STAGE_ORDINARY, STAGE_WATCHED, STAGE_WINDOW };
/// What the thread that calls fork knows before, during and after.
struct turn {
    const void *caller;   // where the program called fork; null: not by our door
    enum stage stage;
    bool is_masked;
    bool is_withdrawn;    // the child could not be prepared and has ended: fork again, ordinarily
    sigset_t mask;
};
extern _Thread_local struct turn turn __attribute__((tls_model("initial-exec")));

// handlers.c: what happens around every fork of the C library, before anybody else's handlers and after.
void handlers_install(void);
/// Gives a child of a window all its memory before it makes a process itself.
void origin_settle(void);

// ranges.c
bool is_worthwhile(void);
unsigned threads_of_process(void);
void ranges_find(struct window *);
bool ranges_leave_out(struct window *);
void ranges_put_back(struct window *);

// adopt.c: the child
int faults_open(void);
bool faults_are_allowed(void);
void adopt(void);
void adopt_on_fault(int signal, siginfo_t *, void *);
/// Lets adopt_on_fault tell the child from this process. False when that cannot be.
bool mark_parent(void);

// serve.c, complete.c: the parent
enum outcome {
    OUTCOME_NONE,       // no child, or one that ended before it had adopted anything
    OUTCOME_WITHDRAWN,
    OUTCOME_GONE,       // executed, or ended
    OUTCOME_SETTLED,
    OUTCOME_STARVED,    // there is no memory for a child of its own, or it has cut what it has into too many pieces
};
enum outcome serve(struct window *);
enum given {
    GIVEN,
    GIVEN_LATER,      // the child is changing its mappings, and its message about that has to be read first
    GIVEN_GONE,       // it has another memory, or none
    GIVEN_NO_MEMORY,
};
/// Copies [source, source + length) of this process to `target` of the child.
enum given give(int faults, uintptr_t target, uintptr_t source, size_t length);
/// Answers the messages that are there.
enum given answer_all(struct window *, int faults);
/// Gives the child everything that is resident or swapped out.
enum given complete(struct window *, int faults);

// habits.c
/// Remembers that a child of the site asked for this page.
void habits_add(struct site *, uintptr_t page);
/// Gives the child what those before it asked for.
enum given habits_give(struct window *, int faults);

// doors.c
/// Whether the program does what a window could not keep right: MADV_DONTFORK or MADV_WIPEONFORK of large ranges, or a
/// seccomp filter of its own, which might kill what makes a call that it does not expect.
bool stands_aside(void);
extern struct next {
    pid_t (*fork)(void);
    pid_t (*plain_fork)(void);
    int (*execvpe)(const char *, char *const[], char *const[]);
    int (*clone)(int (*)(void *), void *, int, void *, ...);
    int (*register_atfork)(void (*)(void), void (*)(void), void (*)(void), void *);
} next;

// say.c: FORKLESS_SPAWN_LOG
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/// Says it the first time only.
#define SAY_ONCE(...) do { static bool is_said; if (!is_said) { is_said = true; say(__VA_ARGS__); } } while (0)

uint64_t now_ns(void);
size_t page_size(void);

#endif
