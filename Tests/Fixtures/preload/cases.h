// The frame of preload's cases: a process with large memory whose forks are known to execute, so that the next fork of
// the same place opens a window when the library is loaded. What a case prints is the same without it.
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
#define LARGE_BYTES (48 * MIB)

/// 48 MiB, every page written, each different.
extern unsigned char *large;
unsigned char *make_large(int protection);
/// One number of all that is in it.
uint64_t digest(const unsigned char *memory, size_t length);

/// Forks always at the same place; the child ends with what `body` returns.
pid_t start(int (*body)(void *), void *argument);
/// Two children of `start` that execute: the next one opens a window.
void train(void);
/// Waits and tells how it ended: "exited 3", "killed by 9".
const char *ending(pid_t pid);
/// start, and its ending printed behind the name.
void report(const char *name, int (*body)(void *), void *argument);
/// The same for a child that stays until fork has returned to its parent: `stay` returns then.
void report_staying(const char *name, int (*body)(void *), void *argument);
void stay(void);
/// Ends the child in the way that keeps the place known for executing.
int execute_true(void *unused);
void *must_map(size_t length, int protection, int flags);
void pause_ms(long milliseconds);
void die(const char *what);

struct named_case {
    const char *name;
    void (*run)(void);
};
extern const struct named_case memory_cases[], process_cases[], fault_cases[];
