/* What Forkless is compared with, as C programs do it: in C, so that nothing of Swift is in the measured time. */
#ifndef BASELINES_H
#define BASELINES_H

#include <stddef.h>
#include <sys/types.h>

/* Starts argv with posix_spawn and waits. Returns its status as wait(2) gives it, or -errno. */
int baseline_posix_spawn(char *const argv[]);

/* The same with fork and execv. */
int baseline_fork_exec(char *const argv[]);

/* Starts argv with posix_spawn, its three standard streams at these descriptors. Returns the pid or -errno. */
pid_t baseline_start(char *const argv[], int input, int output, int errors);

/* The same for a server: in a process group of its own and with no signal blocked, for a thread of a library may block
 * all of them. Output and errors go to one descriptor. */
pid_t baseline_serve(char *const argv[], int input, int output);

/* Waits for a child: its status or -errno. */
int baseline_wait(pid_t pid);

/* Makes a pipe that no child inherits: the end to read from, the end to write to. 0 or -errno. */
int baseline_pipe(int ends[2]);

/* Takes memory and writes to each page of it; NULL when there is none. Small pages, as a heap that has grown has. */
void *baseline_resident(size_t bytes);

/* Gives it back. */
void baseline_release(void *memory, size_t bytes);

#endif
